"""The bootstrap over groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.stats.clusters import Floats
from harness.stats.exact import expanded_level

DRAWS = 10_000
MOST_GROUPS = 400
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Draws:
    """A statistic's sorted bootstrap values; none where there are too many groups to need them."""

    values: Floats
    groups: int

    def lower(self, alpha: float) -> float:
        """The expanded percentile lower bound; infinity, which binds nothing, without values."""
        return self._percentile(alpha, upper=False) if self.values.size else np.inf

    def upper(self, alpha: float) -> float:
        """The expanded percentile upper bound; minus infinity without values."""
        return self._percentile(alpha, upper=True) if self.values.size else -np.inf

    def _percentile(self, alpha: float, *, upper: bool) -> float:
        place = expanded_level(alpha, self.groups) * (self.values.size - 1)
        below = int(place)
        part = place - below
        if upper:
            below = self.values.size - 1 - below
            return float(self.values[below] + (self.values[below - 1] - self.values[below]) * part)
        return float(self.values[below] + (self.values[below + 1] - self.values[below]) * part)


def nothing(groups: int) -> Draws:
    """Draws that bind nothing, for where drawing is needless."""
    return Draws(np.empty(0), groups)


def bootstrap(
    sums: Floats, statistic: Callable[[Floats], Floats], seed: int, scale: float = 1.0
) -> Draws:
    """The statistic of 10,000 draws of whole groups with replacement.

    `sums` (groups, k) holds each group's totals; `statistic` maps drawn totals (draws, k) to
    (draws,); draws where it is not finite are left out. Groups are put in an order of their own
    before drawing, so that neither the order of the cases nor the names of the groups matter;
    `scale` is the size of a case's values, for what rounding may hide. Beyond 400 groups there are
    no draws: the closed-form bounds are as good there, and drawing costs time and memory.

    Source: Efron & Tibshirani 1993, chapter 8; cluster bootstrap: Cameron & Miller 2015.
    """
    groups = len(sums)
    if groups > MOST_GROUPS:
        return nothing(groups)
    ordered = sums[np.lexsort(np.round(sums / scale, 10).T)]
    values = np.concatenate(
        [statistic(_weights(groups, seed, part) @ ordered) for part in range(DRAWS // _CHUNK)]
    )
    return Draws(np.sort(values[np.isfinite(values)]), groups)


@lru_cache(maxsize=40)
def _weights(groups: int, seed: int, part: int) -> Floats:
    """How often each group is drawn, shape (1,000, groups); kept, since rules share it."""
    generator = np.random.default_rng([seed, groups, part])
    picked = generator.integers(groups, size=(_CHUNK, groups))
    cells = picked + groups * np.arange(_CHUNK)[:, None]
    counts = np.bincount(cells.ravel(), minlength=_CHUNK * groups)
    return counts.reshape(_CHUNK, groups).astype(np.float64)
