from __future__ import annotations

import math
from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from benchmarks.latency_intervals import Arm, Shape, Size, simulate
from harness.stats import Interval, needed, percentile, percentile_ratio, pooled_mean
from harness.stats.rounds import Rounds, contracted, expanded, resampled

TIME = st.one_of(st.floats(0.001, 1000.0), st.just(0.0), st.just(math.inf))
BLOCK = st.lists(TIME, min_size=1, max_size=8)
ROUNDS = st.lists(BLOCK, min_size=2, max_size=12)
PAIRS = st.lists(st.tuples(BLOCK, BLOCK), min_size=2, max_size=12)
SHARE = st.sampled_from([0.5, 0.9, 0.95, 0.99])
Blocks = list[list[float]]

quick = settings(max_examples=40)


def arms(pairs: list[tuple[list[float], list[float]]]) -> tuple[Blocks, Blocks]:
    return [ours for ours, _ in pairs], [theirs for _, theirs in pairs]


def times(seed: int, rounds: int = 20, requests: int = 50, fails: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return Arm(fails=fails).times(random, np.zeros((rounds, 1)), requests)


def with_failures(values: np.ndarray, in_a_round: int) -> np.ndarray:
    failing = values.copy()
    failing[:, :in_a_round] = math.inf
    return failing


@quick
@given(values=ROUNDS, share=SHARE)
def test_the_estimate_is_the_smallest_value_that_the_share_does_not_exceed(
    values: Blocks, share: float
) -> None:
    pooled = np.concatenate(values)
    expected = np.percentile(pooled, 100 * share, method="inverted_cdf")
    assert percentile(values, share).estimate == expected


@quick
@given(pairs=PAIRS, share=SHARE)
def test_the_bounds_hold_the_estimate(
    pairs: list[tuple[list[float], list[float]]], share: float
) -> None:
    candidate, baseline = arms(pairs)
    ratio = percentile_ratio(candidate, baseline, share)
    for found in (percentile(candidate, share), ratio):
        assert 0.0 <= found.low <= found.estimate <= found.high
    assert (ratio.p_value < 0.1) == (ratio.low > 1.0 or ratio.high < 1.0)


@quick
@given(values=ROUNDS)
def test_a_higher_percentile_is_no_smaller(values: Blocks) -> None:
    estimates = [percentile(values, share).estimate for share in (0.5, 0.9, 0.95, 0.99)]
    assert estimates == sorted(estimates)


@quick
@given(pairs=PAIRS, share=SHARE, data=st.data())
def test_the_order_of_requests_does_not_matter(
    pairs: list[tuple[list[float], list[float]]], share: float, data: st.DataObject
) -> None:
    candidate, baseline = arms(pairs)
    shuffled = [data.draw(st.permutations(block)) for block in candidate]
    assert percentile(shuffled, share) == percentile(candidate, share)
    swapped = percentile_ratio(shuffled, baseline, share)
    assert swapped == percentile_ratio(candidate, baseline, share)


@quick
@given(pairs=PAIRS, share=SHARE, power=st.integers(-8, 8))
def test_the_unit_of_time_does_not_matter(
    pairs: list[tuple[list[float], list[float]]], share: float, power: int
) -> None:
    candidate, baseline = arms(pairs)
    factor = 2.0**power
    other = [[factor * value for value in block] for block in candidate]
    found, scaled = percentile(candidate, share), percentile(other, share)
    assert astuple(scaled)[:3] == tuple(factor * each for each in astuple(found)[:3])
    both = [[factor * value for value in block] for block in baseline]
    ratio = percentile_ratio(candidate, baseline, share)
    rescaled = percentile_ratio(other, both, share)
    assert astuple(rescaled) == pytest.approx(astuple(ratio), rel=1e-9)


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_a_candidate_that_is_slower_by_a_factor_moves_the_ratio_by_it(share: float) -> None:
    candidate, baseline = times(1), times(2)
    found = percentile_ratio(candidate, baseline, share)
    slower = percentile_ratio(1.05 * candidate, baseline, share)
    expected = [1.05 * each for each in (found.estimate, found.low, found.high)]
    assert [slower.estimate, slower.low, slower.high] == pytest.approx(expected, rel=2e-4)


@quick
@given(pairs=PAIRS, share=SHARE, seed=st.integers(0, 2**32))
def test_a_seed_gives_the_same_again(
    pairs: list[tuple[list[float], list[float]]], share: float, seed: int
) -> None:
    candidate, baseline = arms(pairs)
    first = percentile_ratio(candidate, baseline, share, seed=seed)
    assert percentile_ratio(candidate, baseline, share, seed=seed) == first


def test_another_seed_draws_other_rounds() -> None:
    assert not np.array_equal(resampled(20, 0), resampled(20, 1))


@quick
@given(values=ROUNDS, share=SHARE, seed=st.integers(0, 99))
def test_a_draw_of_rounds_has_the_percentile_of_their_values(
    values: Blocks, share: float, seed: int
) -> None:
    weights = resampled(len(values), seed)[:20]
    found = Rounds.read(values, "values").percentiles(share, weights)
    for drawn, value in zip(weights, found, strict=True):
        pooled = np.concatenate([np.repeat(v, n) for v, n in zip(values, drawn, strict=True)])
        assert value == np.percentile(pooled, 100 * share, method="inverted_cdf")


def test_a_candidate_whose_percentile_is_a_failure_is_infinitely_slower() -> None:
    found = percentile_ratio(with_failures(times(1), 5), times(2), 0.95)
    assert (found.estimate, found.low) == (math.inf, math.inf)
    assert found.at_most(1.1) == "fail"


@pytest.mark.parametrize("ours", [0, 5])
def test_a_baseline_whose_percentile_is_a_failure_tells_nothing(ours: int) -> None:
    candidate = with_failures(times(1), ours)
    found = percentile_ratio(candidate, with_failures(times(2), 5), 0.95)
    assert found == Interval(math.inf, 0.0, math.inf, 1.0, 1000, 20)


def test_a_baseline_that_hardly_keeps_its_percentile_finite_makes_nothing_pass() -> None:
    candidate, baseline = times(1), times(2)
    baseline[:, :2] = math.inf
    baseline[::2, 2] = math.inf  # 5 % in all: half of the draws have more
    found = percentile_ratio(0.1 * candidate, baseline, 0.95)
    assert found.estimate < 1.0
    assert found.high == math.inf


def test_a_candidate_that_fails_5_percent_is_not_called_faster() -> None:
    candidate = 0.98 * times(1, fails=0.05)
    for share in (0.9, 0.95):
        assert percentile_ratio(candidate, times(2), share).high > 1.0


@pytest.mark.parametrize(
    ("candidate", "baseline", "expected"),
    [
        (1.0, 0.0, (math.inf, math.inf, math.inf)),
        (0.0, 0.0, (math.inf, 0.0, math.inf)),
    ],
)
def test_a_baseline_of_zero(candidate: float, baseline: float, expected: tuple[float, ...]) -> None:
    ours, theirs = np.full((20, 5), candidate), np.full((20, 5), baseline)
    assert astuple(percentile_ratio(ours, theirs, 0.5))[:3] == expected


def test_a_candidate_of_zero_is_faster() -> None:
    found = percentile_ratio(np.zeros((20, 50)), times(2), 0.5)
    assert (found.estimate, found.low) == (0.0, 0.0)
    assert 0.0 < found.high < 1.0


def test_fewer_than_five_rounds_tell_nothing() -> None:
    found = percentile_ratio(times(1, rounds=4), 9.0 * times(2, rounds=4), 0.5)
    assert (found.low, found.high) == (0.0, math.inf)


def test_a_percentile_of_a_few_requests_has_no_upper_bound() -> None:
    assert percentile(times(1, rounds=5, requests=2), 0.95).high == math.inf
    assert math.isfinite(percentile(times(1, rounds=5, requests=50), 0.95).high)


def test_rounds_that_differ_widen_the_bounds() -> None:
    alike = times(1)
    differing = alike * np.exp(0.3 * np.random.default_rng(5).normal(size=(20, 1)))
    narrow, wide = percentile(alike, 0.5), percentile(differing, 0.5)
    assert wide.high / wide.low > 2.0 * narrow.high / narrow.low - 1.0


@pytest.mark.parametrize("rounds", [5, 10, 20, 40])
def test_few_rounds_leave_out_fewer_draws(rounds: int) -> None:
    assert expanded(0.05, rounds) < 0.05
    assert contracted(expanded(0.05, rounds), rounds) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("share", "requests"), [(0.5, 100), (0.9, 500), (0.95, 1000), (0.99, 5000)]
)
def test_fifty_requests_lie_beyond_a_certifiable_percentile(share: float, requests: int) -> None:
    assert needed(share) == requests


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 95.0])
def test_a_percentile_is_given_as_a_share(share: float) -> None:
    for call in (lambda: needed(share), lambda: percentile([[1.0], [2.0]], share)):
        with pytest.raises(ValueError, match="share must lie between 0 and 1"):
            call()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "values has 0 rounds"),
        ([[1.0, 2.0]], "values has 1 rounds"),
        ([[1.0], []], "round 1: one or more values"),
        ([[1.0], [[2.0]]], "round 1: one or more values"),
        ([[1.0], [math.nan]], "round 1: holds NaN"),
        ([[-1.0], [1.0]], "round 0: holds NaN or a negative"),
    ],
)
def test_rounds_that_say_nothing_are_refused(values: Blocks, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        percentile(values, 0.5)


def test_arms_with_unlike_rounds_are_refused() -> None:
    with pytest.raises(ValueError, match="candidate has 20 rounds, baseline 19"):
        percentile_ratio(times(1), times(2, rounds=19), 0.5)


@pytest.mark.parametrize(("value", "low", "high"), [(0.0, 0.0, 0.0033), (1.0, 0.9967, 1.0)])
def test_a_share_that_all_requests_agree_on_leaves_room(
    value: float, low: float, high: float
) -> None:
    found = pooled_mean(np.full((20, 50), value))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


@quick
@given(st.lists(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=9), min_size=2))
def test_a_share_and_its_opposite_mirror_each_other(values: Blocks) -> None:
    found = pooled_mean(values)
    opposite = pooled_mean([[1.0 - value for value in block] for block in values])
    assert 0.0 <= found.low <= found.estimate <= found.high <= 1.0
    assert found.low < found.high
    mirrored = [1.0 - opposite.estimate, 1.0 - opposite.high, 1.0 - opposite.low]
    assert [found.estimate, found.low, found.high] == pytest.approx(mirrored, abs=1e-9)


