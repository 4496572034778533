"""Percentiles of values in rounds: resampling of rounds, and permutation of the arms."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
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
    effective_n = n * float(freedom) ** 2 / (1.0 + alike)
    hits = share * effective_n
    low = scipy.special.betaincinv(hits, effective_n - hits + 1.0, alpha) if hits > 0.0 else 0.0
    missed = effective_n - hits
    high = scipy.special.betaincinv(hits + 1.0, missed, 1.0 - alpha) if missed > 0.0 else 1.0
    return float(low), float(high)


_FEW = 11  # rounds that can be swapped in no more ways than are drawn otherwise
_CLOSE = 1e-4  # of the logarithm of a bound
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Swaps:
    """Both arms' values round by round, and the ways to swap the arms, (ways, rounds) of -1 and 1.

    If the candidate divided by a ratio is distributed as the baseline is, every way is as likely
    as the one at hand, whatever the rounds do and however alike a round's requests are: stalls of
    whole blocks and failures included. So the test is exact there. It counts by round how many
    more of the candidate's values than of the baseline's lie below the percentile of both together.

    Source: Mood 1950, Introduction to the Theory of Statistics, for the count; Fisher 1935, The
    Design of Experiments, for the swaps.
    """

    candidate: Floats
    baseline: Floats
    starts: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
    signs: Floats
    share: float

    @classmethod
    def read(
        cls, candidate: list[Floats], baseline: list[Floats], share: float, seed: int
    ) -> Swaps:
        """The swaps of rounds that have been read and found in order."""
        starts = [
            np.concatenate([[0], np.cumsum([each.size for each in arm])[:-1]])
            for arm in (candidate, baseline)
        ]
        signs = _signs(len(candidate), seed)
        pooled = np.concatenate(candidate), np.concatenate(baseline)
        return cls(*pooled, (starts[0], starts[1]), signs, share)

    @property
    def lowest(self) -> float:
        """A ratio below which the order of the values stays as it is."""
        (least, _), (_, most) = _range(self.candidate), _range(self.baseline)
        return least / most / 2.0

    @property
    def highest(self) -> float:
        """A ratio above which the order of the values stays as it is."""
        (_, most), (least, _) = _range(self.candidate), _range(self.baseline)
        return most / least * 2.0

    def chances(self, ratio: float) -> tuple[float, float]:
        """How likely swaps make the candidate look as slow as it does, and as fast.

        The first is the p-value of the ratio being at most `ratio`, the second of at least.
        """
        scaled = self.candidate / ratio
        both = np.concatenate([scaled, self.baseline])
        place = rank(self.share, both.size) - 1
        limit = np.partition(both, place)[place]
        terms = self._excess(scaled, 0, limit) - self._excess(self.baseline, 1, limit)
        sums = self.signs @ terms
        seen = terms.sum()
        return float((sums <= seen + _TIE).mean()), float((sums >= seen - _TIE).mean())

    def _excess(self, values: Floats, arm: int, limit: float) -> Floats:
        over = np.where(values <= limit, 1.0, 0.0) - self.share
        return np.asarray(np.add.reduceat(over, self.starts[arm]))

    def low(self, start: float, alpha: float) -> float:
        """The lower bound of the ratio: `start`, or less where the test does not exclude that."""
        if start <= 0.0:
            return 0.0
        at = min(start, self.highest)
        found = _nearest(at, self.lowest, lambda ratio: self.chances(ratio)[0] < alpha)
        return start if found == at else found or 0.0

    def high(self, start: float, alpha: float) -> float:
        """The upper bound of the ratio: `start`, or more where the test does not exclude that."""
        if math.isinf(start):
            return math.inf
        at = max(start, self.lowest)
        found = _nearest(at, self.highest, lambda ratio: self.chances(ratio)[1] < alpha)
        return found or math.inf


def _signs(rounds: int, seed: int) -> Floats:
    if rounds <= _FEW:
        return np.array(list(itertools.product((1.0, -1.0), repeat=rounds)))
    random = np.random.default_rng([seed, rounds])
    drawn = np.where(random.random((DRAWS, rounds)) < 0.5, 1.0, -1.0)
    drawn[0] = 1.0  # the one at hand is a way as well
    return drawn


def _range(values: Floats) -> tuple[float, float]:
    """The least and the greatest of the values that a ratio moves."""
    moved = values[(values > 0.0) & np.isfinite(values)]
    return (float(moved.min()), float(moved.max())) if moved.size else (1.0, 1.0)


def _nearest(at: float, end: float, excluded: Callable[[float], bool]) -> float | None:
    """The ratio nearest to `at`, on the way to `end`, that is excluded; None if there is none.

    A ratio of 1 on the way is asked for, so that the bounds and the p-value of 1 agree.
    """
    if excluded(at):
        return at
    for stop in (1.0, end):
        if not min(at, end) < stop < max(at, end) and stop != end:
            continue
        if excluded(stop):
            return _between(at, stop, excluded)
        at = stop
    return None


def _between(open_end: float, stop: float, excluded: Callable[[float], bool]) -> float:
    while abs(math.log(open_end / stop)) > _CLOSE:
        middle = math.sqrt(open_end) * math.sqrt(stop)
        if excluded(middle):
            stop = middle
        else:
            open_end = middle
    return stop
