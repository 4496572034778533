"""`no_worse_than_baseline`: a test of non-inferiority."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.gate.differences import BoundedMetric, Floats
from harness.gate.rules.metric_rule import Decided, MetricRule, in_unit, signed
from harness.records.metric import Metric
from harness.records.rule import Format, Misfit, Scale
from harness.records.verdict import Outcome, RulePower, RuleResult
from harness.stats import Spread


class NoWorseThanBaseline(MetricRule):
    """Non-inferiority: the candidate is worse than the baseline by at most `margin`."""

    scale: ClassVar[Scale] = "difference"
    false_alarm: ClassVar[Outcome | None] = "fail"

    require: Literal["no_worse_than_baseline"]
    margin: float = Field(ge=0.0)

    def limit(self, metric: Metric) -> float:
        """The value that the interval is held against."""
        return self.margin if metric.lower_is_better else -self.margin

    def misfit_with(self, metric: Metric, low: float, high: float) -> Misfit | None:
        """What is wrong with the rule's numbers for values from low to high."""
        if self.margin <= high - low:
            return None
        hint = f"write a number between 0 and {high - low:g}"
        return Misfit("margin", f"no value of {self.metric} can be worse by {self.margin:g}", hint)

    def decide(self, terms: BoundedMetric, alpha: float) -> Decided:
        """What follows from the metric's terms."""
        metric = terms.metric.metric
        interval = terms.difference(alpha)
        held = interval.at_most if metric.lower_is_better else interval.at_least
        outcome = held(self.limit(metric))
        words = {
            "pass": f"is no more than {self.margin:g} worse than the baseline",
            "fail": f"is worse than the baseline by more than {self.margin:g}",
            "inconclusive": f"may or may not be worse than the baseline by {self.margin:g}",
        }
        return Decided(outcome, interval, f"{words[outcome]}: {signed(interval, metric)}")

    def seen_power(self, terms: BoundedMetric, sizes: Floats, alpha: float) -> RulePower:
        """The power by the spread that shows; `sizes` are the numbers of cases by group."""
        spread = Spread.of_no_change(*terms.arms, terms.metric.groups)
        return self._power(spread, sizes, terms.span, alpha)

    def expected_power(
        self, metric: Metric, sizes: Floats, discordance: float, alpha: float
    ) -> RulePower:
        """The power by the spread that is to be expected."""
        return self._power(
            Spread.planned(sizes, discordance), sizes, self.span_of(metric)[1], alpha
        )

    def _power(self, spread: Spread, sizes: Floats, span: float, alpha: float) -> RulePower:
        found = in_unit(self.power_of(spread, sizes, self.margin / span, alpha, None), span)
        return found.model_copy(update={"room": self.margin})

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        if result.limit is None:
            return "no worse than the baseline"
        return (
            f"at most {amount} worse than the baseline"
            if result.limit
            else ("at least as good as the baseline")
        )

    @classmethod
    def shortfall(cls, result: RuleResult, form: Format) -> str:
        """One sentence where the margin is finer than the groups can tell; else nothing."""
        if result.detectable is None or abs(result.limit or 0.0) >= result.detectable:
            return ""
        detectable, margin = (
            form(abs(one)).lstrip("+") for one in (result.detectable, result.limit or 0)
        )
        groups = result.groups
        more = "no number of groups would be enough"
        if result.groups_needed is not None:
            more = f"about {result.groups_needed - (groups or 0):,} more are needed"
        counted = "–" if groups is None else f"{groups:,}"
        change = "rise" if cls.definition(result).lower_is_better else "drop"
        return (
            f"{counted} groups can tell a {change} of {detectable}, the margin is {margin}; {more}"
        )
