"""The paired ratio of two arms' means, for times and other positive data."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from harness.stats.clusters import (
    Floats,
    check_alpha,
    read_clusters,
    read_values,
    same_length,
    variance_known_by,
)
from harness.stats.exact import t_quantile, unseen
from harness.stats.interval import Interval
from harness.stats.inversion import invert
from harness.stats.resample import bootstrap

_ROUNDING = 1e-12
_LOG_OF_LARGEST = 700.0


def paired_ratio(
    candidate: npt.ArrayLike,
    baseline: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    seed: int = 0,
) -> Interval:
    """mean(candidate) / mean(baseline) with its bounds, cases clustered by group.

    Each bound is the wider of Student's t on the log ratio's cluster-robust variance and the
    expanded percentile of a bootstrap over groups. Without any spread, each bound is as if the
    share of groups that may have gone unseen, 1 - alpha**(1/groups), had a ratio twice or half as
    large. `p_value` is against 1.

    Raises:
        ValueError: lengths differ, no value, NaN or infinity, a negative value, an arm whose mean
            is 0, one group only, alpha out of range.

    Source: Kalibera & Jones 2013, "Rigorous benchmarking in reasonable time", for ratios of means;
    Cameron & Miller 2015 for the variance and few groups.
    """
    check_alpha(alpha)
    ours, theirs = read_values(candidate, "candidate"), read_values(baseline, "baseline")
    same_length(candidate=ours, baseline=theirs, groups=np.asarray(groups))
    for name, arm in (("candidate", ours), ("baseline", theirs)):
        if arm.min() < 0.0:
            raise ValueError(f"{name} holds a negative value: a ratio needs values of at least 0")
        if not arm.any():
            raise ValueError(f"the {name}'s mean is 0: the ratio says nothing")
    clusters = read_clusters(groups, ours.size)
    log_ratio = math.log(ours.mean() / theirs.mean())
    influence = clusters.total(ours / ours.sum() - theirs / theirs.sum())
    deviation = math.sqrt(clusters.count / (clusters.count - 1.0) * np.square(influence).sum())

    # A few slow groups make most of the spread of times: it is known as well as they tell it.
    freedom = min(clusters.count - 1.0, variance_known_by(influence))

    def statistic(sums: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(sums[:, 0]) - np.log(sums[:, 1]))

    sums = np.column_stack(
        [clusters.total(ours) / ours.mean(), clusters.total(theirs) / theirs.mean()]
    )
    draws = bootstrap(sums, statistic, seed)

    def bounds(level: float) -> tuple[float, float]:
        spread = t_quantile(level, freedom) * deviation
        if deviation < _ROUNDING:
            spread = math.log1p(unseen(level, clusters.count))
        low = min(log_ratio - spread, log_ratio + draws.lower(level))
        high = max(log_ratio + spread, log_ratio + draws.upper(level))
        return math.exp(low), math.exp(high) if high < _LOG_OF_LARGEST else math.inf

    return invert(math.exp(log_ratio), bounds, 1.0, clusters, alpha)
