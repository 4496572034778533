"""A rule on the cases that are marked critical, of which a single one decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from harness.records.comparison import Change, ComparisonRecord, PairedCase
from harness.records.rule import Planned, Rule
from harness.records.verdict import Outcome, RulePower, RuleResult

_NO_DISTANCE = "a single case decides"


class CriticalRule(Rule):
    """No critical case is failed; which failures count is the kind's own."""

    critical_changes: ClassVar[tuple[Change, ...]] = ()
    # Of whose answers a score is asked, in words.
    scored: ClassVar[str] = ""

    def failures(self, comparison: ComparisonRecord) -> tuple[str, ...]:
        """The paths of the critical cases that fail the rule."""
        raise NotImplementedError

    def is_unknown(self, case: PairedCase) -> bool:
        """Whether nothing is known of a case that the rule could go by."""
        raise NotImplementedError

    def failed(self, paths: Sequence[str], among: str) -> str:
        """What failed, in words."""
        raise NotImplementedError

    def passed(self, among: str) -> str:
        """That nothing failed, in words."""
        raise NotImplementedError

    def judge(self, comparison: ComparisonRecord, alpha: float) -> RuleResult:
        """The rule's result; one case decides it, whatever alpha is."""
        critical = [case for case in comparison.cases if case.critical]
        unknown = sorted({case.path for case in critical if self.is_unknown(case)})
        n = len({case.path for case in critical})
        among = "1 critical case" if n == 1 else f"{n} critical cases"
        outcome: Outcome = "invalid"
        if paths := self.failures(comparison):
            outcome, reason = "fail", self.failed(paths, among)
        elif unknown:
            reason = f"critical cases without a score {self.scored}: {unknown[0]}"
        elif not critical:
            reason = "the suites mark no case as critical"
        else:
            outcome, reason = "pass", self.passed(among)
        return RuleResult(require=self.require, outcome=outcome, n=n, reason=reason)

    def power(self, comparison: ComparisonRecord, alpha: float) -> RulePower:
        """No power: there is no distance to detect."""
        return self.no_power(_NO_DISTANCE)

    def planned_power(self, planned: Planned | None, alpha: float) -> RulePower:
        """No power: there is no distance to detect."""
        return self.no_power(_NO_DISTANCE)
