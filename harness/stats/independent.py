"""The difference of two estimates from samples that have nothing in common."""

from __future__ import annotations

from math import hypot

import scipy.special

from harness.stats.clusters import check_alpha
from harness.stats.inference import Interval


def independent_difference(one: Interval, other: Interval, *, alpha: float = 0.05) -> Interval:
    """One estimate minus the other, with bounds at alpha, which is the level of the two.

    Source: the method of variance estimates recovery; Newcombe 1998, "Interval estimation for the
    difference between independent proportions", Statistics in Medicine 17, method 10.
    """
    check_alpha(alpha)
    estimate = one.estimate - other.estimate
    below = hypot(one.estimate - one.low, other.high - other.estimate)
    above = hypot(one.high - one.estimate, other.estimate - other.low)
    towards = below if estimate > 0 else above  # the bound on the side of no difference
    deviate = 0.0 if estimate == 0 else abs(estimate) / towards * -scipy.special.ndtri(alpha)
    return Interval(
        estimate=estimate,
        low=estimate - below,
        high=estimate + above,
        p_value=float(2.0 * scipy.special.ndtr(-deviate)),
        n=one.n + other.n,
        groups=one.groups + other.groups,
    )
