"""`no_new_critical_failures`: no critical case that the baseline passes is failed."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.records.comparison import Change, ComparisonRecord
from harness.records.rule import Planned, Rule
from harness.records.verdict import Outcome, RulePower, RuleResult

CRITICAL: Literal["no_new_critical_failures"] = "no_new_critical_failures"
_NO_DISTANCE = "a single case decides"


class NoNewCriticalFailures(Rule):
    """No critical case that the baseline passes is failed by the candidate."""

    false_alarm: ClassVar[Outcome | None] = "fail"
    critical_changes: ClassVar[tuple[Change, ...]] = ("new_failure",)

    require: Literal["no_new_critical_failures"]

    def judge(self, comparison: ComparisonRecord, alpha: float) -> RuleResult:
        """The rule's result; one case decides it, whatever alpha is."""
        critical = [case for case in comparison.cases if case.critical]
        unknown = sorted({case.path for case in critical if case.change == "not_comparable"})
        failures = new_critical_failures(comparison)
        n = len({case.path for case in critical})
        among = "1 critical case" if n == 1 else f"{n} critical cases"
        outcome: Outcome = "invalid"
        if len(failures) > 1:
            outcome = "fail"
            reason = f"{len(failures)} new failures in {among}, such as {failures[0]}"
        elif failures:
            outcome, reason = "fail", f"1 new failure in {among}: {failures[0]}"
        elif unknown:
            reason = f"critical cases without a score on both sides: {unknown[0]}"
        elif not critical:
            reason = "the suites mark no case as critical"
        else:
            outcome, reason = "pass", f"no new failure in {among}"
        return RuleResult(require=self.require, outcome=outcome, n=n, reason=reason)

    def why_worst_passes(self, comparison: ComparisonRecord) -> str:
        """The baseline fails every critical case, so that none can fail newly."""
        critical = {case.path for case in comparison.cases if case.critical}
        return (
            f"the baseline passes none of the {len(critical)} critical cases, so this rule passes "
            "even a candidate that fails them all: add the rule `no_critical_failures`"
        )

    def power(self, comparison: ComparisonRecord, alpha: float) -> RulePower:
        """No power: there is no distance to detect."""
        return self.no_power(_NO_DISTANCE)

    def planned_power(self, planned: Planned | None, alpha: float) -> RulePower:
        """No power: there is no distance to detect."""
        return self.no_power(_NO_DISTANCE)

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
