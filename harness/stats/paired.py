"""Statistics of a candidate and a baseline on the same cases: differences and ratios.

Both rest on the bounds of `harness.stats.bootstrap`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats.bootstrap import (
    chance_at_most_zero,
    lower_bound,
    tail,
    tilt,
    two_sided,
    with_group,
)
from harness.stats.clusters import (
    Clusters,
    Floats,
    check_alpha,
    filled,
    read_clusters,
    read_shares,
    read_terms,
    read_values,
    same_length,
    with_missing,
)
from harness.stats.inference import Interval, heaviest

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

    `harness.stats.bootstrap` says what the bounds are. The worst group there can be is as large as
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
    losing, winning = losing_arms(ours, theirs, clusters), losing_arms(theirs, ours, clusters)
    return Interval(
        estimate=estimate,
        low=lower_difference(losing, estimate, alpha),
        high=-lower_difference(winning, -estimate, alpha),
        p_value=two_sided(float(losing.chance(0.0)), float(winning.chance(0.0))),
        n=ours[0].size,
        groups=np.unique(np.asarray(groups)).size,
    )


def losing_arms(ours: Terms, theirs: Terms, clusters: Clusters) -> Arms:
    """The groups with whatever is not known lost by the first arm to the second."""
    weight = heaviest(np.concatenate([ours[1], theirs[1]]))

    def total(values: Floats, unknown: float) -> Floats:
        return clusters.total(filled(values, clusters.n, unknown))

    return Arms.with_a_lost_group(
        (total(ours[0], 0.0), total(ours[1], weight)),
        (total(theirs[0], weight), total(theirs[1], weight)),
        weight * clusters.largest,
    )


def lower_difference(arms: Arms, estimate: float, alpha: float) -> float:
    """The lower bound at that level of the difference that the arms have."""
    return lower_bound(lambda value: float(arms.chance(value)), -1.0, estimate, alpha)


@dataclass(frozen=True, slots=True)
class Arms:
    """Both arms' terms summed over each group, arrays of equal shape (…, groups)."""

    c_num: Floats
    c_den: Floats
    b_num: Floats
    b_den: Floats

    @classmethod
    def with_a_lost_group(cls, ours: Terms, theirs: Terms, weight: float | Floats) -> Arms:
        """The groups, and one more that the candidate gets all wrong and the baseline all right.

        `weight` is what that group's cases weigh together, in either arm.
        """
        return cls(
            with_group(ours[0], 0.0),
            with_group(ours[1], weight),
            with_group(theirs[0], weight),
            with_group(theirs[1], weight),
        )

    @property
    def columns(self) -> tuple[Floats, Floats, Floats, Floats]:
        """The terms, the candidate's first."""
        return self.c_num, self.c_den, self.b_num, self.b_den

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


# How far out an unseen group may lie, beyond the most extreme one seen: with few groups farther.
# 30 is the least round number that held alpha on the lognormal times of the benchmark.
_FARTHER = 30.0


def paired_ratio(
    candidate: npt.ArrayLike,
    baseline: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    ceiling: float | None = None,
    missing: npt.ArrayLike | None = None,
) -> Interval:
    """mean(candidate) / mean(baseline) with its bounds, cases clustered by group.

    `harness.stats.bootstrap` says what the bounds are. With a `ceiling` the worst group there can
    be is as large as the largest, and has the ceiling in one arm and 0 in the other; so has a case
    that is `missing` a value, given by its group. Times have no ceiling, hence no worst group, and
    no bound holds for all of them: one is put 1 + 30 / groups times as far out as the most extreme
    that was seen, and at least where the ratio is half or twice that of the means. That held alpha
    for lognormal times (`benchmarks/gate_quality.py`), and does not where a rare stall makes the
    mean. `p_value` is against 1.

    Raises:
        ValueError: lengths differ, no value, a negative one or one above the ceiling, an arm whose
            mean is 0, missing cases without a ceiling, one group only, alpha out of range.
    """
    check_alpha(alpha)
    ours, theirs = _read(candidate, "candidate", ceiling), _read(baseline, "baseline", ceiling)
    same_length(candidate=ours, baseline=theirs, groups=np.asarray(groups))
    labels = with_missing(groups, missing)
    if ceiling is None and labels.size > ours.size:
        raise ValueError("cases without a value bound no ratio that has no ceiling")
    clusters = read_clusters(labels, labels.size)
    # In units of the means, so that no size of the values is lost to rounding.
    scales = float(ours.mean()), float(theirs.mean())
    arms = ours / scales[0], theirs / scales[1]
    most = (0.0, 0.0) if ceiling is None else (ceiling / scales[0], ceiling / scales[1])

    def bound(top: int, bottom: int) -> tuple[float, float]:
        """The lower bound of an arm over the other, in units of the ratio, and the p-value at 1."""
        over = clusters.total(filled(arms[top], clusters.n, 0.0))
        under = clusters.total(filled(arms[bottom], clusters.n, most[bottom]))
        worst = None if ceiling is None else most[bottom] * clusters.largest

        def chance(ratio: float) -> float:
            return float(ratio_chance(over, under, ratio, worst))

        return lower_bound(chance, 0.0, 1.0, alpha), chance(scales[bottom] / scales[top])

    low, rising = bound(0, 1)
    inverse, falling = bound(1, 0)
    estimate = scales[0] / scales[1]
    return Interval(
        estimate=estimate,
        low=low * estimate,
        high=estimate / inverse if inverse > 0.0 else np.inf,
        p_value=two_sided(rising, falling),
        n=ours.size,
        groups=np.unique(np.asarray(groups)).size,
    )


def _read(values: npt.ArrayLike, name: str, ceiling: float | None) -> Floats:
    array = read_values(values, name)
    if array.min() < 0.0:
        raise ValueError(f"{name} holds a negative value: a ratio needs values of at least 0")
    if ceiling is not None and array.max() > ceiling:
        raise ValueError(f"{name} holds {array.max():g}, above the ceiling {ceiling:g}")
    if not array.any():
        raise ValueError(f"the {name}'s mean is 0: the ratio says nothing")
    return array


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
