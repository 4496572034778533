"""The base class of rules on candidate minus baseline."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal

from harness import stats
from harness.gate.audit import AuditedMetric
from harness.gate.differences import BoundedMetric, Floats
from harness.gate.rules.auditable_rule import AuditableRule
from harness.records.comparison import PairedMetric
from harness.records.metric import Metric
from harness.records.rule import Misfit, Scale
from harness.records.verdict import RulePower
from harness.stats import Spread


class DifferenceRule(AuditableRule):
    """A rule on candidate minus baseline: the candidate's gain is at least `least_gain`."""

    scale: ClassVar[Scale] = "difference"

    evidence: Literal["scorer", "audited"] | None = None

    @property
    @abstractmethod
    def least_gain(self) -> float:
        """By how much the candidate must be better; negative where it may be worse."""

    @abstractmethod
    def power_by(
        self, spread: Spread, sizes: Floats, span: float, alpha: float, seen: PairedMetric | None
    ) -> RulePower:
        """The power by a spread of values from 0 to 1, `span` being that of the metric's values."""

    def limit(self, metric: Metric) -> float:
        """The value that the interval is held against."""
        return -self.least_gain if metric.lower_is_better else self.least_gain

    def interval(self, terms: BoundedMetric, alpha: float) -> stats.Interval:
        """Candidate minus baseline."""
        return terms.difference(alpha)

    def audited_interval(self, people: AuditedMetric, alpha: float) -> stats.Interval:
        """Candidate minus baseline, as people would label all cases."""
        return people.difference(alpha)

    def seen_power(self, terms: BoundedMetric, sizes: Floats, alpha: float) -> RulePower:
        """The power by the spread that shows; `sizes` are the numbers of cases by group."""
        spread = Spread.of_no_change(*terms.arms, terms.metric.groups)
        return self.power_by(spread, sizes, terms.span, alpha, terms.metric)

    def expected_power(
        self, metric: Metric, sizes: Floats, discordance: float, alpha: float
    ) -> RulePower:
        """The power by the spread that is to be expected."""
        spread = Spread.planned(sizes, discordance)
        return self.power_by(spread, sizes, self.span_of(metric)[1], alpha, None)

    def _misfit(self, key: str, change: str, span: float) -> Misfit | None:
        """What is wrong where no value can change by as much as the key says."""
        if abs(self.least_gain) <= span:
            return None
        problem = f"no value of {self.metric} can be {change} by {abs(self.least_gain):g}"
        return Misfit(key, problem, f"write a number between 0 and {span:g}")
