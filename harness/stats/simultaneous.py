"""Bounds and p-values of many paired differences together, however they depend on each other.

A random weighting of the groups, as in `harness.stats.bootstrap`, gives a difference in every slice
at once: slices that share groups move together. So the weightings tell how often the most extreme
of several slices is as extreme as the one at hand, which Bonferroni and Holm can only bound. Every
slice has a worst group of its own, whose weight is drawn apart from the others': where few groups
have shown anything, slices count as independent, which is the cautious side.

The p-value and the bounds of one slice alone are those of `harness.stats.paired`, so what
holds for a single difference with few discordant pairs holds here.

Sources: Westfall & Young 1993, "Resampling-based multiple testing", for the step-down minimum of
p-values; Romano & Wolf 2005, Journal of the American Statistical Association 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from harness.stats.clusters import Floats, check_alpha, read_clusters, read_terms, with_missing
from harness.stats.inference import holm
from harness.stats.paired import Arms, losing_arms, lower_difference

DRAWS = 10_000
_LEAST_DRAWS = 2_000
_WEIGHTS = 2e8  # all in all: for very many groups there are fewer draws
_AT_ONCE = 4_000_000
_COLUMNS = 4  # of each slice: two terms of two arms
_SEED = 20261130


@dataclass(frozen=True, slots=True)
class Slice:
    """The terms of two arms on some cases, of which more is better, as in `paired`.

    `groups` are labels that mean the same in every slice, `missing` those of cases without a value.
    `limit` is the least difference that is no loss, at most 0 in a test of non-inferiority.
    """

    c_num: Floats
    c_den: Floats
    b_num: Floats
    b_den: Floats
    groups: npt.NDArray[np.str_]
    missing: npt.NDArray[np.str_]
    limit: float

    @property
    def estimate(self) -> float:
        """The first arm's ratio minus the second's."""
        ours, theirs = self.c_num.sum() / self.c_den.sum(), self.b_num.sum() / self.b_den.sum()
        return float(ours - theirs)


@dataclass(frozen=True, slots=True)
class Joint:
    """What holds of a slice together with all others.

    All lower bounds hold at once with a chance of 1 - alpha, and so do all upper ones. `p_value`
    is for the slice being below its limit, adjusted step by step: calling those below it whose
    value is at most alpha makes even one false call with a chance of at most alpha.
    """

    low: float
    high: float
    p_value: float


def joint_bounds(
    slices: Sequence[Slice], *, alpha: float = 0.05, draws: int = DRAWS
) -> tuple[Joint, ...]:
    """The simultaneous bounds and step-down p-values of the slices, in their order.

    The family-wise error is alpha over all slices, whichever of them are below their limits and
    however they depend: exactly as far as the random weightings have the dependence of the
    slices, which `benchmarks/radar_quality.py` measures.

    Raises:
        ValueError: no slice, or as `paired_difference_of_ratios`.
    """
    check_alpha(alpha)
    sides = [_sides(one) for one in slices]
    losing, winning = [one for one, _ in sides], [one for _, one in sides]
    lost, won = _ranks(slices, losing, draws), _ranks(slices, winning, draws)
    levels = _level(lost, alpha), _level(won, alpha)
    adjusted = _step_down(_alone(slices, winning), won)
    return tuple(
        Joint(
            low=lower_difference(losing[place], one.estimate, levels[0]),
            high=-lower_difference(winning[place], -one.estimate, levels[1]),
            p_value=float(adjusted[place]),
        )
        for place, one in enumerate(slices)
    )


def lost_p_values(slices: Sequence[Slice], *, draws: int = DRAWS) -> tuple[Floats, Floats]:
    """The p-value of each slice for being below its limit: alone, and adjusted step by step.

    Raises:
        ValueError: as `joint_bounds`.
    """
    winning = [_sides(one)[1] for one in slices]
    alone = _alone(slices, winning)
    return alone, _step_down(alone, _ranks(slices, winning, draws))


def _alone(slices: Sequence[Slice], winning: Sequence[Arms]) -> Floats:
    pairs = zip(slices, winning, strict=True)
    return np.array([float(arms.chance(-one.limit)) for one, arms in pairs])


def _sides(one: Slice) -> tuple[Arms, Arms]:
    """The groups with what is not known lost by the candidate, and lost by the baseline."""
    ours = read_terms(one.c_num, one.c_den, "c_num", "c_den")
    theirs = read_terms(one.b_num, one.b_den, "b_num", "b_den")
    labels = with_missing(one.groups, one.missing)
    clusters = read_clusters(labels, labels.size)
    return losing_arms(ours, theirs, clusters), losing_arms(theirs, ours, clusters)


def _places(slices: Sequence[Slice]) -> list[npt.NDArray[np.intp]]:
    """Of each slice, the places of its groups among all groups; `Clusters` sorts them too."""
    labels = [with_missing(one.groups, one.missing) for one in slices]
    everything = np.unique(np.concatenate(labels))
    return [np.searchsorted(everything, np.unique(each)) for each in labels]


def _ranks(slices: Sequence[Slice], arms: Sequence[Arms], draws: int) -> Floats:
    """How low each difference is among its own over the weightings, (draws, slices), in (0, 1).

    Raises:
        ValueError: there is no slice.
    """
    if not slices:
        raise ValueError("there is no slice to say anything about")
    places = _places(slices)
    count = 1 + max(int(each.max()) for each in places)
    draws = int(min(draws, max(_LEAST_DRAWS, _WEIGHTS / count)))
    columns = [column for one in arms for column in one.columns]
    owners = [own for own in places for _ in range(_COLUMNS)]
    seen = scipy.sparse.csr_array(
        (
            np.concatenate([column[:-1] for column in columns]),
            (np.repeat(range(len(columns)), [own.size for own in owners]), np.concatenate(owners)),
        ),
        shape=(len(columns), count),
    )
    worst = np.array([column[-1] for column in columns])
    found = np.empty((draws, len(places)))
    rng = np.random.default_rng(_SEED)
    step = max(1, _AT_ONCE // count)
    for start in range(0, draws, step):
        size = min(step, draws - start)
        unseen = rng.standard_exponential((len(places), size))
        sums = seen @ rng.standard_exponential((count, size))
        sums += worst[:, None] * np.repeat(unseen, _COLUMNS, axis=0)
        c_num, c_den, b_num, b_den = np.moveaxis(sums.reshape(-1, _COLUMNS, size), 1, 0)
        found[start : start + size] = (c_num / c_den - b_num / b_den).T
    return np.asarray(scipy.stats.rankdata(found, axis=0) / (draws + 1))


def _level(ranks: Floats, alpha: float) -> float:
    """The level of each single bound at which all of them hold at once."""
    least = np.sort(ranks.min(axis=1))
    found = float(least[max(0, int(alpha * (least.size + 1)) - 1)])
    return float(min(max(found, alpha / ranks.shape[1]), alpha))


def _step_down(p_values: Floats, ranks: Floats) -> Floats:
    """The p-values, each against the least of those that are left once smaller ones are called."""
    order = np.argsort(p_values, kind="stable")
    least = np.minimum.accumulate(ranks[:, order[::-1]], axis=1)[:, ::-1]
    chance = ((least <= p_values[order]).sum(axis=0) + 1) / (len(ranks) + 1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.maximum.accumulate(np.maximum(chance, p_values[order]))
    # Never more than Holm's, which needs no draws.
    return np.minimum(adjusted, holm(p_values))
