"""Error rates against known truth: alpha is promised, and little more is let through.

Where cases are independent and binary there are few outcomes, so the rates are sums over all of
them and exact. Elsewhere they are simulated, on a part of the grid that
`benchmarks/gate_quality.py` goes through whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom

from benchmarks.gate_quality import MOST_FALSE, SIZES, Cell, cells, simulate
from benchmarks.shapes import (
    RARE,
    Design,
    PairedBinary,
    PairedGraded,
    Refusals,
    Thirds,
    Times,
    rare,
)
from harness.stats import (
    mean,
    paired,
    paired_difference,
    paired_difference_of_ratios,
    paired_ratio,
    ratio_of_sums,
)

ALPHA = 0.05
EXACT = 0.0505  # what the saddlepoint formula may cost

Floats = npt.NDArray[np.float64]


@pytest.mark.parametrize("n", [2, 8, 20, 60, 150, 400])
def test_a_mean_of_independent_cases_is_bounded_whatever_the_truth(n: int) -> None:
    right = np.arange(n + 1)
    found = [mean(np.arange(n) < hits, np.arange(n), alpha=ALPHA) for hits in right]
    low = np.array([each.low for each in found])
    high = np.array([each.high for each in found])
    truth = np.linspace(0.001, 0.999, 499)[:, None]
    chance = binom.pmf(right, n, truth)
    above, below = (chance * (low > truth)).sum(axis=1), (chance * (high < truth)).sum(axis=1)
    assert above.max() <= EXACT
    assert below.max() <= EXACT


def splits(n: int) -> Iterator[tuple[int, int, int]]:
    """Every way to part `n` cases into won, lost and unchanged."""
    for won in range(n + 1):
        for lost in range(n - won + 1):
            yield won, lost, n - won - lost


@pytest.mark.parametrize("n", [8, 20, 50])
def test_a_difference_of_independent_cases_is_bounded_whatever_the_truth(n: int) -> None:
    won, lost, same = np.array(list(splits(n))).T
    order = np.arange(n)
    bounds = {}
    for plus, minus, _ in splits(n):
        if plus <= minus:
            found = paired_difference(order < plus, order >= n - minus, order, alpha=ALPHA)
            assert found.low < found.estimate + 1e-12
            assert found.high > found.low
            # Swapped arms negate: `test_paired.py` holds it.
            bounds[minus, plus] = -found.high, -found.low
            bounds[plus, minus] = found.low, found.high
    low, high = np.array([bounds[plus, minus] for plus, minus, _ in splits(n)]).T
    ways = [math.lgamma(n + 1) - sum(math.lgamma(k + 1) for k in split) for split in splits(n)]
    worst = 0.0
    for wins in (0.001, 0.01, 0.03, 0.1, 0.2, 0.3, 0.45):
        for losses in (0.001, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5):
            rest = 1.0 - wins - losses
            chance = np.exp(ways + won * np.log(wins) + lost * np.log(losses) + same * np.log(rest))
            truth = wins - losses
            worst = max(worst, chance[low > truth].sum(), chance[high < truth].sum())
    assert 0.03 < worst <= EXACT


GRID = [cell for cell in cells(groups=(20,)) if cell.design.correlation in (0.0, 0.8)]


@pytest.mark.parametrize("family", sorted({cell.family for cell in GRID}))
def test_the_bounds_of_each_family_keep_their_promise(family: str) -> None:
    simulations = 1000
    most = binom.isf(1e-4, simulations, ALPHA) / simulations
    for cell in GRID:
        if cell.family == family:
            row = simulate(cell, simulations)
            assert row.false <= most, cell


def at(shape: PairedBinary | PairedGraded | Refusals | Times, groups: int, size: int = 1) -> Cell:
    return Cell("hard", "one", shape, Design(groups, (size,), 0.8))


# Shapes whose true error is close to alpha, so that a bound that errs more is seen to.
HARD = [
    at(PairedBinary(0.9, 0.1, 0.02), 400),
    at(PairedBinary(0.5, 0.1, 0.2), 60, 5),
    at(PairedBinary(1.0, 0.2, 0.0), 150, 5),
    at(PairedGraded(Thirds(0.1), Thirds(0.1).truth), 60),
    at(PairedGraded(Thirds(0.2), Thirds(0.2).truth), 150, 3),
    at(Refusals((0.6, 0.1), (0.9, 0.1)), 150),
    at(Times(0.2, 0.6), 8),
]


@pytest.mark.parametrize("cell", HARD, ids=lambda cell: type(cell.shape).__name__)
def test_the_hardest_shapes_are_let_through_hardly_more_often_than_alpha(cell: Cell) -> None:
    assert 0.02 < simulate(cell, 4000).false <= MOST_FALSE


# Shapes of which a sample may hold nothing of what matters.
UNSEEN = [
    at(PairedBinary(1.0, 0.03, 0.0), 60),
    at(PairedGraded(rare, RARE), 60),
    at(Times(0.2, 0.6), 8),
]


@pytest.mark.parametrize("cell", UNSEEN, ids=lambda cell: type(cell.shape).__name__)
def test_without_the_worst_group_they_are_let_through(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the shapes can tell whether a bound reckons with what was not seen."""
    monkeypatch.setattr(paired, "with_group", lambda terms, _: terms)
    assert simulate(cell, 4000).false > 0.07


