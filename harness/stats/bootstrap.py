"""Confidence bounds by random weights of the groups, and one added worst-case group.

The groups at hand are a sample of the groups there could be. Weighting them at random, as the
Bayesian bootstrap does, gives the statistics that other samples could have shown; adding one more
group that has the worst values there can be makes up for what no group has shown yet. The lower
bound is the statistic's alpha quantile over the weightings. It assumes nothing on how values are
distributed or how alike the cases of a group are. For independent values in a range it is
conjectured to hold always; for groups of unequal size, F1 and ratios `benchmarks/gate_quality.py`
says how well it does. In its corners it is well known:

- one binary case a group, one arm: the bound of Clopper & Pearson 1934;
- one binary case a group, two arms: the p-value of the exact form of McNemar's test;
- n equal groups that all agree: 1 - alpha**(1/n), the "rule of three".

Sources: Learned-Miller & Thomas 2019, "A new confidence interval for the mean of a bounded random
variable"; Rubin 1981, Annals of Statistics 9, for the weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import scipy

from harness.stats.clusters import Floats

# the chance that a random weighting of all groups and the worst one gives at most this value
Chance = Callable[[float], float]

_FARTHEST = 38.0  # normal deviates beyond which a double holds no chance


def with_group(terms: Floats, last: float | Floats) -> Floats:
    """The terms (…, groups) with those of one more group behind them."""
    one_more = np.broadcast_to(np.asarray(last)[..., None], (*terms.shape[:-1], 1))
    return np.concatenate([terms, one_more], axis=-1)


def lower_bound(chance: Chance, worst: float, estimate: float, alpha: float) -> float:
    """The value that a random weighting stays below with chance alpha, from `worst` to `estimate`.

    `chance` must not fall; it is followed on the scale of normal deviates, where it is nearly a
    line.
    """
    goal = scipy.special.ndtri(alpha)

    def beyond(value: float) -> float:
        return float(np.clip(scipy.special.ndtri(chance(value)), -_FARTHEST, _FARTHEST) - goal)

    if estimate <= worst or beyond(worst) >= 0.0:
        return worst
    if beyond(estimate) <= 0.0:
        return estimate
    return float(scipy.optimize.brentq(beyond, worst, estimate, xtol=1e-13, rtol=1e-12))


def two_sided(below: float, above: float) -> float:
    """The p-value of both one-sided ones together."""
    return min(1.0, 2.0 * min(below, above))


_STEPS = 100
_CLOSE = 1e-9
# Below this many deviates the formula subtracts two large numbers; its limit takes over.
_NEAR_MEAN = 1e-3
_ROUNDING = 1e-13  # of the terms' range: what is closer to 0 is 0


def chance_at_most_zero(terms: Floats, counts: Floats | None = None) -> Floats:
    """P(sum of e·terms <= 0) for independent standard exponential e, shape (…, n) to (…).

    `counts` says how many groups each term stands for, in parts of groups too: then e is a gamma
    variable of that shape.

    Exact where the terms have one positive and one negative value, else the saddlepoint
    approximation: where the truth is 5 %, up to 0.6 points too high and hardly too low.

    Source: Lugannani & Rice 1980, Advances in Applied Probability 12.
    """
    weights = np.ones_like(terms) if counts is None else counts
    return tail(terms, tilt(terms, weights), weights)


def tilt(terms: Floats, counts: Floats, start: Floats | None = None) -> Floats:
    """The s at which weights 1 / (1 - s·terms) make the weighted terms sum to 0, shape (…).

    It is the saddlepoint of the sum's cumulant function, and the Lagrange multiplier of empirical
    likelihood. NaN where the terms are all on one side of 0, so that no weights do it. A `start`
    close to the result saves steps.

    Source: Owen 1988, Biometrika 75.
    """
    least, most = terms.min(axis=-1), terms.max(axis=-1)
    crossing = np.minimum(-least, most) > _ROUNDING * (most - least)
    with np.errstate(divide="ignore"):
        left = np.where(crossing, 1.0 / least, -1.0)
        right = np.where(crossing, 1.0 / most, 1.0)
    smallest = 1e-6 * np.minimum(-left, right)
    s = np.zeros(least.shape)
    if start is not None:
        s = np.where((start > left) & (start < right), start, s)
    for _ in range(_STEPS):
        tilted = terms / (1.0 - s[..., None] * terms)
        slope = (counts * tilted).sum(axis=-1)
        left, right = np.where(slope < 0.0, s, left), np.where(slope > 0.0, s, right)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = s - slope / (counts * np.square(tilted)).sum(axis=-1)
        inside = (newton > left) & (newton < right)
        stepped = np.where(slope == 0.0, s, np.where(inside, newton, (left + right) / 2.0))
        settled = np.abs(stepped - s) <= _CLOSE * (np.abs(stepped) + smallest)
        s = np.where(crossing, stepped, 0.0)
        if (settled | ~crossing).all():
            break
    return np.where(crossing, s, np.nan)


def tail(terms: Floats, s: Floats, counts: Floats) -> Floats:
    """`chance_at_most_zero` of the terms, whose tilt is known."""
    crossing = np.isfinite(s)
    s = np.where(crossing, s, 0.0)
    shrunk = s[..., None] * terms
    tilted = terms / (1.0 - shrunk)
    likelihood = 2.0 * (counts * np.log1p(-shrunk)).sum(axis=-1)
    deviates = np.sign(s) * np.sqrt(np.maximum(likelihood, 0.0))
    near = np.abs(deviates) < _NEAR_MEAN
    # Far out in a tail these overflow, where the chance is 0 or 1 all the same.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        variance = (counts * np.square(tilted)).sum(axis=-1)
        skewness = 2.0 * (counts * tilted**3).sum(axis=-1) / variance**1.5
        first = np.where(near, 1.0, deviates)
        second = np.where(near, 1.0, s * np.sqrt(variance))
        density = np.exp(-np.square(first) / 2.0) / math.sqrt(2.0 * math.pi)
        chance = np.where(
            near,
            scipy.special.ndtr(deviates) + skewness / (6.0 * math.sqrt(2.0 * math.pi)),
            scipy.special.ndtr(first) + density * (1.0 / first - 1.0 / second),
        )
    two_valued, exact = _beta(terms, counts)
    chance = np.clip(np.where(two_valued, exact, chance), 0.0, 1.0)
    mostly_up = terms.max(axis=-1) > -terms.min(axis=-1)
    return np.where(crossing, chance, np.where(mostly_up, 0.0, 1.0))


def _beta(terms: Floats, counts: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Where all positive terms are equal and all negative ones, and the exact chance there.

    The sum is then a difference of two gamma variables, and the chance that of a beta variable.
    """
    least, most = terms.min(axis=-1, keepdims=True), terms.max(axis=-1, keepdims=True)
    rounding = _ROUNDING * (most - least)
    up, down = terms > rounding, terms < -rounding
    two_valued = ~((up & (most - terms > rounding)) | (down & (terms - least > rounding)))
    shapes = (counts * up).sum(axis=-1), (counts * down).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = scipy.special.betainc(*shapes, (-least / (most - least))[..., 0])
    return two_valued.all(axis=-1), np.asarray(exact)