def test_failures_in_one_round_count_for_less_than_spread_out() -> None:
    together, spread = np.zeros((20, 50)), np.zeros((20, 50))
    together[0, :20] = 1.0
    spread[:, 0] = 1.0
    assert pooled_mean(together).high > pooled_mean(spread).high + 0.01


def test_a_share_above_one_is_refused() -> None:
    with pytest.raises(ValueError, match="scores lie between 0 and 1"):
        pooled_mean([[0.0], [1.5]])


SIMULATIONS = 60
STEADY = Arm(own=0.0)
EVEN = Shape("even", STEADY, STEADY, common=0.1)


@pytest.mark.parametrize(
    ("arm", "size"),
    [
        (Arm(own=0.05), Size(10, 10, 50)),
        (Arm(own=0.2), Size(20, 50, 95)),
        (Arm(noise=1.0), Size(20, 50, 50)),
        (Arm(stalls=0.1), Size(20, 50, 95)),
        (Arm(fails=0.03), Size(20, 50, 95)),
    ],
    ids=["few requests", "rounds differ", "heavy tails", "stalls", "failures"],
)
def test_a_true_ratio_is_missed_at_most_at_alpha(arm: Arm, size: Size) -> None:
    row = simulate((Shape("alike", arm, arm), size), SIMULATIONS)
    most = binom.ppf(0.999, SIMULATIONS, 0.05) / SIMULATIONS
    assert row.truth == 1.0
    assert max(row.false_pass, row.false_fail) <= most


def test_a_thousand_requests_tell_5_percent_from_20() -> None:
    row = simulate((EVEN, Size(20, 50, 50)), SIMULATIONS)
    assert row.passes[0] >= 0.95
    assert row.passes[1] >= 0.75
    assert row.fails >= 0.95


def test_an_injured_tail_shows_in_the_tail_alone() -> None:
    injured = replace(EVEN, candidate=replace(STEADY, injured=0.05))
    median = simulate((injured, Size(20, 50, 50)), SIMULATIONS)
    tail = simulate((injured, Size(20, 50, 95)), SIMULATIONS)
    assert 1.0 < median.truth < 1.05
    assert tail.truth > 1.2
    assert median.passes[0] >= 0.8  # of a limit 10 % above the truth
    assert max(tail.false_pass, tail.false_fail) <= 0.12
