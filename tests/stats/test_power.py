"""What the power functions claim is what simulated suites do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from harness.stats import Spread, mean, paired_difference, paired_ratio

ALPHA = 0.05
RUNS = 400


def changes(random: np.random.Generator, groups: int, discordance: float) -> np.ndarray:
    u = random.random(groups)
    return np.select([u < discordance / 2, u < discordance], [-1.0, 1.0], 0.0)


@cache
def low(groups: tuple[tuple[int, float], ...]) -> float:
    """The lower bound where each group's cases, so many, all change alike."""
    sizes = [size for size, _ in groups]
    change = np.repeat([change for _, change in groups], sizes)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return paired_difference(change > 0, change < 0, labels, alpha=ALPHA).low


def passes(sizes: Sequence[int], discordance: float, margin: float, seed: int | list[int]) -> float:
    """How often an unchanged candidate passes the margin, groups changing as a whole."""
    random = np.random.default_rng(seed)
    # In order, so that samples that differ in the order of their groups only are looked at once.
    samples = [
        tuple(sorted(zip(sizes, changes(random, len(sizes), discordance).tolist(), strict=True)))
        for _ in range(RUNS)
    ]
    return float(np.mean([low(sample) >= -margin for sample in samples]))


@pytest.mark.parametrize(
    ("groups", "size", "discordance"),
    [(60, 1, 0.1), (60, 5, 0.3), (200, 1, 0.05), (200, 3, 0.02), (20, 2, 0.3)],
)
def test_an_unchanged_candidate_passes_the_detectable_margin_four_times_in_five(
    groups: int, size: int, discordance: float
) -> None:
    spread = Spread.planned(np.full(groups, size), discordance)
    found = spread.detectable(ALPHA)
    sizes, seed = [size] * groups, [groups, size]
    assert 0.72 <= passes(sizes, discordance, found, seed) <= 0.88
    assert passes(sizes, discordance, 0.7 * found, seed) < 0.6


@pytest.mark.parametrize("sizes", [[5, *[1] * 19], [10, *[1] * 30], [1, 2, 3, 4, 5] * 12])
def test_groups_of_unequal_size_tell_no_more_than_they_do(sizes: list[int]) -> None:
    found = [Spread.planned(sizes, share).detectable(ALPHA) for share in (0, 0.001, 0.02, 0.1, 0.3)]
    assert found == sorted(found), "the more changes by chance, the less is told"
    assert 0.55 <= passes(sizes, 0.1, found[3], len(sizes)) <= 0.9


def test_with_the_groups_needed_the_margin_is_passed_and_with_half_it_is_not() -> None:
    margin, discordance = 0.05, 0.1
    needed = Spread.planned(np.ones(40), discordance).groups_needed(margin, ALPHA)
    assert needed is not None
    assert 0.72 <= passes([1] * needed, discordance, margin, [needed, 1]) <= 0.88
    half = needed // 2
    assert passes([1] * half, discordance, margin, [half, 1]) < 0.55


def test_the_detectable_drop_of_groups_that_agree_is_the_rule_of_three() -> None:
    for groups in (10, 59, 200):
        spread = Spread.planned(np.ones(groups), 0.0)
        assert spread.detectable(ALPHA) == pytest.approx(1 - ALPHA ** (1 / groups))
    assert Spread.planned(np.ones(9), 0.0).groups_needed(0.05, ALPHA) == 59


def test_the_spread_that_was_seen_tells_what_the_planned_one_does() -> None:
    groups = 120
    change = np.repeat([1.0, -1.0, 0.0], [9, 3, 108])  # 10 % discordant, and a gain of 5 points
    one = np.ones(groups)
    seen = Spread.of_no_change(change > 0, one, change < 0, one, np.arange(groups))
    planned = Spread.planned(one, 0.1)
    assert seen.centre == pytest.approx(0.0, abs=1e-12)
    assert seen.detectable(ALPHA) == pytest.approx(planned.detectable(ALPHA), rel=0.05)
    wholly = Spread.of_no_change(one, one, 0 * one, one, np.arange(groups))
    agreeing = Spread.of_no_change(one, one, one, one, np.arange(groups))
    assert wholly.detectable(ALPHA) == pytest.approx(agreeing.detectable(ALPHA)), "no spread in it"


def test_a_spread_of_f1_is_that_of_its_terms_and_not_of_all_cases() -> None:
    random = np.random.default_rng(3)
    n = 200
    due = np.arange(n) < 40
    arms = []
    for _ in range(2):
        refused = np.where(due, random.random(n) < 0.9, random.random(n) < 0.02)
        arms += [2.0 * (refused & due), 2.0 * (refused & due) + (refused ^ due)]
    few = Spread.of_no_change(*arms, np.arange(n)).detectable(ALPHA)
    more = Spread.of_no_change(*(np.tile(x, 4) for x in arms), np.arange(4 * n)).detectable(ALPHA)
    assert more < 0.6 * few
    assert few > 0.1, "only 40 cases make most of it"


def test_a_value_that_far_above_the_limit_passes_four_times_in_five() -> None:
    groups, value = 150, 0.9
    spread = Spread.of_value(np.arange(groups) < value * groups, np.ones(groups), np.arange(groups))
    limit = value - spread.detectable(ALPHA)
    random = np.random.default_rng(4)
    right = np.count_nonzero(random.random((RUNS, groups)) < value, axis=1)
    order = np.arange(groups)
    lows = {hits: mean(order < hits, order).low for hits in set(right.tolist())}
    assert 0.72 <= np.mean([lows[hits] >= limit for hits in right.tolist()]) <= 0.88
    planned = Spread.planned_value(np.ones(groups), value)
    assert planned.detectable(ALPHA) == pytest.approx(spread.detectable(ALPHA), rel=1e-6)


def test_a_ratio_that_far_below_its_limit_passes_four_times_in_five() -> None:
    groups = 150
    labels = np.arange(groups)

    def arms(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return 1.0 * (random.random(groups) < 0.8), 1.0 * (random.random(groups) < 0.8)

    random = np.random.default_rng(5)
    limits = []
    for _ in range(20):
        spread = Spread.of_ratio(*arms(random), labels)
        limits.append(spread.centre / (spread.centre - spread.detectable(ALPHA)))
    limit = float(np.mean(limits))  # times the true ratio, 1
    found = [paired_ratio(*arms(random), labels, ceiling=1).high <= limit for _ in range(RUNS)]
    assert 0.7 <= np.mean(found) <= 0.9


def test_more_groups_detect_less() -> None:
    spread = Spread.planned([1, 2, 3, 2, 1, 4, 2, 2], 0.2)
    found = [spread.detectable(ALPHA, groups=groups) for groups in (8, 30, 100, 1000)]
    assert found == sorted(found, reverse=True)
    assert spread.detectable(0.01) > spread.detectable(0.1)
    assert spread.groups_needed(1e-9) is None


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Spread.planned([3], 0.1), "sizes must be the numbers of cases of at least two"),
        (lambda: Spread.planned([1, 0], 0.1), "sizes must be the numbers of cases of at least two"),
        (lambda: Spread.planned([1, 1], 1.5), "discordance must lie between 0 and 1, got 1.5"),
        (lambda: Spread.planned([1, 1], 0.1).detectable(0.7), "alpha must lie between 0 and 0.5"),
        (
            lambda: Spread.planned([1, 1], 0.1).groups_needed(0.0),
            "no number of groups shows a distance of 0",
        ),
    ],
)
def test_bad_input_is_one_clear_sentence(call: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()  # type: ignore[operator]
