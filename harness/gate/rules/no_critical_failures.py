"""`no_critical_failures`: no critical case is failed, whatever the baseline does with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from harness.gate.rules.critical_rule import CriticalRule
from harness.records.comparison import Change, ComparisonRecord, PairedCase
from harness.records.verdict import RuleResult

NO_CRITICAL: Literal["no_critical_failures"] = "no_critical_failures"


class NoCriticalFailures(CriticalRule):
    """No critical case is failed by the candidate, be it that the baseline fails it too."""

    critical_changes: ClassVar[tuple[Change, ...]] = ("new_failure", "still_failing")
    scored: ClassVar[str] = "of the candidate's answer"

    require: Literal["no_critical_failures"]

    def failures(self, comparison: ComparisonRecord) -> tuple[str, ...]:
        """The critical cases that the candidate fails, newly or as the baseline does."""
        return critical_failures(comparison)

    def is_unknown(self, case: PairedCase) -> bool:
        """Whether the candidate has no score, or one that uneven retries have chosen."""
        return case.excluded or case.candidate_score.status != "scored"

    def failed(self, paths: Sequence[str], among: str) -> str:
        """What failed, in words."""
        return f"{len(paths)} of {among} failed: {paths[0]}"

    def passed(self, among: str) -> str:
        """That nothing failed, in words."""
        return f"the {among} passes" if among.startswith("1 ") else f"all {among} pass"

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        return "no failure among critical cases"


def critical_failures(comparison: ComparisonRecord) -> tuple[str, ...]:
    """The critical cases that the candidate fails in any repeat, newly or as the baseline does."""
    found = {
        case.path
        for case in comparison.cases
        if case.critical and case.candidate_score.passed is False
    }
    return tuple(sorted(found))
