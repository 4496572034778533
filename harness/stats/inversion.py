"""From bounds at any level to an interval with the p-value that agrees with it."""

from __future__ import annotations

import math
from collections.abc import Callable

from harness.stats.clusters import Clusters
from harness.stats.interval import Interval

# lower and upper one-sided bound at a level
Bounds = Callable[[float], tuple[float, float]]

_SMALLEST = 1e-15
_LARGEST = 0.4999
_STEPS = 40


def invert(
    estimate: float, bounds: Bounds, null: float, clusters: Clusters, alpha: float
) -> Interval:
    """The interval at alpha, its p-value the smallest two-sided level that excludes `null`.

    A p-value below 2e-15 is given as 2e-15; one that no level excludes is 1.
    """
    low, high = bounds(alpha)
    return Interval(
        estimate=estimate,
        low=low,
        high=high,
        p_value=_p_value(bounds, null),
        n=clusters.n,
        groups=clusters.count,
    )


def _p_value(bounds: Bounds, null: float) -> float:
    def excludes(level: float) -> bool:
        low, high = bounds(level)
        return low > null or high < null

    if not excludes(_LARGEST):
        return 1.0
    if excludes(_SMALLEST):
        return 2.0 * _SMALLEST
    inside, outside = math.log(_SMALLEST), math.log(_LARGEST)
    for _ in range(_STEPS):
        middle = (inside + outside) / 2.0
        if excludes(math.exp(middle)):
            outside = middle
        else:
            inside = middle
    return 2.0 * math.exp(outside)
