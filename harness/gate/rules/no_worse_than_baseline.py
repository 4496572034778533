"""`no_worse_than_baseline`: a test of non-inferiority."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.gate.differences import Floats
from harness.gate.rules.difference_rule import DifferenceRule
from harness.gate.rules.metric_rule import in_unit
from harness.records.comparison import PairedMetric
from harness.records.metric import Metric
from harness.records.rule import Format, Misfit
from harness.records.suite import counted
from harness.records.verdict import Outcome, RulePower, RuleResult
from harness.stats import Spread


class NoWorseThanBaseline(DifferenceRule):
    """Non-inferiority: the candidate is worse than the baseline by at most `margin`."""

    false_alarm: ClassVar[Outcome | None] = "fail"

    require: Literal["no_worse_than_baseline"]
    margin: float = Field(ge=0.0)

    @property
    def least_gain(self) -> float:
        """Minus the margin."""
        return -self.margin

    def claims(self) -> tuple[str, str]:
        """What passing shows of the metric, and what failing shows."""
        if not self.margin:
            return "is at least as good as the baseline", "is worse than the baseline"
        at_most = f"is at most {self.margin:g} worse than the baseline"
        return at_most, f"is worse than the baseline by more than {self.margin:g}"

    def misfit_with(self, metric: Metric, low: float, high: float) -> Misfit | None:
        """What is wrong with the rule's numbers for values from low to high."""
        return self._misfit("margin", "worse", high - low)

    def power_by(
        self, spread: Spread, sizes: Floats, span: float, alpha: float, seen: PairedMetric | None
    ) -> RulePower:
        """The power by a spread of values from 0 to 1, `span` being that of the metric's values."""
        found = in_unit(self.power_of(spread, sizes, self.margin / span, alpha, None), span)
        least = span * Spread.planned(sizes, 0.0).detectable(alpha)
        reason = ""
        if self.margin < least:
            reason = (
                f"a candidate that answers as the baseline does cannot pass a margin of "
                f"{self.margin:g}: {counted(sizes.size, 'group')} show {least:.3f} at best; widen "
                "it, or add groups"
            )
        return found.model_copy(update={"room": self.margin, "reason": reason})

    def audited_room(self, distance: float) -> float | None:
        """The margin: a candidate that is as good as the baseline has to show as much."""
        return self.margin

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        if result.limit is None:
            return "no worse than the baseline"
        if result.limit == 0.0:
            return "at least as good as the baseline"
        return f"at most {amount} worse than the baseline"

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
            lacking = result.groups_needed - (groups or 0)
            more = f"about {lacking:,} more groups are needed"
            if lacking == 1:
                more = "about 1 more group is needed"
        counted = "–" if groups is None else f"{groups:,}"
        change = "rise" if cls.definition(result).lower_is_better else "drop"
        return (
            f"{counted} groups can only show a {change} of at least {detectable}, but the margin "
            f"is {margin}: {more}"
        )
