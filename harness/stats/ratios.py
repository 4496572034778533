"""The paired ratio of two arms' means, for times and other positive data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats.bounds import lower_bound, two_sided
from harness.stats.clusters import (
    Clusters,
    Floats,
    check_alpha,
    read_clusters,
    read_values,
    same_length,
)
from harness.stats.interval import Interval
from harness.stats.tilting import chance_at_most_zero

# How far out an unseen group may lie, beyond the most extreme one seen: with few groups farther.
# 30 is the least round number that held alpha on lognormal times (benchmarks/gate_quality.py).
_FARTHER = 30.0


def paired_ratio(
    candidate: npt.ArrayLike,
    baseline: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    ceiling: float | None = None,
) -> Interval:
    """mean(candidate) / mean(baseline) with its bounds, cases clustered by group.

    `harness.stats.bounds` says what the bounds are. With a `ceiling` the worst group there can be
    has it in one arm and 0 in the other. Times have none: then the worst group lies 1 + 30 / groups
    times as far out as the most extreme one that was seen, and at least where the ratio is half or
    twice that of the means. `p_value` is against 1.

    Raises:
        ValueError: lengths differ, no value, a negative one or one above the ceiling, an arm whose
            mean is 0, one group only, alpha out of range.

    Source: Kalibera & Jones 2013, "Rigorous benchmarking in reasonable time", for ratios of means.
    """
    check_alpha(alpha)
    ours, theirs = read_values(candidate, "candidate"), read_values(baseline, "baseline")
    same_length(candidate=ours, baseline=theirs, groups=np.asarray(groups))
    for name, arm in (("candidate", ours), ("baseline", theirs)):
        if arm.min() < 0.0:
            raise ValueError(f"{name} holds a negative value: a ratio needs values of at least 0")
        if ceiling is not None and arm.max() > ceiling:
            raise ValueError(f"{name} holds {arm.max():g}, above the ceiling {ceiling:g}")
        if not arm.any():
            raise ValueError(f"the {name}'s mean is 0: the ratio says nothing")
    clusters = read_clusters(groups, ours.size)
    rising = _Pair.of(ours, theirs, clusters, ceiling)
    falling = _Pair.of(theirs, ours, clusters, ceiling)
    highest = falling.lower(alpha)
    return Interval(
        estimate=rising.ratio,
        low=rising.lower(alpha),
        high=1.0 / highest if highest > 0.0 else np.inf,
        p_value=two_sided(rising.chance(1.0), falling.chance(1.0)),
        n=clusters.n,
        groups=clusters.count,
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both arms' sums over each group, and what their group means are at their worst."""

    top: Floats
    bottom: Floats
    ratio: float
    worst_top: float
    worst_bottom: float
    farther: float

    @classmethod
    def of(cls, top: Floats, bottom: Floats, clusters: Clusters, ceiling: float | None) -> _Pair:
        """The pair whose ratio is to be bounded from below."""
        worst_top, worst_bottom, farther = 0.0, (ceiling or 0.0) * clusters.size, 0.0
        if ceiling is None:
            worst_top, worst_bottom = (
                top.mean() * clusters.size / 2.0,
                bottom.mean() * clusters.size,
            )
            farther = 1.0 + _FARTHER / clusters.count
        sums = clusters.total(top), clusters.total(bottom)
        ratio = float(top.mean() / bottom.mean())
        return cls(*sums, ratio, float(worst_top), float(worst_bottom), farther)

    def lower(self, alpha: float) -> float:
        """The lower bound of top over bottom."""
        return lower_bound(self.chance, 0.0, self.ratio, alpha)

    def chance(self, ratio: float) -> float:
        """The chance that a random weighting gives at most this ratio."""
        terms = self.top - ratio * self.bottom
        unseen = self.worst_top - ratio * self.worst_bottom
        worst = min(unseen, self.farther * float(terms.min()))
        return float(chance_at_most_zero(np.append(terms, worst)))
