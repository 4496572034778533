"""How far a score may have been tuned to the cases that it is measured on."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, lgamma, log, sqrt

from harness.stats.clusters import check_alpha


def effective_groups(sizes: Sequence[int]) -> float:
    """How many groups of one size tell as much of a mean over cases as groups of these sizes."""
    squares = sum(size * size for size in sizes)
    return sum(sizes) ** 2 / squares if squares else 0.0


def adaptive_gap(told: int, bests: int, groups: float, *, alpha: float = 0.05) -> float:
    """How far the mean of values in [0, 1] over independent groups may lie above its truth.

    Holds at every look at once with a chance of 1 − alpha, if each candidate depends on the sample
    only through `told` earlier answers to "is this the best score so far?", `bests` of which were
    yes. Infinite without groups.

    Source: the candidates that could have come about are counted, as for the Ladder of Blum and
    Hardt 2015, "The Ladder: A Reliable Leaderboard for Machine Learning Competitions", ICML, and
    Hoeffding's inequality is shared out among them: the look has alpha / ((told + 1)(told + 2)),
    each possible number of `bests` an equal part of it, each order of them an equal part of that.

    Raises:
        ValueError: alpha is no probability below one half, or not 0 <= bests <= told.
    """
    check_alpha(alpha)
    if not 0 <= bests <= told:
        raise ValueError(f"{bests} of {told} answers cannot have been yes")
    if groups <= 0:
        return inf
    orders = lgamma(told + 1) - lgamma(bests + 1) - lgamma(told - bests + 1)
    shares = 2 * log(told + 1) + log(told + 2)
    return sqrt((orders + shares - log(alpha)) / (2 * groups))
