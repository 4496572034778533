"""One arm's mean, and a ratio of sums such as F1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.stats.bootstrap import chance_at_most_zero, lower_bound, with_group
from harness.stats.clusters import (
    Floats,
    check_alpha,
    filled,
    read_clusters,
    read_shares,
    read_terms,
    same_length,
    with_missing,
)
from harness.stats.inference import Interval


def mean(
    values: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    seed: int = 0,  # noqa: ARG001 - kept for callers; nothing is drawn
) -> Interval:
    """The mean of values in [0, 1] with its bounds, cases clustered by group.

    Raises:
        ValueError: lengths differ, no value, one outside [0, 1], one group only, alpha out of
            range.
    """
    num = read_shares(values, "values")
    return ratio_of_sums(num, np.ones_like(num), groups, alpha=alpha)


def ratio_of_sums(
    num: npt.ArrayLike,
    den: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    missing: npt.ArrayLike | None = None,
) -> Interval:
    """sum(num) / sum(den) with its bounds; F1 has num 2·tp and den 2·tp + fp + fn.

    A ratio of sums is no mean of cases: both sums are weighted together. `harness.stats.bootstrap`
    says what the bounds are; the worst group there can be is as large as the largest, and all
    wrong. `missing` holds the group of each case that has no value: the lower bound takes it for
    wrong, the upper one for right, the estimate leaves it out. `p_value` is against 0.

    Raises:
        ValueError: lengths differ, no value, not 0 <= num <= den, all den 0, one group only, alpha
            out of range.
    """
    check_alpha(alpha)
    top, bottom = read_terms(num, den, "num", "den")
    same_length(num=top, den=bottom, groups=np.asarray(groups))
    labels = with_missing(groups, missing)
    clusters = read_clusters(labels, labels.size)
    estimate = float(top.sum() / bottom.sum())
    weight = heaviest(bottom)

    def bound(parts: Floats, share: float) -> float:
        """The lower bound of that share, cases without a value being none of it."""
        sums = clusters.total(filled(parts, clusters.n, 0.0))
        whole = clusters.total(filled(bottom, clusters.n, weight))
        return _lower(sums, whole, weight * clusters.largest, share, alpha)

    return Interval(
        estimate=estimate,
        low=bound(top, estimate),
        high=1.0 - bound(bottom - top, 1.0 - estimate),
        p_value=0.0 if estimate > 0.0 else 1.0,
        n=top.size,
        groups=np.unique(np.asarray(groups)).size,
    )


def _lower(num: Floats, den: Floats, lost: float, estimate: float, alpha: float) -> float:
    return lower_bound(
        lambda value: float(share_chance(num, den, lost, value)), 0.0, estimate, alpha
    )


def share_chance(num: Floats, den: Floats, lost: float, value: float) -> Floats:
    """The chance that random weights give a share of at most `value`, (…, groups) to (…).

    `num` and `den` are summed over each group; one more group, all wrong, has the den `lost`.
    """
    return chance_at_most_zero(with_group(num - value * den, -value * lost))


def heaviest(den: Floats) -> float:
    """The largest weight of a case.

    An unseen case is taken to weigh as much, right or wrong. In F1 a wrong one weighs half of a
    right one, but what wrong cases weigh may not be read off those there are: one more mistake
    could then make a bound tighter.
    """
    return float(den.max())
