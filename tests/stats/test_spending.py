"""The levels of looks keep alpha where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from harness.stats.spending import POWER, expected_share, look_levels

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)


def errors(shares: tuple[float, ...], alpha: float, runs: int = 40_000) -> np.ndarray:
    """The share of motions without drift that have crossed by each look, (looks,)."""
    steps = np.sqrt(np.diff([0.0, *shares]))
    motion = np.random.default_rng(0).normal(size=(runs, len(shares))) * steps
    p_values = 1.0 - ndtr(motion.cumsum(axis=1) / np.sqrt(shares))
    crossed = p_values <= np.array(look_levels(shares, alpha))
    return np.logical_or.accumulate(crossed, axis=1).mean(axis=0)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("shares", [SHARES, (0.5, 1.0), (0.1, 0.7, 0.8)], ids=str)
def test_the_error_by_each_look_is_what_may_be_spent_by_then(
    shares: tuple[float, ...], alpha: float
) -> None:
    found = errors(shares, alpha)
    wanted = alpha * np.array(shares) ** POWER
    assert np.abs(found - wanted).max() < 4 * np.sqrt(alpha / 40_000) + 1e-4


def test_a_single_look_has_all_of_alpha() -> None:
    assert look_levels([1.0], 0.05) == pytest.approx((0.05,), rel=1e-4)


def test_looks_that_share_evidence_cost_less_than_looks_that_do_not() -> None:
    levels = np.array(look_levels(SHARES, 0.05))
    alone = np.diff([0.0, *(0.05 * np.array(SHARES) ** POWER)])
    assert (levels[1:] > alone[1:]).all()
    assert levels.sum() > 0.05


@pytest.mark.parametrize("shares", [[], [0.0, 1.0], [0.5, 0.5], [0.5, 1.2]], ids=str)
def test_shares_that_do_not_rise_are_refused(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="shares must rise between 0 and 1"):
        look_levels(shares, 0.05)


@pytest.mark.parametrize("distance", [0.0, 1.5, 3.0, 6.0])
def test_the_expected_share_is_that_of_simulated_motions(distance: float) -> None:
    steps = np.sqrt(np.diff([0.0, *SHARES]))
    motion = np.random.default_rng(1).normal(size=(20_000, 5)) * steps
    drifting = motion.cumsum(axis=1) + distance * np.array(SHARES)
    p_values = 1.0 - ndtr(drifting / np.sqrt(SHARES))
    crossed = p_values <= np.array(look_levels(SHARES, 0.05))
    crossed[:, -1] = True
    found = np.array(SHARES)[crossed.argmax(axis=1)].mean()
    assert expected_share(SHARES, 0.05, distance) == pytest.approx(found, abs=0.01)
