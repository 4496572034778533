"""`ratio_at_most`: a limit on candidate over baseline."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from harness.gate.differences import NO_MEAN, BoundedMetric, Floats
from harness.gate.rules.metric_rule import MetricRule, positive
from harness.records.metric import Metric
from harness.records.rule import Misfit, Scale
from harness.records.verdict import RulePower, RuleResult
from harness.stats import Interval, Spread


class RatioAtMost(MetricRule):
    """Candidate over baseline is at most `value`."""

    scale: ClassVar[Scale] = "ratio"
    good_side: ClassVar[Literal["above", "below"] | None] = "below"

    require: Literal["ratio_at_most"]
    value: float = Field(gt=0.0)
    evidence: Literal["scorer"] | None = None

    def limit(self, metric: Metric) -> float:
        """The value that the interval is held against."""
        return self.value

    def misfit_with(self, metric: Metric, low: float, high: float) -> Misfit | None:
        """What is wrong with the rule's numbers for values from low to high."""
        if low >= 0.0 and metric.lower_is_better:
            return None
        if low >= 0.0:
            problem = f"`ratio_at_most` has the wrong direction: higher is better for {self.metric}"
            return Misfit("require", problem, "write no_worse_than_baseline or at_least")
        problem = f"{self.metric} can be negative, so a ratio of it says nothing"
        return Misfit("require", problem, "write no_worse_than_baseline or at_most")

    def claims(self) -> tuple[str, str]:
        """What passing shows of the metric, and what failing shows."""
        times = f"{self.value:g} times the baseline's"
        return f"is at most {times}", f"is more than {times}"

    @property
    def title(self) -> str:
        """The rule in words for a list of rules."""
        return f"`{self.metric}` {self.require} {self.value:g}"

    def for_successor(self, result: RuleResult) -> dict[str, Any] | None:
        """At most the baseline's value, where less than that was asked."""
        if self.value >= 1.0:
            return None
        return {**self.model_dump(mode="json"), "value": 1.0}

    def interval(self, terms: BoundedMetric, alpha: float) -> Interval:
        """Candidate over baseline."""
        return terms.ratio(alpha)

    def seen_power(self, terms: BoundedMetric, sizes: Floats, alpha: float) -> RulePower:
        """The power by the spread that shows: baseline over candidate has a lower bound, inverted.

        Raises:
            ValueError: a mean is 0, or the metric is no mean.
        """
        metric = terms.metric
        if not metric.is_mean:
            raise ValueError(NO_MEAN)
        # A ratio is the same in any unit.
        arms = metric.candidate_num / terms.high, metric.baseline_num / terms.high
        spread = Spread.of_ratio(*arms, metric.groups)
        scale = self.value / spread.centre
        room = self.value - 1.0 / spread.centre
        found = self.power_of(spread, sizes, positive(room / scale), alpha, None)
        detectable = scale * (found.detectable or 0.0)
        return found.model_copy(update={"room": positive(room), "detectable": detectable})

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        return (
            f"at most {amount} the baseline" if result.limit else "a limited ratio to the baseline"
        )
