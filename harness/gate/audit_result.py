"""What people's labels make of a metric, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from statistics import NormalDist

from harness.gate.audit import AuditedMetric
from harness.records.suite import counted
from harness.stats import Interval
from harness.stats.power import USUAL


@dataclass(frozen=True, slots=True)
class AuditResult:
    """A metric's interval by people's labels and by the scorer's scores alone.

    `people` is None where fewer than two groups have labels, and `needed` then says how many are.
    `left_out` counts by reason the labels that do not hold for these answers, and `ends` are the
    least and the greatest value that the estimate can have.
    """

    metric: AuditedMetric
    criterion: str
    scorer: Interval
    left_out: Mapping[str, int]
    ends: tuple[float, float]
    people: Interval | None = None
    needed: int | None = None

    @property
    def interval(self) -> Interval:
        """The interval by people's labels: anything is possible where there are too few."""
        if self.people is None:
            low, high = self.ends
            estimate, n = self.scorer.estimate, int(self.metric.drawn.sum())
            return Interval(estimate, low, high, 1.0, n, self.metric.labelled)
        n, groups = int(self.metric.drawn.sum()), self.metric.labelled
        found = self.people
        return Interval(found.estimate, found.low, found.high, found.p_value, n, groups)

    def detectable(self, alpha: float) -> float:
        """The distance that shows four times out of five with as many labels, in the unit."""
        z = NormalDist().inv_cdf
        half = (self.interval.high - self.interval.low) / 2.0
        return half * (z(1.0 - alpha) + z(USUAL)) / z(1.0 - alpha)

    def more_needed(self, distance: float, width: float) -> int | None:
        """How many more groups must be labelled for a distance that is now `width`; None if all."""
        if distance <= 0.0:
            return None
        needed = ceil(self.metric.labelled * (width / distance) ** 2)
        return max(1, needed - self.metric.labelled) if needed <= len(self.metric.sizes) else None

    def words(self, limit: float, *, certain: bool) -> str:
        """What the scorer says, what people correct, and how many labels are missing."""
        metric, parts = self.metric, []
        share = f"{metric.labelled} of {counted(len(metric.sizes), 'group')}"
        if self.people is None:
            enough = "all of them are too few" if self.needed is None else f"about {self.needed:,}"
            parts.append(
                f"audited, but people labelled {share} by `{self.criterion}`: {enough} needed"
            )
        else:
            correction = self.people.estimate - self.scorer.estimate
            labels = counted(metric.given, "label")
            parts.append(
                f"the scorer says {self.scorer.estimate:+.3f}, and people correct it by "
                f"{correction:+.3f}, having labelled {share} ({labels} by "
                f"{counted(len(metric.raters), 'rater')})"
            )
            if not certain:
                parts.append(self._missing(limit))
        unknown = int(metric.unknown.sum())
        if unknown:
            parts.append(f"{counted(unknown, 'case')} drawn without a label: counted both ways")
        if metric.missing:
            parts.append(f"{counted(metric.missing, 'case')} without an answer: counted both ways")
        if self.left_out:
            reasons = ", ".join(f"{count} {why}" for why, count in self.left_out.items())
            total = counted(sum(self.left_out.values()), "label")
            parts.append(f"{total} left out: {reasons}")
        return "".join(f"; {part}" for part in parts)

    def _missing(self, limit: float) -> str:
        found = self.interval
        above = found.estimate >= limit
        width = found.estimate - found.low if above else found.high - found.estimate
        more = self.more_needed(abs(found.estimate - limit), width)
        if more is None:
            return "labels of all groups would hardly tell: add groups"
        return f"labels of about {counted(more, 'more group')} would tell"
