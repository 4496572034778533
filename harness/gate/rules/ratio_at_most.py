"""`ratio_at_most`: a limit on candidate over baseline."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.gate.differences import BoundedMetric, Floats
from harness.gate.rules.metric_rule import Decided, MetricRule, plain, positive
from harness.records.metric import Metric
from harness.records.rule import Misfit, Scale
from harness.records.verdict import RulePower, RuleResult
from harness.stats import Spread

_ONLY_SEEN = "a ratio's spread shows only in answers: name a candidate"


class RatioAtMost(MetricRule):
    """Candidate over baseline is at most `value`."""

    scale: ClassVar[Scale] = "ratio"
    good_side: ClassVar[Literal["above", "below"] | None] = "below"

    require: Literal["ratio_at_most"]
    value: float = Field(gt=0.0)

    def limit(self, metric: Metric) -> float:
        """The value that the interval is held against."""
        return self.value

    def misfit_with(self, metric: Metric, low: float, high: float) -> Misfit | None:
        """What is wrong with the rule's numbers for values from low to high."""
        if low >= 0.0:
            return None
        problem = f"{self.metric} can be negative, so a ratio of it says nothing"
        return Misfit("require", problem, "write no_worse_than_baseline or at_most")

    def decide(self, terms: BoundedMetric, alpha: float) -> Decided:
        """What follows from the metric's terms."""
        interval = terms.ratio(alpha)
        outcome = interval.at_most(self.value)
        words = {
            "pass": f"is at most {self.value:g} times the baseline's",
            "fail": f"is more than {self.value:g} times the baseline's",
            "inconclusive": f"may or may not be {self.value:g} times the baseline's",
        }
        return Decided(outcome, interval, f"{words[outcome]}: {plain(interval)}")

    def seen_power(self, terms: BoundedMetric, sizes: Floats, alpha: float) -> RulePower:
        """The power by the spread that shows: baseline over candidate has a lower bound, inverted.

        Raises:
            ValueError: a mean is 0, or the metric is no mean.
        """
        metric = terms.metric
        if not metric.is_mean:
            raise ValueError(
                "a ratio of a metric that is not a mean over cases is not defined here"
            )
        # A ratio is the same in any unit.
        arms = metric.candidate_num / terms.high, metric.baseline_num / terms.high
        spread = Spread.of_ratio(*arms, metric.groups)
        scale = self.value / spread.centre
        room = self.value - 1.0 / spread.centre
        found = self.power_of(spread, sizes, positive(room / scale), alpha, None)
        detectable = scale * (found.detectable or 0.0)
        return found.model_copy(update={"room": positive(room), "detectable": detectable})

    def no_power_planned(self) -> str:
        """Why there is no power to tell before anything is asked."""
        return _ONLY_SEEN

    def expected_power(
        self, metric: Metric, sizes: Floats, discordance: float, alpha: float
    ) -> RulePower:
        """No power: nothing is known of the spread."""
        return self.no_power(_ONLY_SEEN)

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        return (
            f"at most {amount} the baseline"
            if result.limit
            else ("a limited ratio to the baseline")
        )