def test_cases_taken_for_independent_are_let_through() -> None:
    """So the shapes can tell whether a bound minds the groups."""
    shape = PairedBinary(0.5, 0.1, 0.2)
    random = np.random.default_rng(0)
    kind = Design(60, (5,), 0.8).cases(random, 300, lambda r, size: r.random(size))
    change = 1.0 * (kind > 0.8) - 1.0 * (kind < shape.loss + shape.won)

    def let_through(size: int) -> float:
        """The share of the same cases' samples that are, taken in groups of that size."""
        design = Design(300 // size, (size,), 0.0)
        drawn = change.reshape(300, design.groups, size)
        return PairedGraded(lambda *_: drawn, -shape.loss).misses(random, design, 300)[0]

    assert let_through(5) <= binom.isf(1e-4, 300, ALPHA) / 300
    assert let_through(1) > 0.12


@pytest.mark.parametrize(("pattern", "correlation"), SIZES)
def test_the_simulated_bounds_are_those_of_the_public_functions(
    pattern: tuple[int, ...], correlation: float
) -> None:
    """A truth just below the lower bound is excluded, one just above it is not."""
    design = Design(20, pattern, correlation)
    random = np.random.default_rng(len(pattern))
    there = np.arange(design.largest) < design.sizes[:, None]
    labels = np.nonzero(there)[0]
    for _ in range(20):
        drawn = design.cases(random, 1, Thirds(0.2))
        change = drawn[0][there]
        found = paired_difference(1 + change, np.ones(change.size), labels)
        apart = Design(20, pattern, 0.0)
        for step, excluded in ((-1e-6, 1.0), (1e-6, 0.0)):
            shape = PairedGraded(lambda *_, values=drawn: values, found.low + step)
            assert shape.misses(random, apart, 1)[0] == excluded


@pytest.mark.parametrize("one_in", [2, 4])
def test_so_are_those_of_f1_and_of_a_ratio(one_in: int) -> None:
    random = np.random.default_rng(one_in)
    due = np.arange(40) % one_in == 0
    terms = []
    for recall in (0.6, 0.9):
        refused = np.where(due, random.random(40) < recall, random.random(40) < 0.1)
        terms += [2.0 * (refused & due), 2.0 * (refused & due) + (refused ^ due)]
    found = paired_difference_of_ratios(*terms, np.arange(40))
    arms = paired.Arms.with_a_lost_group((terms[0], terms[1]), (terms[2], terms[3]), 2.0)
    assert float(arms.chance(found.low - 1e-6)) < ALPHA < float(arms.chance(found.low + 1e-6))
    ours, theirs = (random.random((2, 40)) < 0.8).astype(float)
    capped = paired_ratio(ours, theirs, np.arange(40), ceiling=1)
    below, above = (
        float(paired.ratio_chance(ours, theirs, capped.low + step, 1.0)) for step in (-1e-6, 1e-6)
    )
    assert below < ALPHA < above


def test_large_groups_among_small_ones_are_reckoned_with() -> None:
    """A dozen groups of 20 among 388 of 1: what few large groups lose weighs much."""
    cell = Cell("hard", "one", PairedBinary(1.0, 0.1, 0.0), Design(400, (20, *[1] * 32), 1.0))
    assert simulate(cell, 2000).false <= MOST_FALSE


@pytest.mark.parametrize(("n", "recalls"), [(40, (0.7, 0.9)), (12, (0.5, 1.0)), (12, (0.9, 0.3))])
def test_a_difference_of_f1_is_close_to_drawing_the_weights(
    n: int, recalls: tuple[float, float]
) -> None:
    random = np.random.default_rng(n)
    due = np.arange(n) % 2 == 0
    terms = []
    for recall in recalls:
        refused = np.where(due, random.random(n) < recall, random.random(n) < 0.2)
        terms += [2.0 * (refused & due), 2.0 * (refused & due) + (refused ^ due)]
    found = paired_difference_of_ratios(*terms, np.arange(n), alpha=ALPHA)
    weights = random.exponential(size=(400_000, n + 1))

    def quantile(worst: tuple[float, ...], share: float) -> float:
        """Of the difference, with one more group that has these terms."""
        sums = [weights @ np.append(row, last) for row, last in zip(terms, worst, strict=True)]
        return float(np.quantile(sums[0] / sums[1] - sums[2] / sums[3], share))

    # An unseen case weighs what a right one does, also where it is wrong.
    near = 0.006 if n == 40 else 0.012
    assert found.low == pytest.approx(quantile((0.0, 2.0, 2.0, 2.0), ALPHA), abs=near)
    assert found.high == pytest.approx(quantile((2.0, 2.0, 0.0, 2.0), 1 - ALPHA), abs=near)


def test_f1_is_not_taken_for_a_mean_of_cases() -> None:
    """Cases that say nothing about F1 neither raise nor lower it, nor do they make it surer."""
    hits, errors = np.repeat([1.0, 0.0], [18, 6]), np.repeat([0.0, 1.0], [18, 6])
    num, den = 2 * hits, 2 * hits + errors
    found = ratio_of_sums(num, den, np.arange(24))
    assert found.estimate == pytest.approx(36 / 42)
    with_rest = ratio_of_sums(np.append(num, [0] * 76), np.append(den, [0] * 76), np.arange(100))
    assert with_rest.estimate == found.estimate
    assert with_rest.high - with_rest.low == pytest.approx(found.high - found.low, rel=0.1)


@pytest.mark.parametrize("repeats", [1, 5])
def test_one_more_mistake_never_raises_a_bound(repeats: int) -> None:
    """Also where it is one of several repeats, and the first there is."""
    due = np.arange(40) % 2 == 0
    num, den = 2.0 * due, 2.0 * due
    perfect = ratio_of_sums(num, den, np.arange(40))
    for case, missed in ((0, (2.0 * (repeats - 1), 2.0 * (repeats - 1) + 1.0)), (1, (0.0, 1.0))):
        worse_num, worse_den = num.copy(), den.copy()
        worse_num[case], worse_den[case] = np.array(missed) / repeats
        worse = ratio_of_sums(worse_num, worse_den, np.arange(40))
        assert worse.low < perfect.low
        loss = paired_difference_of_ratios(worse_num, worse_den, num, den, np.arange(40))
        assert loss.low < paired_difference_of_ratios(num, den, num, den, np.arange(40)).low


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


def test_a_share_has_a_ratio_bounded_by_its_ceiling() -> None:
    """Shares that all agree leave room for a group that the baseline fails wholly."""
    ones, labels = np.ones(20), np.arange(20)
    free, capped = paired_ratio(ones, ones, labels), paired_ratio(ones, ones, labels, ceiling=1)
    assert capped.high > free.high > 1
    assert 1 / capped.high == pytest.approx(1 - (1 - ALPHA ** (1 / 20)), rel=0.01)
