"""Group-sequential levels: how much of alpha each look at growing evidence may spend.

A bound that is held against its limit at several looks errs more often than alpha, unless each look
has a level of its own. By look k the error is to be at most `alpha * t ** POWER`, where t is the
share of the groups that are in by then (Kim & DeMets 1987; Lan & DeMets 1983). The levels reckon
with looks that share their evidence: the mean of independent groups moves like a Brownian motion,
and the chance to cross a boundary at look k but at none before is found by integrating over where
it was (Armitage, McPherson & Rowe 1969).

Source: Jennison & Turnbull 2000, "Group Sequential Methods", chapters 7 and 19.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy

from harness.stats.clusters import check_alpha

POWER = 2.0
_REACH = 8.0  # standard deviations beyond which nothing is
_POINTS = 2001


def spent(share: float, alpha: float) -> float:
    """How much of alpha may be spent when that share of the groups is in."""
    return float(alpha * share**POWER)


def look_levels(shares: Sequence[float], alpha: float) -> tuple[float, ...]:
    """The level of a one-sided bound at each look; `shares` are of all groups, rising to at most 1.

    Over all looks together the bound is wrong with a chance of at most about alpha.

    Raises:
        ValueError: alpha out of range, or shares that do not rise between 0 and 1.
    """
    check_alpha(alpha)
    steps = np.diff([0.0, *shares])
    if not steps.size or (steps <= 0.0).any() or shares[-1] > 1.0 + 1e-9:
        raise ValueError(f"shares must rise between 0 and 1, got {list(shares)}")
    return _levels(tuple(map(float, shares)), alpha)


def expected_share(shares: Sequence[float], alpha: float, distance: float) -> float:
    """The share of the groups that is in, on average, when a bound passes its limit or all are in.

    `distance` is how far the truth lies beyond the limit, in standard errors of all groups.

    Raises:
        ValueError: as `look_levels`.
    """
    grid = np.linspace(-_REACH, _REACH, _POINTS)
    width = grid[1] - grid[0]
    density, before, left, expected = None, 0.0, 1.0, 0.0
    for share, level in zip(shares, look_levels(shares, alpha), strict=True):
        expected += left * (share - before)  # as many go on to this look
        step = _normal(grid, share - before)
        density = step if density is None else np.convolve(density, step, mode="same") * width
        # The motion without its drift; the boundary moves the other way.
        at = -scipy.special.ndtri(level) * np.sqrt(share) - distance * share
        density = np.where(grid < at, density, 0.0)
        before, left = share, float(density.sum() * width)
    return expected


@lru_cache(maxsize=256)
def _levels(shares: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    grid = np.linspace(-_REACH, _REACH, _POINTS)  # of the motion at time 1
    width = grid[1] - grid[0]
    density, before, found = None, 0.0, []
    for share in shares:
        step = share - before
        if density is None:
            density = _normal(grid, step)
        else:
            density = np.convolve(density, _normal(grid, step), mode="same") * width
        wanted = spent(share, alpha) - spent(before, alpha)
        # the chance to be beyond each point, from the right
        beyond = np.cumsum(density[::-1])[::-1] * width - density * width / 2.0
        at = float(np.interp(-wanted, -beyond, grid))
        found.append(float(scipy.special.ndtr(-at / np.sqrt(share))))
        density = np.where(grid < at, density, 0.0)
        before = share
    return tuple(found)


def _normal(grid: np.ndarray, variance: float) -> np.ndarray:
    return np.asarray(np.exp(-(grid**2) / (2.0 * variance)) / np.sqrt(2.0 * np.pi * variance))
