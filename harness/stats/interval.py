"""An estimate and what is known about its precision."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate between two one-sided bounds, each at level alpha.

    `low` and `high` together are a two-sided interval at 1 - 2·alpha. `p_value` is two-sided and
    agrees with the bounds: it is below 2·alpha exactly when they exclude no difference (0; for a
    ratio of two arms 1). `n` counts cases and `groups` their clusters.
    """

    estimate: float
    low: float
    high: float
    p_value: float
    n: int
    groups: int
