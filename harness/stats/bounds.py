"""Bounds by weighting the groups at random, and one more that is the worst there can be.

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

from collections.abc import Callable

import numpy as np
import scipy  # its parts take half a second, and come when they are first used

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
