"""Error rates against known truth; a rate may exceed its promise only as chance allows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom

from harness.stats import (
    mean,
    paired_difference,
    paired_difference_of_ratios,
    paired_ratio,
    ratio_of_sums,
)

ALPHA = 0.05
PROMISED = 0.06  # alpha and one point
SIMULATIONS = 300

Floats = npt.NDArray[np.float64]
Draw = Callable[[tuple[int, int]], Floats]


def clustered(
    random: np.random.Generator, groups: int, size: int, icc: float, draw: Draw
) -> Floats:
    """One value a case; two cases of a group are correlated by `icc`."""
    common = random.random((groups, size)) < np.sqrt(icc)
    own = draw((groups, size))
    return np.asarray(np.where(common, draw((groups, 1)), own).ravel())


def within_chance(misses: int, simulations: int, promised: float = PROMISED) -> bool:
    """Whether so many misses are plausible (1 in 10,000) where each has the promised chance."""
    return bool(binom.sf(misses - 1, simulations, promised) > 1e-4)


SHAPES = [(8, 1, 0.0), (8, 5, 0.4), (20, 3, 0.8), (60, 1, 0.0), (60, 5, 0.0), (150, 3, 0.4)]


@pytest.mark.parametrize(("groups", "size", "icc"), SHAPES)
@pytest.mark.parametrize("margin", [0.03, 0.1])
@pytest.mark.parametrize("wins", [0.0, 0.01, 0.2])
def test_a_loss_at_the_margin_is_seldom_let_through(
    groups: int, size: int, icc: float, margin: float, wins: float
) -> None:
    labels = np.repeat(np.arange(groups), size)
    random = np.random.default_rng([groups, size, int(100 * margin), int(100 * wins)])

    def draw(shape: tuple[int, int]) -> Floats:
        u = random.random(shape)
        return np.select([u < margin + wins, u < margin + 2 * wins], [-1.0, 1.0], 0.0)

    passed = failed = 0
    for _ in range(SIMULATIONS):
        change = clustered(random, groups, size, icc, draw)
        found = paired_difference(change > 0, change < 0, labels, alpha=ALPHA)
        passed += found.low >= -margin
        failed += found.high < -margin
        assert found.low < found.estimate + 1e-12
        assert found.high - found.low > 0
    assert within_chance(passed, SIMULATIONS)
    assert within_chance(failed, SIMULATIONS)


@pytest.mark.parametrize(("groups", "size", "icc"), SHAPES)
@pytest.mark.parametrize("truth", [0.5, 0.9, 0.99])
def test_a_mean_is_bounded(groups: int, size: int, icc: float, truth: float) -> None:
    labels = np.repeat(np.arange(groups), size)
    random = np.random.default_rng([groups, size, int(100 * truth)])
    above = below = 0
    for _ in range(SIMULATIONS):
        values = clustered(
            random, groups, size, icc, lambda shape: (random.random(shape) < truth).astype(float)
        )
        found = mean(values, labels, alpha=ALPHA)
        above += found.low > truth
        below += found.high < truth
    assert within_chance(above, SIMULATIONS)
    assert within_chance(below, SIMULATIONS)


@pytest.mark.parametrize(("groups", "size", "icc"), SHAPES[1:])
def test_f1_and_its_difference_are_bounded(groups: int, size: int, icc: float) -> None:
    labels = np.repeat(np.arange(groups), size)
    random = np.random.default_rng([groups, size])
    recall, alarm = 0.9, 0.1
    truth = 2 * recall / (2 * recall + alarm + 1 - recall)
    due = np.repeat(np.arange(groups) % 2 == 0, size)

    def terms() -> tuple[Floats, Floats]:
        u = clustered(random, groups, size, icc, random.random)
        return (
            np.where(due, 2.0 * (u < recall), 0.0),
            np.where(due, 1.0 + (u < recall), 1.0 * (u < alarm)),
        )

    misses = [0, 0, 0, 0]
    for _ in range(SIMULATIONS):
        ours, theirs = terms(), terms()
        single = ratio_of_sums(*ours, labels, alpha=ALPHA)
        paired = paired_difference_of_ratios(*ours, *theirs, labels, alpha=ALPHA)
        misses[0] += single.low > truth
        misses[1] += single.high < truth
        misses[2] += paired.low > 0
        misses[3] += paired.high < 0
    assert all(within_chance(count, SIMULATIONS) for count in misses)


@pytest.mark.parametrize(("groups", "size", "icc"), SHAPES[2:])
def test_a_ratio_of_times_is_bounded(groups: int, size: int, icc: float) -> None:
    labels = np.repeat(np.arange(groups), size)
    random = np.random.default_rng([groups, size])
    above = below = 0
    for _ in range(SIMULATIONS):
        theirs = clustered(random, groups, size, icc, lambda shape: random.lognormal(0, 0.5, shape))
        ours = (
            1.1
            * theirs
            * clustered(
                random, groups, size, icc, lambda shape: random.lognormal(-0.02, 0.2, shape)
            )
        )
        found = paired_ratio(ours, theirs, labels, alpha=ALPHA)
        above += found.low > 1.1
        below += found.high < 1.1
    assert within_chance(above, SIMULATIONS)
    assert within_chance(below, SIMULATIONS)


@pytest.mark.parametrize(("groups", "size", "icc"), [(20, 3, 0.4), (60, 5, 0.8), (60, 1, 0.0)])
def test_a_rare_total_loss_hidden_in_small_changes_is_not_forgotten(
    groups: int, size: int, icc: float
) -> None:
    """Graded scores that nearly agree look precise; the loss that was not seen yet decides."""
    labels = np.repeat(np.arange(groups), size)
    random = np.random.default_rng([groups, size])
    truth = -0.03 - 0.97 * 0.01
    passed = 0
    for _ in range(SIMULATIONS):
        change = clustered(
            random,
            groups,
            size,
            icc,
            lambda shape: np.where(random.random(shape) < 0.03, -1.0, -0.02 * random.random(shape)),
        )
        passed += paired_difference(1 + change, np.ones(change.size), labels).low > truth
    assert within_chance(passed, SIMULATIONS)


def test_a_true_difference_is_found() -> None:
    """The bounds are not safe by being wide: a loss of ten points in 150 cases is seen."""
    random = np.random.default_rng(1)
    labels = np.arange(150)
    found = 0
    for _ in range(200):
        baseline = random.random(150) < 0.9
        candidate = baseline & (random.random(150) > 0.12)
        found += paired_difference(candidate, baseline, labels).high < 0
    assert found > 190


def test_no_change_passes_a_margin_that_the_size_allows() -> None:
    random = np.random.default_rng(2)
    labels = np.arange(150)
    passed = 0
    for _ in range(200):
        u = random.random(150)
        passed += paired_difference(u < 0.01, u > 0.99, labels).low >= -0.05
    assert passed > 180
