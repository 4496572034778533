"""Percentiles of times over rounds, and their ratio between two arms; a failure is infinite.

Requests of one round are dependent, because they share the state of the machine. So rounds are the
independent units, and the bounds come from resampling whole rounds. Ten to forty rounds are few,
and resampling alone gives intervals that are too narrow: each function says which second bound it
uses. No bound allows for events that occur in no round, such as a rare stall of a whole block.
`benchmarks/latency_intervals.py` measures how often they miss.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from harness.stats.bootstrap import two_sided
from harness.stats.clusters import Floats, check_alpha, read_shares
from harness.stats.inference import Interval
from harness.stats.rounds import (
    DRAWS,
    Rounds,
    Swaps,
    contracted,
    ends,
    rank,
    resampled,
    share_bounds,
)

_BEYOND = 50  # requests that must lie beyond a percentile


def needed(share: float) -> int:
    """How many requests an arm needs so that 50 lie beyond the percentile.

    Raises:
        ValueError: the share is not between 0 and 1.
    """
    _check_share(share)
    return round(_BEYOND / (1.0 - share))


def percentile(
    values: Sequence[npt.ArrayLike], share: float, *, alpha: float = 0.05, seed: int = 0
) -> Interval:
    """The percentile of all rounds' values together, one array a round, with its bounds.

    It is the smallest value that at least `share` of all do not exceed. Its bounds are the farther
    of two: of 2,000 draws of rounds, and the values at the bounds of the share of requests below
    it (Woodruff 1952). A bound is 0 or infinity where even the least or greatest of as many
    independent values would not hold it.

    Raises:
        ValueError: fewer than two rounds, an empty one, NaN or a negative value, share or alpha
            out of range.
    """
    check_alpha(alpha)
    _check_share(share)
    rounds = Rounds.read(values, "values")
    estimate = rounds.percentile(share)
    draws = rounds.percentiles(share, resampled(rounds.count, seed))
    low, high = ends(draws, draws, alpha, rounds.count)
    until = int(np.searchsorted(rounds.values, estimate, side="right"))
    spread = _spread(rounds.below[until].astype(np.float64), rounds.sizes)
    first, last = share_bounds(share, spread, rounds.n, rounds.count, alpha)
    low = min(low, estimate, float(rounds.values[rank(first, rounds.n) - 1]))
    high = max(high, estimate, float(rounds.values[rank(last, rounds.n) - 1]))
    low = 0.0 if (1.0 - share) ** rounds.n >= alpha else low
    high = math.inf if share**rounds.n >= alpha else high
    return _against_zero(estimate, low, high, rounds.n, rounds.count)


def percentile_ratio(
    candidate: Sequence[npt.ArrayLike],
    baseline: Sequence[npt.ArrayLike],
    share: float,
    *,
    alpha: float = 0.05,
    seed: int = 0,
) -> Interval:
    """The candidate's percentile over the baseline's; round k of both were made side by side.

    Its bounds are the farther of two: of 2,000 draws of rounds, both arms together, and of the test
    of `harness.stats.rounds`. With fewer than five rounds they are 0 and infinity. `p_value` is
    against 1, `n` the requests of the arm that has fewer.

    A candidate's percentile that is infinite makes the ratio infinite. A baseline's that is
    infinite, or both being 0, leaves it unknown: the estimate is infinite, the bounds are 0 and
    infinity, and no limit is kept or broken. A draw where that happens counts as 0 for the lower
    bound and as infinity for the upper one, so a baseline that fails never makes a candidate fast.

    Raises:
        ValueError: as `percentile`, or the arms have not as many rounds.
    """
    check_alpha(alpha)
    _check_share(share)
    ours, theirs = Rounds.read(candidate, "candidate"), Rounds.read(baseline, "baseline")
    if ours.count != theirs.count:
        raise ValueError(f"candidate has {ours.count} rounds, baseline {theirs.count}")
    n, rounds = min(ours.n, theirs.n), ours.count
    least, most = _ratios(np.array([ours.percentile(share)]), np.array([theirs.percentile(share)]))
    if least[0] < most[0]:
        return Interval(math.inf, 0.0, math.inf, 1.0, n, rounds)
    estimate = float(most[0])
    weights = resampled(rounds, seed)
    least, most = _ratios(ours.percentiles(share, weights), theirs.percentiles(share, weights))
    low, high = ends(least, most, alpha, rounds)
    swaps = Swaps.read(_arrays(candidate), _arrays(baseline), share, seed)
    low = min(estimate, swaps.low(low, alpha))
    high = max(estimate, swaps.high(high, alpha))
    slower, faster = swaps.chances(1.0)
    above = max(slower, contracted(_share_of(least <= 1.0), rounds))
    below = max(faster, contracted(_share_of(most >= 1.0), rounds))
    p_value = two_sided(below, above)
    if low <= 1.0 <= high:
        p_value = max(p_value, 2.0 * alpha)
    return Interval(estimate, low, high, p_value, n, rounds)


def pooled_mean(values: Sequence[npt.ArrayLike], *, alpha: float = 0.05, seed: int = 0) -> Interval:
    """The mean of all rounds' values, each in [0, 1], such as errors or requests within an SLO.

    Its bounds are the farther of two: of 2,000 draws of rounds, and those of Clopper & Pearson for
    as many requests as count, which leave room where all values agree. `harness.stats.mean` with
    the rounds as groups also reckons with a round that is unlike all others, and is far wider.

    Raises:
        ValueError: as `percentile`, or a value above 1.
    """
    check_alpha(alpha)
    read = Rounds.read(values, "values")
    sums = np.array([read_shares(each, "values").sum() for each in values])
    estimate = float(sums.sum() / read.n)
    weights = resampled(read.count, seed)
    draws = (weights @ sums) / (weights @ read.sizes)
    low, high = ends(draws, draws, alpha, read.count)
    first, last = share_bounds(estimate, _spread(sums, read.sizes), read.n, read.count, alpha)
    low, high = min(low, first, estimate), min(max(high, last, estimate), 1.0)
    return _against_zero(estimate, low, high, read.n, read.count)


def _ratios(candidate: Floats, baseline: Floats) -> tuple[Floats, Floats]:
    """What each ratio is at least and at most: 0 and infinity where it is unknown."""
    unknown = np.isinf(baseline) | ((candidate == 0.0) & (baseline == 0.0))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratios = candidate / baseline
    return np.where(unknown, 0.0, ratios), np.where(unknown, np.inf, ratios)


def _spread(sums: Floats, sizes: npt.NDArray[np.int32]) -> float:
    """The variance of the mean of all, as the rounds' sums show it."""
    rounds, n = sums.size, float(sizes.sum())
    off = sums - sizes * (sums.sum() / n)
    return float(np.square(off).sum() * rounds / (rounds - 1)) / n**2


def _share_of(draws: npt.NDArray[np.bool_]) -> float:
    return float(draws.sum() + 1) / (DRAWS + 1)


def _arrays(values: Sequence[npt.ArrayLike]) -> list[Floats]:
    return [np.asarray(each, dtype=np.float64) for each in values]


def _against_zero(estimate: float, low: float, high: float, n: int, rounds: int) -> Interval:
    return Interval(estimate, low, high, 0.0 if low > 0.0 else 1.0, n, rounds)


def _check_share(share: float) -> None:
    if not 0.0 < share < 1.0:
        raise ValueError(f"share must lie between 0 and 1, got {share}")
