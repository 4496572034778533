"""Requests gathered into the rounds they were made in, and the rounds drawn anew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from harness.stats.clusters import Floats

DRAWS = 2000

Counts = npt.NDArray[np.int32]
Bounds = tuple[float, float]

_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Rounds:
    """All values in rising order, and of each round how many are among the first ones.

    `below` (n + 1, rounds) holds in row i how many of the i smallest values each round has.
    """

    values: Floats
    below: Counts

    @classmethod
    def read(cls, values: Sequence[npt.ArrayLike], name: str) -> Rounds:
        """The values of at least two rounds, none below 0; infinity is one of them.

        Raises:
            ValueError: fewer rounds, a round without a value or of another shape, NaN, or a
                negative value.
        """
        arrays = [np.asarray(each, dtype=np.float64) for each in values]
        if len(arrays) < 2:
            raise ValueError(f"{name} has {len(arrays)} rounds: nothing to tell their spread from")
        for number, array in enumerate(arrays):
            if array.ndim != 1 or not array.size:
                raise ValueError(f"{name}, round {number}: one or more values in a row belong here")
            if not (array >= 0.0).all():
                raise ValueError(f"{name}, round {number}: holds NaN or a negative value")
        pooled = np.concatenate(arrays)
        order = np.argsort(pooled, kind="stable")
        owner = np.repeat(np.arange(len(arrays)), [array.size for array in arrays])[order]
        below = np.zeros((pooled.size + 1, len(arrays)), dtype=np.int32)
        below[np.arange(pooled.size) + 1, owner] = 1
        return cls(pooled[order], np.cumsum(below, axis=0, dtype=np.int32))

    @property
    def n(self) -> int:
        """The number of values."""
        return int(self.values.size)

    @property
    def count(self) -> int:
        """The number of rounds."""
        return int(self.below.shape[1])

    @property
    def sizes(self) -> Counts:
        """The number of values in each round."""
        return np.asarray(self.below[-1])

    def percentile(self, share: float) -> float:
        """The smallest value that at least `share` of all values do not exceed."""
        return float(self.values[rank(share, self.n) - 1])

    def percentiles(self, share: float, weights: Counts) -> Floats:
        """`percentile` where round k counts `weights[…, k]` times, (draws, rounds) to (draws,).

        No number is computed from two values, so that infinity stays what it is.
        """
        ranks = np.ceil(share * (weights @ self.sizes) - _ROUNDING)
        low, high = np.ones(len(weights), np.intp), np.full(len(weights), self.n, np.intp)
        while (low < high).any():
            middle = (low + high) // 2
            enough = np.einsum("bk,bk->b", weights, self.below[middle]) >= ranks
            low, high = np.where(enough, low, middle + 1), np.where(enough, middle, high)
        return self.values[low - 1]


def rank(share: float, n: int) -> int:
    """The place, from 1 on, of a percentile among `n` values in rising order."""
    return min(max(math.ceil(share * n - _ROUNDING), 1), n)


def resampled(rounds: int, seed: int) -> Counts:
    """How often each round is drawn, in each of 2,000 draws of as many rounds as there are."""
    random = np.random.default_rng(seed)
    chances = np.full(rounds, 1.0 / rounds)
    return random.multinomial(rounds, chances, size=DRAWS).astype(np.int32)


def expanded(alpha: float, rounds: int) -> float:
    """The share of draws to leave out at an end, so that a bound is at level alpha.

    Draws from few rounds vary too little and have too short tails, as a normal interval with the
    spread of the sample for that of the population has.

    Source: Hesterberg 2015, The American Statistician 69.
    """
    widening = math.sqrt(rounds / (rounds - 1))
    return float(scipy.special.ndtr(widening * scipy.special.stdtrit(rounds - 1, alpha)))


def contracted(share: float, rounds: int) -> float:
    """The level alpha of which `expanded` is that share."""
    widening = math.sqrt(rounds / (rounds - 1))
    return float(scipy.special.stdtr(rounds - 1, scipy.special.ndtri(share) / widening))


def ends(low: Floats, high: Floats, alpha: float, rounds: int) -> Bounds:
    """The bounds that the draws give; `low` holds what each is at least, `high` what at most.

    With too few draws beyond a bound it is 0 or infinity.
    """
    left_out = math.ceil(expanded(alpha, rounds) * (low.size + 1)) - 1
    if left_out < 1:
        return 0.0, math.inf
    return (
        float(np.partition(low, left_out - 1)[left_out - 1]),
        float(np.partition(high, high.size - left_out)[high.size - left_out]),
    )


# How much more alike the requests of a round may be than they look, beyond the median: with few
# rounds more. Of 0, 5, 10, 20 and 40 the least that held alpha up to p95 where no block stalls.
_ALIKE = 40.0


def share_bounds(share: float, spread: float, n: int, rounds: int, alpha: float) -> Bounds:
    """The bounds of a share by Clopper & Pearson, n being as many requests as count.

    `spread` is the variance of the share as the rounds show it. Requests of a round are alike, so
    that fewer than n count; far from one half few rounds carry what there is to see, and the
    likeness is taken for larger than it looks.

    Source: Korn & Graubard 1998, Survey Methodology 24.
    """
    single = share * (1.0 - share) / n
    alike = max(spread / single - 1.0, 0.0) if single > 0.0 else 0.0
    alike *= 1.0 + _ALIKE * abs(2.0 * share - 1.0) / rounds
    freedom = scipy.special.stdtrit(n - 1, alpha) / scipy.special.stdtrit(rounds - 1, alpha)
    counting = n * float(freedom) ** 2 / (1.0 + alike)
    hits = share * counting
    low = scipy.special.betaincinv(hits, counting - hits + 1.0, alpha) if hits > 0.0 else 0.0
    missed = counting - hits
    high = scipy.special.betaincinv(hits + 1.0, missed, 1.0 - alpha) if missed > 0.0 else 1.0
    return float(low), float(high)
