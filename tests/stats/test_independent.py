"""Differences of independent samples: coverage, edges, and agreement of p-value and bounds."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats import Interval, independent_difference, mean


def interval(draws: np.ndarray, alpha: float = 0.05) -> Interval:
    return mean(draws, np.arange(draws.size), alpha=alpha)


@pytest.mark.parametrize(
    ("one", "other", "n", "m"), [(0.5, 0.5, 80, 120), (0.05, 0.05, 100, 60), (0.3, 0.1, 60, 60)]
)
def test_each_bound_is_missed_as_often_as_alpha_says(
    one: float, other: float, n: int, m: int
) -> None:
    rng = np.random.default_rng(4)
    trials, below, above = 400, 0, 0
    for _ in range(trials):
        found = independent_difference(
            interval((rng.random(n) < one).astype(float)),
            interval((rng.random(m) < other).astype(float)),
        )
        below += found.low > one - other
        above += found.high < one - other
    # 0.05 with four standard errors of 400 trials above it.
    assert below / trials <= 0.05 + 4 * (0.05 * 0.95 / trials) ** 0.5
    assert above / trials <= 0.05 + 4 * (0.05 * 0.95 / trials) ** 0.5


def test_without_any_difference_in_the_samples_the_interval_has_a_width() -> None:
    none = interval(np.zeros(20))
    found = independent_difference(none, none)
    assert found.estimate == 0.0
    assert found.low < 0.0 < found.high
    assert found.p_value == 1.0
    assert (found.n, found.groups) == (40, 40)


@pytest.mark.parametrize("right", [12, 14, 16, 18, 20, 22, 24, 26, 28])
def test_the_p_value_is_below_two_alpha_where_the_bounds_exclude_no_difference(right: int) -> None:
    one = interval(np.array([1.0] * right + [0.0] * (40 - right)))
    other = interval(np.array([1.0] * 14 + [0.0] * 26))
    found = independent_difference(one, other)
    excludes = found.low > 0 or found.high < 0
    assert excludes == (found.p_value < 0.1)


def test_what_is_known_exactly_adds_no_width() -> None:
    one = interval(np.array([1.0, 0.0] * 20))
    known = Interval(0.25, 0.25, 0.25, 0.0, 10, 10)
    found = independent_difference(one, known)
    assert found.low == pytest.approx(one.low - 0.25)
    assert found.high == pytest.approx(one.high - 0.25)
