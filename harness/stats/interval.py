"""An estimate and what is known about its precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Decision = Literal["pass", "fail", "inconclusive"]


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

    def at_least(self, limit: float) -> Decision:
        """Whether the truth is at least the limit, each definite answer at level alpha.

        At the limit itself a candidate is good enough. With minus a margin as limit this is a test
        of non-inferiority, with a gain as limit one of superiority.
        """
        if self.low >= limit:
            return "pass"
        return "fail" if self.high < limit else "inconclusive"

    def at_most(self, limit: float) -> Decision:
        """Whether the truth is at most the limit, each definite answer at level alpha."""
        if self.high <= limit:
            return "pass"
        return "fail" if self.low > limit else "inconclusive"
