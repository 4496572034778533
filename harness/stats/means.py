"""One arm's mean, and a ratio of sums such as F1, with bounds that hold at the edges."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from harness.stats.clusters import (
    Clusters,
    Floats,
    check_alpha,
    participation,
    read_clusters,
    read_values,
    same_length,
    variance_known_by,
)
from harness.stats.exact import Precision, share_lower, share_upper, t_quantile, unseen
from harness.stats.interval import Interval
from harness.stats.inversion import invert
from harness.stats.resample import Draws, bootstrap, nothing


def mean(
    values: npt.ArrayLike, groups: npt.ArrayLike, *, alpha: float = 0.05, seed: int = 0
) -> Interval:
    """The mean of the cases' values with its bounds, cases clustered by group.

    The bounds are those of `ratio_of_sums` with every denominator 1.

    Raises:
        ValueError: lengths differ, no value, NaN or infinity, one group only, alpha out of range.
    """
    num = read_values(values, "values")
    return ratio_of_sums(num, np.ones_like(num), groups, alpha=alpha, seed=seed)


def ratio_of_sums(
    num: npt.ArrayLike,
    den: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    seed: int = 0,
) -> Interval:
    """sum(num) / sum(den) with its bounds; F1 has num 2·tp and den 2·tp + fp + fn.

    Each bound is the widest of three: Clopper-Pearson at the sample size that the cluster-robust
    variance is worth, Student's t on that variance, and the expanded percentile of a bootstrap
    over groups. Where 0 <= num <= den the result lies in [0, 1] and is never narrower than what
    unseen cases may still do. `p_value` is against 0.

    Raises:
        ValueError: lengths differ, no value, NaN or infinity, a negative den, num without den, all
            den 0, one group only, alpha out of range.

    Source: Clopper & Pearson 1934; Korn & Graubard 1998; Cameron & Miller 2015; Miller 2024,
    "Adding error bars to evals".
    """
    check_alpha(alpha)
    top, bottom = read_values(num, "num"), read_values(den, "den")
    same_length(num=top, den=bottom, groups=np.asarray(groups))
    check_terms(top, bottom, "den")
    clusters = read_clusters(groups, top.size)
    estimate = float(top.sum() / bottom.sum())
    used = bottom > 0
    shares = top[used] / bottom[used]
    bounded = bool(shares.min() >= 0.0 and shares.max() <= 1.0)
    least, most = (0.0, 1.0) if bounded else _room(shares)
    reach = most - least
    precision = _precision(top - least * bottom, bottom, reach, clusters)
    draws = _draws(top, bottom, clusters, seed) if precision.seen else nothing(clusters.count)
    share = min(1.0, max(0.0, (estimate - least) / reach))
    deviation = reach * math.sqrt(precision.variance)

    def bounds(level: float) -> tuple[float, float]:
        spread = t_quantile(level, clusters.count - 1) * deviation
        gap = unseen(level, precision.looks(level))
        low = min(
            least + reach * min(share_lower(share, precision, level), share * (1.0 - gap)),
            estimate - spread,
            draws.lower(level),
        )
        high = max(
            least + reach * max(share_upper(share, precision, level), share + gap * (1.0 - share)),
            estimate + spread,
            draws.upper(level),
        )
        return (max(0.0, low), min(1.0, high)) if bounded else (low, high)

    return invert(estimate, bounds, 0.0, clusters, alpha)


def _draws(top: Floats, bottom: Floats, clusters: Clusters, seed: int) -> Draws:
    def statistic(sums: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(sums[:, 0] / sums[:, 1])

    sums = np.column_stack([clusters.total(top), clusters.total(bottom)])
    return bootstrap(sums, statistic, seed, float(np.abs(top).max()) or 1.0)


def check_terms(num: Floats, den: Floats, name: str) -> None:
    """Nothing, where the terms make a ratio of sums.

    Raises:
        ValueError: a negative denominator, a numerator without one, or nothing but zeros.
    """
    if den.min() < 0.0:
        raise ValueError(f"{name} holds a negative value")
    if not den.any():
        raise ValueError(f"{name} sums to 0: no case says anything about this ratio")
    if num[den == 0.0].any():
        raise ValueError(f"a case has {name} 0 and yet a numerator")


def _room(shares: Floats) -> tuple[float, float]:
    """The range that values of no known range are taken to have: the one that was seen."""
    least, most = float(shares.min()), float(shares.max())
    if most > least:
        return least, most
    return least - abs(least), most + abs(most)


def _precision(top: Floats, bottom: Floats, reach: float, clusters: Clusters) -> Precision:
    """The precision of the share sum(top) / sum(reach · bottom)."""
    whole = reach * bottom
    share = top.sum() / whole.sum()
    missed = top - share * whole
    residuals = clusters.total(missed) / whole.sum()
    used = bottom > 0
    return Precision(
        variance=clusters.count / (clusters.count - 1.0) * float(np.square(residuals).sum()),
        spread=float(np.square(missed).sum() / np.square(whole).sum()),
        floor=participation(clusters.total(bottom)),
        cases=participation(bottom),
        events=min(
            participation(clusters.total(top)),
            participation(clusters.total(whole - top)),
            1.0 + variance_known_by(residuals),
        ),
        binary=bool(
            np.isin(top[used] / whole[used], (0.0, 1.0)).all() and np.ptp(whole[used]) == 0
        ),
    )
