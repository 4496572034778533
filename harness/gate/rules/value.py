"""`at_least` and `at_most`: limits on the candidate's own value."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.gate.audit import AuditedMetric
from harness.gate.differences import BoundedMetric, Floats
from harness.gate.rules.auditable_rule import AuditableRule
from harness.gate.rules.metric_rule import Evidence, in_unit, positive
from harness.records.comparison import PairedMetric
from harness.records.metric import Metric
from harness.records.rule import Misfit
from harness.records.verdict import RulePower, RuleResult
from harness.stats import Interval, Spread


class _ValueRule(AuditableRule):
    """A limit on the candidate's value, compared with its bounds or its estimate alone."""

    value: float
    evidence: Evidence = "bound"

    @property
    def by_estimate(self) -> bool:
        """Whether the estimate alone decides, whatever its bounds are."""
        return self.evidence == "point"

    @property
    def title(self) -> str:
        """The rule in words for a list of rules."""
        return f"`{self.metric}` {self.require} {self.value:g} (evidence: {self.evidence})"

    def limit(self, metric: Metric) -> float:
        """The value that the interval is held against."""
        return self.value

    def misfit_with(self, metric: Metric, low: float, high: float) -> Misfit | None:
        """What is wrong with the rule's numbers for values from low to high."""
        if low <= self.value <= high:
            return self._reversed(metric)
        what = "a share" if metric.unit == "share" else f"a value ({metric.unit})"
        hint = f"write {what} between {low:g} and {high:g}"
        return Misfit("value", f"{self.value:g} is not a possible value of {self.metric}", hint)

    def _reversed(self, metric: Metric) -> Misfit | None:
        """What is wrong where the rule asks a candidate not to be too good."""
        if (self.good_side == "below") == metric.lower_is_better:
            return None
        better, other = ("lower", "at_most") if metric.lower_is_better else ("higher", "at_least")
        problem = f"`{self.require}` has the wrong direction: {better} is better for {self.metric}"
        return Misfit("require", problem, f"write {other}")

    def claims(self) -> tuple[str, str]:
        """What passing shows of the metric, and what failing shows."""
        other = "below" if self.good_side == "above" else "above"
        alone = ", by its estimate alone" if self.by_estimate else ""
        within = f"is {self.require.replace('_', ' ')} {self.value:g}{alone}"
        return within, f"is {other} {self.value:g}{alone}"

    def evidence_of(self, metric: PairedMetric) -> PairedMetric:
        """The candidate's own cases: what the baseline's answers lack says nothing about them."""
        return metric.alone or metric

    def interval(self, terms: BoundedMetric, alpha: float) -> Interval:
        """The candidate's value."""
        return terms.value(alpha)

    def audited_interval(self, people: AuditedMetric, alpha: float) -> Interval:
        """The candidate's value, as people would label all cases."""
        return people.value(alpha)

    def seen_power(self, terms: BoundedMetric, sizes: Floats, alpha: float) -> RulePower:
        """The power by the spread that shows; `sizes` are the numbers of cases by group."""
        value = terms.metric.candidate_value or 0.0
        num, den, *_ = terms.arms
        room = (value - self.value) / terms.span
        if self.good_side == "below":
            num, room = den - num, (self.value - value) / terms.span
        spread = Spread.of_value(num, den, terms.metric.groups)
        reach = self._reach(terms.low, terms.span)
        found = self.power_of(spread, sizes, positive(room), alpha, reach)
        return in_unit(found, terms.span)

    def expected_power(
        self, metric: Metric, sizes: Floats, discordance: float, alpha: float
    ) -> RulePower:
        """The power by the spread that is to be expected, the value being near the limit."""
        low, span = self.span_of(metric)
        limit = (self.value - low) / span
        spread = Spread.planned_value(sizes, limit if self.good_side == "above" else 1.0 - limit)
        return in_unit(self.power_of(spread, sizes, None, alpha, self._reach(low, span)), span)

    def _reach(self, low: float, span: float) -> float:
        """How far beyond the limit the best value there can be is, as a share of the range."""
        limit = (self.value - low) / span
        return 1.0 - limit if self.good_side == "above" else limit

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        return f"{result.require.replace('_', ' ')} {amount or 'a set value'}"


class AtLeast(_ValueRule):
    """The candidate's own value is at least `value`."""

    good_side: ClassVar[Literal["above", "below"] | None] = "above"

    require: Literal["at_least"]


class AtMost(_ValueRule):
    """The candidate's own value is at most `value`."""

    good_side: ClassVar[Literal["above", "below"] | None] = "below"

    require: Literal["at_most"]
