"""`better_than_baseline`: a test of superiority."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.gate.differences import BoundedMetric, Floats
from harness.gate.rules.metric_rule import Decided, MetricRule, in_unit, positive, signed
from harness.records.metric import Metric
from harness.records.rule import Misfit, Scale
from harness.records.verdict import Outcome, RulePower, RuleResult
from harness.stats import Spread


class BetterThanBaseline(MetricRule):
    """Superiority: the candidate is better than the baseline by at least `by`."""

    scale: ClassVar[Scale] = "difference"
    false_alarm: ClassVar[Outcome | None] = "pass"

    require: Literal["better_than_baseline"]
    by: float = Field(default=0.0, ge=0.0)

    def limit(self, metric: Metric) -> float:
        """The value that the interval is held against."""
        return -self.by if metric.lower_is_better else self.by

    def misfit_with(self, metric: Metric, low: float, high: float) -> Misfit | None:
        """What is wrong with the rule's numbers for values from low to high."""
        if self.by <= high - low:
            return None
        hint = f"write a number between 0 and {high - low:g}"
        return Misfit("by", f"no value of {self.metric} can be better by {self.by:g}", hint)

    def decide(self, terms: BoundedMetric, alpha: float) -> Decided:
        """What follows from the metric's terms."""
        metric = terms.metric.metric
        interval = terms.difference(alpha)
        held = interval.at_most if metric.lower_is_better else interval.at_least
        outcome = held(self.limit(metric))
        words = {
            "pass": f"is better than the baseline by more than {self.by:g}",
            "fail": f"is not better than the baseline by {self.by:g}",
            "inconclusive": f"may or may not be better than the baseline by {self.by:g}",
        }
        return Decided(outcome, interval, f"{words[outcome]}: {signed(interval, metric)}")

    def seen_power(self, terms: BoundedMetric, sizes: Floats, alpha: float) -> RulePower:
        """The power by the spread that shows; `sizes` are the numbers of cases by group."""
        metric = terms.metric
        gain = (metric.candidate_value or 0.0) - (metric.baseline_value or 0.0)
        if metric.metric.lower_is_better:
            gain = -gain
        room = positive((gain - self.by) / terms.span)
        spread = Spread.of_no_change(*terms.arms, metric.groups)
        reach = 1.0 - self.by / terms.span
        return in_unit(self.power_of(spread, sizes, room, alpha, reach), terms.span)

    def expected_power(
        self, metric: Metric, sizes: Floats, discordance: float, alpha: float
    ) -> RulePower:
        """The power by the spread that is to be expected."""
        _, span = self.span_of(metric)
        spread = Spread.planned(sizes, discordance)
        return in_unit(self.power_of(spread, sizes, None, alpha, 1.0 - self.by / span), span)

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        return (
            f"more than {amount} better than the baseline"
            if result.limit
            else ("better than the baseline")
        )
