"""Intervals, one arm's share, and p-values of several tests at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, norm
from statsmodels.stats.multitest import multipletests

from harness.stats import Interval, holm, mean
from tests.stats.builders import quick

FOUND = Interval(estimate=0.1, low=-0.05, high=0.25, p_value=0.2, n=40, groups=20)


@pytest.mark.parametrize(
    ("limit", "at_least", "at_most"),
    [
        (-0.06, "pass", "fail"),
        (-0.05, "pass", "inconclusive"),  # the limit itself is good enough
        (-0.04, "inconclusive", "inconclusive"),
        (0.24, "inconclusive", "inconclusive"),
        (0.25, "inconclusive", "pass"),
        (0.26, "fail", "pass"),
    ],
)
def test_a_limit_is_passed_failed_or_open(limit: float, at_least: str, at_most: str) -> None:
    assert FOUND.at_least(limit) == at_least
    assert FOUND.at_most(limit) == at_most


ALPHA = 0.05
SIMULATIONS = 2000
MOST = int(binom.isf(1e-4, SIMULATIONS, ALPHA))  # what chance brings 1 time in 10,000


P_VALUES = st.lists(st.floats(0.0, 1.0), max_size=15)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("true_nulls", [12, 8, 1])
def test_a_false_call_among_twelve_tests_is_no_likelier_than_alpha(
    correlation: float, true_nulls: int
) -> None:
    """The false nulls are all but sure to be called, which leaves the least room for the others."""
    random = np.random.default_rng([int(100 * correlation), true_nulls])
    effect = np.where(np.arange(12) < true_nulls, 0.0, 6.0)
    false_calls = uncorrected = 0
    for _ in range(SIMULATIONS):
        common, own = random.standard_normal(), random.standard_normal(12)
        z = np.sqrt(correlation) * common + np.sqrt(1.0 - correlation) * own + effect
        p_values = norm.sf(z)
        false_calls += (holm(p_values)[:true_nulls] <= ALPHA).any()
        uncorrected += (p_values[:true_nulls] <= ALPHA).any()
    assert false_calls <= MOST
    if true_nulls > 1:
        assert uncorrected > MOST, "without the correction this shape goes wrong"


def test_more_is_found_than_by_dividing_alpha() -> None:
    """With eleven of twelve rejected the last one is tested at alpha itself."""
    adjusted = holm([1e-6] * 11 + [0.04])
    assert adjusted[-1] == pytest.approx(0.04)


@given(P_VALUES)
def test_adjusting_raises_keeps_the_order_and_stays_a_probability(p_values: list[float]) -> None:
    given_, adjusted = np.array(p_values, dtype=float), holm(p_values)
    assert adjusted.shape == given_.shape
    assert (adjusted >= given_).all()
    assert (adjusted <= 1.0).all()
    order = np.argsort(given_, kind="stable")
    assert (np.diff(adjusted[order]) >= 0.0).all()


@given(P_VALUES.filter(bool), st.randoms(use_true_random=False))
def test_the_order_of_the_tests_does_not_matter(p_values: list[float], random: object) -> None:
    order = list(range(len(p_values)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = holm(np.array(p_values)[order])
    assert np.array_equal(shuffled, holm(p_values)[order])


@given(P_VALUES.filter(bool))
@settings(max_examples=30)
def test_another_library_adjusts_alike(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], rel=1e-12)


def test_one_test_is_not_corrected_and_none_is_none() -> None:
    assert holm([0.03]).tolist() == [0.03]
    assert holm([]).tolist() == []


@pytest.mark.parametrize(
    ("p_values", "said"),
    [
        ([0.1, 1.5], "p-values hold 1.5: a probability lies between 0 and 1"),
        ([-0.1], "p-values hold -0.1: a probability lies between 0 and 1"),
        ([0.1, float("nan")], "p-values hold nan: a probability lies between 0 and 1"),
        ([[0.1, 0.2]], "p-values must be one-dimensional, got 2 dimensions"),
    ],
)
def test_what_is_no_probability_is_refused(p_values: list[float], said: str) -> None:
    with pytest.raises(ValueError, match="p-values") as caught:
        holm(p_values)
    assert str(caught.value) == said


@quick
@given(hits=st.integers(0, 40), alpha=st.sampled_from([0.01, 0.05, 0.2]))
def test_a_share_of_independent_cases_has_the_exact_binomial_bounds(
    hits: int, alpha: float
) -> None:
    values, labels = (np.arange(40) < hits).astype(float), np.arange(40)
    exact = binomtest(hits, 40).proportion_ci(1 - 2 * alpha, method="exact")
    found = mean(values, labels, alpha=alpha)
    assert found.low == pytest.approx(exact.low, abs=1e-9)
    assert found.high == pytest.approx(exact.high, abs=1e-9)


def test_correlated_groups_widen() -> None:
    values = np.tile([1.0, 0.0], 30)
    apart = mean(values, np.arange(60))
    together = mean(np.sort(values), np.arange(60) // 5)
    assert together.high - together.low > 1.5 * (apart.high - apart.low)
