"""Results of statistics: estimates with confidence bounds, and p-values corrected together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

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


def holm(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The p-values, Holm-adjusted, in the order given; of none, none.

    Calling significant what is at most alpha after the adjustment makes even one false call with
    a chance of at most alpha, whichever of the hypotheses are true and however the tests depend
    on each other.

    Raises:
        ValueError: not one-dimensional, or a value that is no probability.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian
    Journal of Statistics 6.
    """
    given = np.asarray(p_values, dtype=np.float64)
    if given.ndim != 1:
        raise ValueError(f"p-values must be one-dimensional, got {given.ndim} dimensions")
    strange = given[~((given >= 0.0) & (given <= 1.0))]
    if strange.size:
        raise ValueError(f"p-values hold {strange[0]:g}: a probability lies between 0 and 1")
    order = np.argsort(given, kind="stable")
    # The smallest is held against alpha / k, the next against alpha / (k - 1), and so on; none is
    # called significant that comes after one which is not.
    raised = given[order] * np.arange(given.size, 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return adjusted
