"""Properties that hold whatever the formula: what must not matter, and what must."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from harness.stats import (
    mean,
    paired_difference,
    paired_difference_of_ratios,
    paired_ratio,
    ratio_of_sums,
)
from tests.stats.builders import BINARY_CASES, CASES, Rows, arrays, close, f1_terms, negated, quick


@quick
@given(rows=CASES, data=st.data())
def test_neither_order_nor_group_names_matter(rows: Rows, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    names = data.draw(st.permutations(range(10)))
    renamed = [(c, b, f"group {names[g]}") for c, b, g in shuffled]
    c, b, g = arrays(rows)
    c2, b2, g2 = arrays(renamed)  # type: ignore[arg-type]
    assert close(paired_difference(c, b, g), paired_difference(c2, b2, g2))
    assert close(mean(c, g), mean(c2, g2))
    if c.any() and b.any():
        assert close(paired_ratio(c, b, g), paired_ratio(c2, b2, g2))


@quick
@given(rows=CASES)
def test_swapped_arms_negate(rows: Rows) -> None:
    c, b, g = arrays(rows)
    assert close(paired_difference(c, b, g), negated(paired_difference(b, c, g)))


@quick
@given(rows=BINARY_CASES)
def test_swapped_arms_negate_a_difference_of_ratios(rows: Rows) -> None:
    c_num, c_den, b_num, b_den, g = f1_terms(rows)
    straight = paired_difference_of_ratios(c_num, c_den, b_num, b_den, g)
    assert close(straight, negated(paired_difference_of_ratios(b_num, b_den, c_num, c_den, g)))


@quick
@given(seed=st.integers(0, 99), share=st.floats(0.01, 0.99))
def test_failures_mirror_successes(seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    c, b = (random.random((2, 1000)) < share).astype(float)
    g = np.repeat(np.arange(500), 2)
    found, mirrored = paired_difference(c, b, g), paired_difference(1 - c, 1 - b, g)
    assert close(mirrored, negated(found))
    ours, theirs = mean(c, g), mean(1 - c, g)
    assert ours.low == pytest.approx(1 - theirs.high)
    assert ours.high == pytest.approx(1 - theirs.low)


@quick
@given(rows=CASES, alpha=st.floats(0.005, 0.4))
def test_bounds_hold_the_estimate_and_the_range_and_have_a_width(rows: Rows, alpha: float) -> None:
    c, b, g = arrays(rows)
    found = paired_difference(c, b, g, alpha=alpha)
    assert found.estimate == pytest.approx(np.mean(c - b))
    assert -1 <= found.low <= found.estimate + 1e-12
    assert found.estimate - 1e-12 <= found.high <= 1
    assert found.high - found.low > 1e-3
    single = mean(c, g, alpha=alpha)
    assert 0 <= single.low <= single.estimate + 1e-12
    assert single.estimate - 1e-12 <= single.high <= 1
    assert single.high - single.low > 1e-3
    assert (found.n, found.groups) == (len(rows), len(set(g)))


@quick
@given(rows=BINARY_CASES)
def test_ratios_hold_their_range_and_have_a_width(rows: Rows) -> None:
    c_num, c_den, b_num, b_den, g = f1_terms(rows)
    found = paired_difference_of_ratios(c_num, c_den, b_num, b_den, g)
    expected = c_num.sum() / c_den.sum() - b_num.sum() / b_den.sum()
    assert found.estimate == pytest.approx(expected)
    assert -1 <= found.low <= found.estimate + 1e-12 <= found.high + 2e-12 <= 1 + 2e-12
    assert found.high - found.low > 1e-3
    single = ratio_of_sums(c_num, c_den, g)
    assert 0 <= single.low <= single.estimate + 1e-12 <= single.high + 2e-12 <= 1 + 2e-12
    assert single.high - single.low > 1e-3


@quick
@given(rows=CASES, alpha=st.floats(0.01, 0.2))
def test_a_smaller_alpha_is_never_narrower(rows: Rows, alpha: float) -> None:
    c, b, g = arrays(rows)
    wide, narrow = (paired_difference(c, b, g, alpha=level) for level in (alpha / 2, alpha))
    assert wide.low <= narrow.low + 1e-12
    assert wide.high >= narrow.high - 1e-12
    assert wide.p_value == narrow.p_value


@quick
@given(rows=CASES, alpha=st.floats(0.01, 0.4))
def test_the_p_value_agrees_with_the_bounds(rows: Rows, alpha: float) -> None:
    c, b, g = arrays(rows)
    found = paired_difference(c, b, g, alpha=alpha)
    assert 0 < found.p_value <= 1
    assume(abs(found.p_value - 2 * alpha) > 1e-6)
    assert (found.p_value < 2 * alpha) == (found.low > 0 or found.high < 0)


@quick
@given(rows=CASES)
def test_copies_within_a_group_tell_nothing_new(rows: Rows) -> None:
    c, b, g = arrays(rows)
    single = paired_difference(c, b, g)
    double = paired_difference(np.repeat(c, 2), np.repeat(b, 2), np.repeat(g, 2))
    assert double.estimate == pytest.approx(single.estimate)
    assert close(replace(double, n=0), replace(single, n=0))


@quick
@given(rows=BINARY_CASES)
def test_a_difference_of_ratios_with_plain_denominators_is_the_paired_difference(
    rows: Rows,
) -> None:
    c, b, g = arrays(rows)
    half = np.full(c.size, 0.5)
    scaled = paired_difference_of_ratios(c / 2, half, b / 2, half, g)
    assert scaled.estimate == pytest.approx(paired_difference(c, b, g).estimate)
    assert close(scaled, paired_difference(c, b, g))


@given(st.integers(2, 400), st.sampled_from([0.01, 0.05, 0.1]))
@quick
def test_where_nothing_differs_unseen_cases_may_still(groups: int, alpha: float) -> None:
    ones, labels = np.ones(groups), np.arange(groups)
    exact = 1 - alpha ** (1 / groups)
    found = paired_difference(ones, ones, labels, alpha=alpha)
    assert found.low == pytest.approx(-exact)
    assert found.high == pytest.approx(exact)
    assert found.p_value == 1
    assert mean(ones, labels, alpha=alpha).low == pytest.approx(1 - exact)
    assert mean(ones, labels, alpha=alpha).high == 1
    assert mean(0 * ones, labels, alpha=alpha).high == pytest.approx(exact)
    many = np.repeat(labels, 5)
    copied = paired_difference(np.ones(5 * groups), np.ones(5 * groups), many, alpha=alpha)
    assert close(copied, replace(found, n=5 * groups))


def test_an_unseen_group_may_be_as_large_as_the_largest() -> None:
    sizes = np.array([10, *[1] * 30])
    labels = np.repeat(np.arange(31), sizes)
    uneven = paired_difference(np.ones(40), np.ones(40), labels)
    even = paired_difference(np.ones(31), np.ones(31), np.arange(31))
    large = paired_difference(np.ones(40), np.ones(40), np.arange(40) // 10)
    assert large.low < uneven.low < even.low


@quick
@given(rows=BINARY_CASES, missing=st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_cases_without_a_value_are_lost_below_and_won_above(rows: Rows, missing: list[int]) -> None:
    c, b, g = arrays(rows)
    one, zero = np.ones(len(missing)), np.zeros(len(missing))
    terms = (c, np.ones_like(c), b, np.ones_like(b))
    found = paired_difference_of_ratios(*terms, g, missing=missing)
    labels = np.append(g, missing)
    lost = paired_difference(np.append(c, zero), np.append(b, one), labels)
    won = paired_difference(np.append(c, one), np.append(b, zero), labels)
    assert (found.estimate, found.n) == (pytest.approx(np.mean(c - b)), len(rows))
    assert found.low == pytest.approx(lost.low)
    assert found.high == pytest.approx(won.high)
    single = ratio_of_sums(c, np.ones_like(c), g, missing=missing)
    assert single.low == pytest.approx(mean(np.append(c, zero), labels).low)
    assert single.high == pytest.approx(mean(np.append(c, one), labels).high)


@quick
@given(rows=CASES, ceiling=st.sampled_from([1.0, 3.0]))
def test_so_they_are_in_a_ratio_with_a_ceiling(rows: Rows, ceiling: float) -> None:
    c, b, g = arrays(rows)
    assume(c.any() and b.any())
    found = paired_ratio(c, b, g, ceiling=ceiling, missing=[g[0]])
    whole = paired_ratio(c, b, g, ceiling=ceiling)
    assert found.low <= whole.low + 1e-9
    assert found.high >= whole.high - 1e-9
    assert found.estimate == pytest.approx(whole.estimate)
    with pytest.raises(ValueError, match="bound no ratio"):
        paired_ratio(c, b, g, missing=[g[0]])


def test_a_ratio_minds_no_size_of_its_values() -> None:
    random = np.random.default_rng(0)
    times, slower = random.lognormal(0, 1, (2, 30))
    plain = paired_ratio(slower, times, np.arange(30))
    for ours, theirs in ((1e-300, 1.0), (1e300, 1e300), (1e-14, 1e14)):
        scaled = paired_ratio(slower * ours, times * theirs, np.arange(30))
        factor = ours / theirs
        assert scaled.low == pytest.approx(plain.low * factor, rel=1e-6)
        assert scaled.high == pytest.approx(plain.high * factor, rel=1e-6)
        assert scaled.low < scaled.estimate < scaled.high


@quick
@given(won=st.integers(0, 20), lost=st.integers(0, 20), same=st.integers(0, 60))
def test_the_p_value_of_independent_binary_pairs_is_that_of_mcnemar(
    won: int, lost: int, same: int
) -> None:
    n = won + lost + same
    assume(n > 1)
    case = np.arange(n)
    found = paired_difference(case < won, (case >= won) & (case < won + lost), case)
    exact = mcnemar([[same, lost], [won, 0]], exact=True).pvalue
    assert found.p_value == pytest.approx(exact, rel=1e-9)


def test_nothing_is_drawn() -> None:
    random = np.random.default_rng(0)
    c, b, g = random.random(30), random.random(30), np.arange(30) // 2
    assert paired_difference(c, b, g, seed=1) == paired_difference(c, b, g, seed=2)


@quick
@given(rows=CASES, factor=st.floats(0.01, 1000))
def test_a_ratio_does_not_know_its_unit(rows: Rows, factor: float) -> None:
    c, b, g = arrays(rows)
    assume(c.any() and b.any())
    straight, scaled = paired_ratio(c, b, g), paired_ratio(c * factor, b * factor, g)
    assert close(replace(straight, p_value=0), replace(scaled, p_value=0))
    assert straight.low < straight.estimate < straight.high


def test_equal_times_still_leave_doubt() -> None:
    found = paired_ratio(np.full(20, 0.3), np.full(20, 0.3), np.arange(20))
    assert found.estimate == 1
    assert found.low < 0.95
    assert found.high > 1.05


def test_many_cases_and_groups() -> None:
    random = np.random.default_rng(0)
    n = 100_000
    c, b = random.random(n) < 0.9, random.random(n) < 0.9
    found = paired_difference(c, b, np.arange(n) // 3)
    assert found.low < 0 < found.high
    assert found.high - found.low < 0.01
