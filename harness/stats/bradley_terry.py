"""How strong each of several competitors is, from comparisons of two with ties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats.clusters import Floats, check_alpha

_DRAWS = 1000
_STEPS = 50
_CLOSE = 1e-8
# Of a normal prior on each strength, in logits: weak, and it keeps those who never lost finite.
_PRECISION = 1.0 / 25.0


@dataclass(frozen=True, slots=True)
class Strength:
    """The share that a competitor wins against each of the others on average, a tie one half.

    `low` and `high` are one-sided bounds at alpha each.
    """

    estimate: float
    low: float
    high: float


def bradley_terry(
    wins: npt.ArrayLike, ties: npt.ArrayLike, *, alpha: float = 0.05, seed: int = 0
) -> tuple[Strength, ...]:
    """The strength of each competitor by Davidson's model, in their order.

    `wins` (groups, competitors, competitors) says how often the first beat the second in a group of
    comparisons that are not independent, `ties` how often neither did, in the upper triangle.
    Bounds are quantiles over 1,000 random weightings of the groups, for the lower one with one more
    group in which the competitor loses to all that it met, for the upper one with one in which it
    wins.

    Raises:
        ValueError: other shapes, a negative or infinite number, fewer than two competitors, some
            that no chain of comparisons links, alpha out of range.

    Sources: Bradley & Terry 1952, Biometrika 39; Davidson 1970, Journal of the American Statistical
    Association 65, for ties; Rubin 1981, Annals of Statistics 9, for the weights.
    """
    check_alpha(alpha)
    won, tied = _read(wins, ties)
    groups, count, _ = won.shape
    met = (won + won.transpose(0, 2, 1) + tied).sum(axis=0)
    _check_linked(met > 0.0)
    each = won + won.transpose(0, 2, 1) + tied
    # As many comparisons of two as the group that a comparison is in has on average.
    size = np.divide(np.square(each).sum(axis=0), met, out=np.zeros_like(met), where=met > 0.0)
    draw = np.random.default_rng(seed)
    weights = draw.standard_exponential((_DRAWS, groups + 1))
    weights *= weights.shape[1] / weights.sum(axis=1, keepdims=True)
    estimates = _shares(won.sum(axis=0)[None], tied.sum(axis=0)[None])[0]

    def bound(own: int, level: float, *, loses: bool) -> float:
        last = np.zeros((1, count, count))
        if loses:
            last[0, :, own] = size[:, own]
        else:
            last[0, own, :] = size[own, :]
        more = np.tensordot(weights, np.concatenate([won, last]), axes=1)
        even = np.tensordot(weights[:, :-1], tied, axes=1)
        shares = _shares(np.asarray(more, dtype=np.float64), np.asarray(even, dtype=np.float64))
        return float(np.quantile(shares[:, own], level))

    return tuple(
        Strength(
            float(estimate),
            min(float(estimate), bound(own, alpha, loses=True)),
            max(float(estimate), bound(own, 1.0 - alpha, loses=False)),
        )
        for own, estimate in enumerate(estimates)
    )


def _shares(wins: Floats, ties: Floats) -> Floats:
    """Each competitor's mean share against the others, (draws, k, k) to (draws, k).

    Newton's method on the logarithm of Davidson's likelihood and the prior, which is concave in the
    strengths and the logarithm of how common ties are.
    """
    draws, count, _ = wins.shape
    met = wins + wins.transpose(0, 2, 1) + ties
    points = (wins + ties / 2.0).sum(axis=2)
    all_ties = ties.sum(axis=(1, 2)) / 2.0
    at = np.zeros((draws, count + 1))
    inner = np.arange(count)
    for _ in range(_STEPS):
        won, tied = _chances(at)
        share = won + tied / 2.0
        slope = np.empty_like(at)
        slope[:, :count] = points - (met * share).sum(axis=2) - _PRECISION * at[:, :count]
        slope[:, count] = all_ties - (met * tied).sum(axis=(1, 2)) / 2.0 - _PRECISION * at[:, count]
        spread = met * (won + tied / 4.0 - np.square(share))
        curve = np.zeros((draws, count + 1, count + 1))
        curve[:, :count, :count] = -spread
        curve[:, inner, inner] = spread.sum(axis=2) + _PRECISION
        mixed = (met * tied * (0.5 - share)).sum(axis=2)
        curve[:, :count, count] = curve[:, count, :count] = mixed
        curve[:, count, count] = (met * tied * (1.0 - tied)).sum(axis=(1, 2)) / 2.0 + _PRECISION
        step = np.linalg.solve(curve, slope[..., None])[..., 0]
        at = at + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < _CLOSE:
            break
    won, tied = _chances(at)
    share = won + tied / 2.0
    share[:, inner, inner] = 0.0
    return np.asarray(share.sum(axis=2) / (count - 1))


def _chances(at: Floats) -> tuple[Floats, Floats]:
    """The chance that the first beats the second, and that they tie."""
    gap = at[:, :-1, None] - at[:, None, :-1]
    even = at[:, -1, None, None]
    top = np.maximum(np.maximum(gap / 2.0, -gap / 2.0), even)
    up, down, tie = np.exp(gap / 2.0 - top), np.exp(-gap / 2.0 - top), np.exp(even - top)
    total = up + down + tie
    return np.asarray(up / total), np.asarray(tie / total)


def _read(wins: npt.ArrayLike, ties: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Wins and ties, those both ways round."""
    won, tied = np.asarray(wins, dtype=np.float64), np.asarray(ties, dtype=np.float64)
    if won.ndim != 3 or won.shape[1] != won.shape[2] or won.shape != tied.shape:
        raise ValueError("wins and ties must both be (groups, competitors, competitors)")
    if won.shape[1] < 2:
        raise ValueError("there is nobody to compare with")
    if not (np.isfinite(won).all() and np.isfinite(tied).all() and min(won.min(), tied.min()) >= 0):
        raise ValueError("wins and ties must be finite and not negative")
    upper = np.triu(tied, 1)
    return won * (1.0 - np.eye(won.shape[1])), upper + upper.transpose(0, 2, 1)


def _check_linked(met: npt.NDArray[np.bool_]) -> None:
    reached = np.linalg.matrix_power(met + np.eye(len(met)), len(met)) > 0.0
    if not reached.all():
        raise ValueError("no chain of comparisons links all of them")
