"""Estimates with confidence bounds: one arm's mean, a ratio of sums, and p-values corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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

Decision = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate between two one-sided bounds, each at level alpha.

    `low` and `high` together are a two-sided interval at 1 - 2·alpha. `p_value` is two-sided and
    agrees with the bounds: it is below 2·alpha exactly when they exclude no difference (0; for a
    ratio of two arms 1). `n` counts cases and `groups` their clusters.
    """

    estimate: float
    low: float
    high: float
    p_value: float
    n: int
    groups: int

    def at_least(self, limit: float) -> Decision:
        """Whether the truth is at least the limit, each definite answer at level alpha.

        At the limit itself a candidate is good enough. With minus a margin as limit this is a test
        of non-inferiority, with a gain as limit one of superiority.
        """
        if self.low >= limit:
            return "pass"
        return "fail" if self.high < limit else "inconclusive"

    def at_most(self, limit: float) -> Decision:
        """Whether the truth is at most the limit, each definite answer at level alpha."""
        if self.high <= limit:
            return "pass"
        return "fail" if self.low > limit else "inconclusive"


def holm(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The p-values, Holm-adjusted, in the order given; of none, none.

    Calling significant what is at most alpha after the adjustment makes even one false call with
    a chance of at most alpha, whichever of the hypotheses are true and however the tests depend
    on each other.

    Raises:
        ValueError: not one-dimensional, or a value that is no probability.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian
    Journal of Statistics 6.
    """
    given = np.asarray(p_values, dtype=np.float64)
    if given.ndim != 1:
        raise ValueError(f"p-values must be one-dimensional, got {given.ndim} dimensions")
    strange = given[~((given >= 0.0) & (given <= 1.0))]
    if strange.size:
        raise ValueError(f"p-values hold {strange[0]:g}: a probability lies between 0 and 1")
    order = np.argsort(given, kind="stable")
    # The smallest is held against alpha / k, the next against alpha / (k - 1), and so on; none is
    # called significant that comes after one which is not.
    raised = given[order] * np.arange(given.size, 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return adjusted


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
        lost = weight * clusters.largest

        def chance(value: float) -> float:
            return float(share_chance(sums, whole, lost, value))

        return lower_bound(chance, 0.0, share, alpha)

    return Interval(
        estimate=estimate,
        low=bound(top, estimate),
        high=1.0 - bound(bottom - top, 1.0 - estimate),
        p_value=0.0 if estimate > 0.0 else 1.0,
        n=top.size,
        groups=np.unique(np.asarray(groups)).size,
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
