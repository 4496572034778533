from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from harness.stats.bradley_terry import bradley_terry

STRENGTHS = np.array([0.8, 0.0, -0.8])
TIE = 1.0  # Davidson's nu
Table = np.ndarray


def chances(one: int, other: int) -> tuple[float, float]:
    """Win and tie by Davidson 1970, equation 2, with strengths pi = exp(theta)."""
    ours, theirs = np.exp(STRENGTHS[[one, other]])
    even = TIE * np.sqrt(ours * theirs)
    total = ours + theirs + even
    return ours / total, even / total


def truth() -> list[float]:
    return [
        np.mean([sum(chances(one, other)) - chances(one, other)[1] / 2.0 for other in range(3)
                 if other != one])
        for one in range(3)
    ]  # fmt: skip


def duels(groups: int, seed: int, alike: int = 1) -> tuple[Table, Table]:
    """A comparison of each two in every group, counted `alike` times."""
    draw = np.random.default_rng(seed)
    wins, ties = np.zeros((groups, 3, 3)), np.zeros((groups, 3, 3))
    for group in range(groups):
        for one, other in combinations(range(3), 2):
            win, tie = chances(one, other)
            roll = draw.random()
            if roll < win:
                wins[group, one, other] += alike
            elif roll < win + tie:
                ties[group, one, other] += alike
            else:
                wins[group, other, one] += alike
    return wins, ties


def test_many_comparisons_find_the_strengths() -> None:
    found = bradley_terry(*duels(4000, seed=0))
    assert [one.estimate for one in found] == pytest.approx(truth(), abs=0.02)
    assert sum(one.estimate for one in found) == pytest.approx(1.5)


@pytest.mark.parametrize("alike", [1, 5], ids=["alone", "five raters"])
def test_bounds_are_seldom_wrong(alike: int) -> None:
    """At alpha 0.05 of 60 bounds of each sort three miss on average, and eight hardly ever."""
    low = high = 0
    for seed in range(20):
        for one, share in zip(bradley_terry(*duels(25, seed, alike)), truth(), strict=True):
            low, high = low + (one.low > share), high + (one.high < share)
    assert max(low, high) <= 8


def test_who_never_lost_is_not_certain_to_win() -> None:
    wins = np.zeros((10, 2, 2))
    wins[:, 0, 1] = 1.0
    best, worst = bradley_terry(wins, np.zeros_like(wins))
    assert 0.9 < best.estimate < 1.0
    assert best.low < 0.9
    assert worst.high > 0.1
    assert best.estimate + worst.estimate == pytest.approx(1.0)


def test_ties_alone_are_one_half() -> None:
    ties = np.zeros((30, 2, 2))
    ties[:, 0, 1] = 1.0
    for one in bradley_terry(np.zeros_like(ties), ties):
        assert one.estimate == pytest.approx(0.5)
        assert one.low < 0.5 < one.high


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4, 3), "must both be"),
        ((4, 1, 1), "nobody to compare with"),
        ((4, 3, 3), "no chain of comparisons links all of them"),
    ],
)
def test_what_cannot_be_computed(shape: tuple[int, ...], message: str) -> None:
    wins = np.zeros(shape)
    if shape == (4, 3, 3):
        wins[:, 0, 1] = 1.0
    with pytest.raises(ValueError, match=message):
        bradley_terry(wins, np.zeros(shape))
    with pytest.raises(ValueError, match="finite"):
        bradley_terry(np.full((2, 2, 2), -1.0), np.zeros((2, 2, 2)))
