"""`no_new_critical_failures`: no critical case that the baseline passes is failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from harness.gate.rules.critical_rule import CriticalRule
from harness.records.comparison import Change, ComparisonRecord, PairedCase
from harness.records.verdict import Outcome, RuleResult

CRITICAL: Literal["no_new_critical_failures"] = "no_new_critical_failures"


class NoNewCriticalFailures(CriticalRule):
    """No critical case that the baseline passes is failed by the candidate."""

    false_alarm: ClassVar[Outcome | None] = "fail"
    critical_changes: ClassVar[tuple[Change, ...]] = ("new_failure",)
    scored: ClassVar[str] = "on both sides"

    require: Literal["no_new_critical_failures"]

    def failures(self, comparison: ComparisonRecord) -> tuple[str, ...]:
        """The critical cases that the baseline passes and the candidate fails."""
        return new_critical_failures(comparison)

    def is_unknown(self, case: PairedCase) -> bool:
        """Whether the two answers cannot be compared."""
        return case.change == "not_comparable"

    def failed(self, paths: Sequence[str], among: str) -> str:
        """What failed, in words."""
        if len(paths) > 1:
            return f"{len(paths)} new failures in {among}, such as {paths[0]}"
        return f"1 new failure in {among}: {paths[0]}"

    def passed(self, among: str) -> str:
        """That nothing failed, in words."""
        return f"no new failure in {among}"

    def why_worst_passes(self, comparison: ComparisonRecord) -> str:
        """The baseline fails every critical case, so that none can fail newly."""
        critical = {case.path for case in comparison.cases if case.critical}
        failed, them = f"passes none of the {len(critical)} critical cases", "them all"
        if len(critical) == 1:
            failed, them = "fails the only critical case", "it too"
        return (
            f"the baseline {failed}, so this rule passes even a candidate that fails {them}: add "
            "the rule `no_critical_failures`"
        )

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        return "no new failure among critical cases"


def new_critical_failures(comparison: ComparisonRecord) -> tuple[str, ...]:
    """The critical cases that the baseline passes and the candidate fails, in any repeat."""
    found = {
        case.path for case in comparison.cases if case.critical and case.change == "new_failure"
    }
    return tuple(sorted(found))
