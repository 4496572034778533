"""`no_critical_failures`: no critical case is failed, whatever the baseline does with it."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.records.comparison import Change, ComparisonRecord
from harness.records.rule import Planned, Rule
from harness.records.verdict import Outcome, RulePower, RuleResult

NO_CRITICAL: Literal["no_critical_failures"] = "no_critical_failures"
_NO_DISTANCE = "a single case decides"


class NoCriticalFailures(Rule):
    """No critical case is failed by the candidate, be it that the baseline fails it too."""

    critical_changes: ClassVar[tuple[Change, ...]] = ("new_failure", "still_failing")

    require: Literal["no_critical_failures"]

    def judge(self, comparison: ComparisonRecord, alpha: float) -> RuleResult:
        """The rule's result; one case decides it, whatever alpha is."""
        critical = [case for case in comparison.cases if case.critical]
        unknown = sorted(
            {case.path for case in critical if case.candidate_score.status != "scored"}
        )
        failures = critical_failures(comparison)
        n = len({case.path for case in critical})
        outcome: Outcome = "invalid"
        if failures:
            outcome = "fail"
            reason = f"{len(failures)} of {n} critical cases failed: {failures[0]}"
        elif unknown:
            reason = f"critical cases without a score of the candidate's answer: {unknown[0]}"
        elif not critical:
            reason = "the suites mark no case as critical"
        else:
            outcome, reason = "pass", f"all {n} critical cases pass"
        return RuleResult(require=self.require, outcome=outcome, n=n, reason=reason)

    def power(self, comparison: ComparisonRecord, alpha: float) -> RulePower:
        """No power: there is no distance to detect."""
        return self.no_power(_NO_DISTANCE)

    def planned_power(self, planned: Planned | None, alpha: float) -> RulePower:
        """No power: there is no distance to detect."""
        return self.no_power(_NO_DISTANCE)

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
