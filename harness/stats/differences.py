"""Paired differences between two arms that answered the same cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats.bounds import lower_bound, two_sided, with_group
from harness.stats.clusters import (
    Clusters,
    Floats,
    check_alpha,
    filled,
    read_clusters,
    read_shares,
    read_terms,
    same_length,
    with_missing,
)
from harness.stats.interval import Interval
from harness.stats.means import heaviest
from harness.stats.tilting import chance_at_most_zero, tail, tilt

Terms = tuple[Floats, Floats]  # num and den

_ROUNDS = 50
_CLOSE = 1e-6  # the chance is flat in where the plane touches


def paired_difference(
    candidate: npt.ArrayLike,
    baseline: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    seed: int = 0,  # noqa: ARG001 - kept for callers; nothing is drawn
) -> Interval:
    """The mean of candidate minus baseline with its bounds, cases clustered by group.

    Where every group is one case and every score 0 or 1, `p_value` is McNemar's, exact.

    Raises:
        ValueError: lengths differ, no value, one outside [0, 1], one group only, alpha out of
            range.
    """
    ours, theirs = read_shares(candidate, "candidate"), read_shares(baseline, "baseline")
    same_length(candidate=ours, baseline=theirs, groups=np.asarray(groups))
    one = np.ones_like(ours)
    return paired_difference_of_ratios(ours, one, theirs, one, groups, alpha=alpha)


def paired_difference_of_ratios(
    c_num: npt.ArrayLike,
    c_den: npt.ArrayLike,
    b_num: npt.ArrayLike,
    b_den: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    missing: npt.ArrayLike | None = None,
) -> Interval:
    """sum(c_num) / sum(c_den) - sum(b_num) / sum(b_den) with its bounds, clustered by group.

    `harness.stats.bounds` says what the bounds are. The worst group there can be is as large as
    the largest, and the candidate gets it all wrong and the baseline all right; for the upper
    bound it is the other way round, so swapping the arms negates the result. `missing` holds the
    group of each case that has no value in one of the arms: the bounds take it for such a loss (or
    win) too, the estimate leaves it out.

    Raises:
        ValueError: lengths differ, no value, not 0 <= num <= den, all den 0 in an arm, one group
            only, alpha out of range.

    Source: Miller 2024, "Adding error bars to evals", for pairing and clustering.
    """
    check_alpha(alpha)
    ours = read_terms(c_num, c_den, "c_num", "c_den")
    theirs = read_terms(b_num, b_den, "b_num", "b_den")
    same_length(c_num=ours[0], b_num=theirs[0], groups=np.asarray(groups))
    labels = with_missing(groups, missing)
    clusters = read_clusters(labels, labels.size)
    estimate = float(ours[0].sum() / ours[1].sum() - theirs[0].sum() / theirs[1].sum())
    losing, winning = _losing(ours, theirs, clusters), _losing(theirs, ours, clusters)
    return Interval(
        estimate=estimate,
        low=_lower(losing, estimate, alpha),
        high=-_lower(winning, -estimate, alpha),
        p_value=two_sided(float(losing.chance(0.0)), float(winning.chance(0.0))),
        n=ours[0].size,
        groups=np.unique(np.asarray(groups)).size,
    )


def _losing(ours: Terms, theirs: Terms, clusters: Clusters) -> Arms:
    """The groups with whatever is not known lost by the first arm to the second."""
    weight = heaviest(np.concatenate([ours[1], theirs[1]]))

    def total(values: Floats, unknown: float) -> Floats:
        return clusters.total(filled(values, clusters.n, unknown))

    return Arms.with_a_lost_group(
        (total(ours[0], 0.0), total(ours[1], weight)),
        (total(theirs[0], weight), total(theirs[1], weight)),
        weight * clusters.largest,
    )


def _lower(arms: Arms, estimate: float, alpha: float) -> float:
    return lower_bound(lambda value: float(arms.chance(value)), -1.0, estimate, alpha)


@dataclass(frozen=True, slots=True)
class Arms:
    """Both arms' terms summed over each group, arrays of equal shape (…, groups)."""

    c_num: Floats
    c_den: Floats
    b_num: Floats
    b_den: Floats

    @classmethod
    def with_a_lost_group(cls, ours: Terms, theirs: Terms, weight: float) -> Arms:
        """The groups, and one more that the candidate gets all wrong and the baseline all right.

        `weight` is what that group's cases weigh together, in either arm.
        """
        return cls(
            with_group(ours[0], 0.0),
            with_group(ours[1], weight),
            with_group(theirs[0], weight),
            with_group(theirs[1], weight),
        )

    def chance(self, difference: float) -> Floats:
        """The chance that a random weighting of the groups gives at most this difference."""
        if self.c_den is self.b_den or np.array_equal(self.c_den, self.b_den):
            return chance_at_most_zero(self.c_num - self.b_num - difference * self.c_den)
        return self._chance_of_ratios(difference)

    def _chance_of_ratios(self, difference: float) -> Floats:
        """The same for two ratios of different sums: the chance beyond a curved boundary.

        The boundary is taken for the plane that touches it where it is most likely crossed, the
        first-order reliability method (Hasofer & Lind 1974). The point is found by turns: the
        plane at a point, and the likeliest weights on the plane; beyond a chance of 0.9 they may
        not settle, where no bound looks.
        """
        once = np.ones_like(self.c_den)
        weights, s = once, np.zeros(self.c_den.shape[:-1])
        for _ in range(_ROUNDS):
            terms = self._plane(weights, difference)
            found = tilt(terms, once, s)
            known = np.isfinite(found)
            weights = np.where(known[..., None], 1.0 / (1.0 - found[..., None] * terms), weights)
            moved = np.abs(found - s)[known]
            s = found
            if (moved <= _CLOSE * np.abs(found[known]) + 1e-300).all():
                break
        return tail(terms, s, once)

    def _plane(self, weights: Floats, difference: float) -> Floats:
        """What each group adds to the difference's excess over its limit, at these weights."""

        def weighted(column: Floats) -> Floats:
            return np.asarray((weights * column).sum(axis=-1, keepdims=True))

        ours, theirs = weighted(self.c_den), weighted(self.b_den)
        level = weighted(self.b_num) / theirs
        return np.asarray(
            (self.c_num - (level + difference) * self.c_den) / ours
            - (self.b_num - level * self.b_den) / theirs
        )
