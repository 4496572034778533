"""`ratio_at_most` and `at_most` on latency: limits on a percentile of a time."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.latency.judge import LatencyRule, bounds_words, control_noise, number, stands
from harness.records.latency import Bounded, LatencyMetric
from harness.records.rule import Planned, Scale
from harness.records.verdict import Outcome, RulePower, RuleResult


class LatencyRatioAtMost(LatencyRule):
    """A percentile of the candidate's over the baseline's is at most `value`."""

    scale: ClassVar[Scale] = "ratio"
    infinite_where_absent: ClassVar[tuple[str, ...]] = (
        "candidate", "estimate", "ci_low", "ci_high", "baseline",
    )  # fmt: skip

    require: Literal["ratio_at_most"]
    value: float = Field(gt=0.0)

    def held(self, metric: LatencyMetric) -> Bounded:
        """The ratio."""
        return metric.ratio

    def limit_words(self) -> str:
        """The limit in words."""
        return f"{self.value:g} times the baseline's"

    def value_words(self, held: Bounded) -> str:
        """The ratio with its bounds."""
        return bounds_words(held)

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
        return self.no_power("a ratio's spread shows only in answers: name a candidate")

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        return (
            f"at most {amount} the baseline"
            if result.limit
            else ("a limited ratio to the baseline")
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

    def by_bounds(self) -> LatencyRule:
        """The rule as its bounds decide it."""
        return self.model_copy(update={"evidence": "bound"})

    def held(self, metric: LatencyMetric) -> Bounded:
        """The candidate's own time."""
        return metric.candidate

    def limit_words(self) -> str:
        """The limit in words."""
        return f"{self.value:g} s"

    def value_words(self, held: Bounded) -> str:
        """The time with its bounds."""
        return f"{bounds_words(held)} s"

    def power(self, comparison: object, alpha: float) -> RulePower:
        """No power: the answers to the suites say nothing of times."""
        if self.by_estimate:
            return self.no_power("judged by its estimate alone, which any number of groups gives")
        return self.no_power("no case on both sides has a value of it")

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        return f"at most {amount or 'a set value'}"
