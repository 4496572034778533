"""The paired ratio of two arms' means, for times and other positive data."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.stats.bounds import lower_bound, two_sided, with_group
from harness.stats.clusters import (
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
    top, bottom = clusters.total(ours), clusters.total(theirs)
    most = None if ceiling is None else ceiling * clusters.size

    def rising(ratio: float) -> float:
        return float(ratio_chance(top, bottom, ratio, most))

    def falling(ratio: float) -> float:
        return float(ratio_chance(bottom, top, ratio, most))

    estimate = float(top.sum() / bottom.sum())
    inverse = lower_bound(falling, 0.0, 1.0 / estimate, alpha)
    return Interval(
        estimate=estimate,
        low=lower_bound(rising, 0.0, estimate, alpha),
        high=1.0 / inverse if inverse > 0.0 else np.inf,
        p_value=two_sided(rising(1.0), falling(1.0)),
        n=clusters.n,
        groups=clusters.count,
    )


def ratio_chance(top: Floats, bottom: Floats, ratio: float, most: float | None = None) -> Floats:
    """The chance that random weights give top over bottom at most `ratio`, (…, groups) to (…).

    One more group is the worst there can be: it has `most` below and nothing above, or, without a
    most, lies as far out as `paired_ratio` says.
    """
    terms = np.asarray(top - ratio * bottom)
    if most is not None:
        return chance_at_most_zero(with_group(terms, -ratio * most))
    halved = np.asarray(top.mean(axis=-1) / 2.0 - ratio * bottom.mean(axis=-1))
    farther = (1.0 + _FARTHER / terms.shape[-1]) * terms.min(axis=-1)
    return chance_at_most_zero(with_group(terms, np.minimum(halved, farther)))
