"""`ratio_at_most` and `at_most` on latency: limits on a percentile of a time."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.gate.rules.metric_rule import BY_ESTIMATE, ONLY_SEEN
from harness.latency.latency_rule import LatencyRule, control_noise, number, stands
from harness.records.comparison import ComparisonRecord
from harness.records.latency import Bounded, LatencyMetric
from harness.records.rule import Planned, Scale
from harness.records.verdict import Outcome, RulePower, RuleResult


class LatencyRatioAtMost(LatencyRule):
    """A percentile of the candidate's over the baseline's is at most `value`."""

    scale: ClassVar[Scale] = "ratio"
    no_limit: ClassVar[float] = 100.0
    limit_unit: ClassVar[str] = " times the baseline's"
    unit: ClassVar[str] = ""
    infinite_where_absent: ClassVar[tuple[str, ...]] = (
        "candidate", "estimate", "ci_low", "ci_high", "baseline",
    )  # fmt: skip

    require: Literal["ratio_at_most"]
    value: float = Field(gt=0.0)

    def held(self, metric: LatencyMetric) -> Bounded:
        """The ratio."""
        return metric.ratio

    def lost_in_noise(self, metric: LatencyMetric, outcome: Outcome) -> str:
        """Why noise could have made the outcome: the control differs by more than the limit."""
        noise, margin = control_noise(metric), max(self.value, 1.0 / self.value)
        if noise <= margin or stands(metric.ratio, self.value, noise, outcome):
            return ""
        return (
            f"the baseline differs from itself by up to {number(noise)}, "
            f"more than {self.value:g} times"
        )

    def planned_power(self, planned: Planned | None, alpha: float) -> RulePower:
        """No power: the spread is only known from measured times."""
        return self.no_power(ONLY_SEEN)

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        return (
            f"at most {amount} the baseline" if result.limit else "a limited ratio to the baseline"
        )


class LatencyAtMost(LatencyRule):
    """A percentile of the candidate's is at most `value`, in seconds."""

    infinite_where_absent: ClassVar[tuple[str, ...]] = (
        "candidate", "estimate", "ci_low", "ci_high",
    )  # fmt: skip

    require: Literal["at_most"]
    evidence: Literal["bound", "point"] = "bound"

    @property
    def title(self) -> str:
        """The rule in words for a list of rules."""
        return f"`{self.metric}` {self.require} {self.value:g} (evidence: {self.evidence})"

    @property
    def by_estimate(self) -> bool:
        """Whether the estimate alone decides, whatever its bounds are."""
        return self.evidence == "point"

    def held(self, metric: LatencyMetric) -> Bounded:
        """The candidate's own time."""
        return metric.candidate

    def power(self, comparison: ComparisonRecord, alpha: float) -> RulePower:
        """No power: the answers to the suites say nothing of times."""
        return self.no_power(BY_ESTIMATE) if self.by_estimate else super().power(comparison, alpha)

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        return f"at most {amount or 'a set value'}"
