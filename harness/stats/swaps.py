"""A test of two arms' percentiles that swaps the arms within rounds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats.clusters import Floats
from harness.stats.rounds import DRAWS, rank

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
