"""`better_than_baseline`: a test of superiority."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from harness.gate.differences import Floats
from harness.gate.rules.difference_rule import DifferenceRule
from harness.gate.rules.metric_rule import in_unit, positive, rounded_up
from harness.records.comparison import PairedMetric
from harness.records.metric import Metric
from harness.records.rule import Misfit
from harness.records.verdict import Outcome, RulePower, RuleResult
from harness.stats import Spread


class BetterThanBaseline(DifferenceRule):
    """Superiority: the candidate is better than the baseline by at least `by`."""

    false_alarm: ClassVar[Outcome | None] = "pass"

    require: Literal["better_than_baseline"]
    by: float = Field(default=0.0, ge=0.0)

    @property
    def least_gain(self) -> float:
        """By how much the candidate must be better."""
        return self.by

    def claims(self) -> tuple[str, str]:
        """What passing shows of the metric, and what failing shows."""
        if not self.by:
            return "is better than the baseline", "is worse than the baseline"
        better = f"is better than the baseline by at least {self.by:g}"
        return better, f"gains less than {self.by:g} over the baseline"

    def misfit_with(self, metric: Metric, low: float, high: float) -> Misfit | None:
        """What is wrong with the rule's numbers for values from low to high."""
        return self._misfit("by", "better", high - low)

    def power_by(
        self, spread: Spread, sizes: Floats, span: float, alpha: float, seen: PairedMetric | None
    ) -> RulePower:
        """The power by a spread of values from 0 to 1, `span` being that of the metric's values."""
        room = None
        if seen is not None:
            gain = (seen.candidate_value or 0.0) - (seen.baseline_value or 0.0)
            gain = -gain if seen.metric.lower_is_better else gain
            room = positive((gain - self.by) / span)
        return in_unit(self.power_of(spread, sizes, room, alpha, 1.0 - self.by / span), span)

    @property
    def title(self) -> str:
        """The rule in words for a list of rules."""
        return f"`{self.metric}` {self.require} by {self.by:g}"

    def for_successor(self, result: RuleResult) -> dict[str, Any] | None:
        """Non-inferiority by what these groups can tell: a candidate need not gain once more."""
        margin = result.detectable or self.by
        if margin <= 0.0:
            return None
        require = "no_worse_than_baseline"
        found = {"metric": self.metric, "require": require, "margin": rounded_up(margin)}
        more = {"cap": self.cap, "evidence": self.evidence}
        return found | {key: value for key, value in more.items() if value is not None}

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        more = f"more than {amount} " if result.limit else ""
        return f"{more}better than the baseline"
