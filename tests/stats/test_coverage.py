"""Error rates against known truth: alpha is promised, and little more is let through.

Where cases are independent and binary there are few outcomes, so the rates are sums over all of
them and exact. Where cases cluster or are graded they are simulated, on shapes whose true rates
lie near the promise: a gate that errs seldom everywhere would hide one that is too lax. They have
few groups, since with more the products in the bootstrap go to BLAS threads, which crawl on a
machine whose cores are taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom

from harness.stats import (
    differences,
    mean,
    paired_difference,
    paired_difference_of_ratios,
    paired_ratio,
    ratio_of_sums,
)

ALPHA = 0.05
EXACT = 0.055  # half a point over alpha: what the approximations in the bounds may cost
SIMULATIONS = 4000

Floats = npt.NDArray[np.float64]
Draw = Callable[[tuple[int, int]], Floats]


@pytest.fixture(autouse=True)
def _bounds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the p-values out: they take half of the time and are not looked at here."""
    monkeypatch.setattr("harness.stats.inversion._p_value", lambda *_: 1.0)


def clustered(
    random: np.random.Generator, groups: int, size: int, icc: float, draw: Draw
) -> Floats:
    """One value a case; two cases of a group are correlated by `icc`."""
    common = random.random((groups, size)) < np.sqrt(icc)
    own = draw((groups, size))
    return np.asarray(np.where(common, draw((groups, 1)), own).ravel())


def most_misses() -> int:
    """The most misses (6.8 % of 4,000) that chance brings about 1 time in 10,000."""
    return int(binom.isf(1e-4, SIMULATIONS, EXACT))


def test_the_tolerance_fails_an_error_rate_of_seven_percent_and_passes_five() -> None:
    assert most_misses() < 0.07 * SIMULATIONS
    assert binom.sf(most_misses(), SIMULATIONS, 0.08) > 0.99
    assert binom.sf(most_misses(), SIMULATIONS, ALPHA) < 1e-6


@pytest.mark.parametrize("n", [8, 20, 60, 150, 400])
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


@pytest.mark.parametrize("n", [20, 50])
def test_a_difference_of_independent_cases_is_bounded_whatever_the_truth(n: int) -> None:
    won, lost, same = np.array(list(splits(n))).T
    order = np.arange(n)
    found = [
        paired_difference(order < plus, order >= n - minus, order, alpha=ALPHA)
        for plus, minus, _ in splits(n)
    ]
    assert all(each.low < each.estimate + 1e-12 and each.high > each.low for each in found)
    low = np.array([each.low for each in found])
    high = np.array([each.high for each in found])
    ways = [math.lgamma(n + 1) - sum(math.lgamma(k + 1) for k in split) for split in splits(n)]
    worst = 0.0
    for wins in (0.001, 0.01, 0.03, 0.1, 0.2, 0.3, 0.45):
        for losses in (0.001, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5):
            rest = 1.0 - wins - losses
            chance = np.exp(ways + won * np.log(wins) + lost * np.log(losses) + same * np.log(rest))
            truth = wins - losses
            worst = max(worst, chance[low > truth].sum(), chance[high < truth].sum())
    assert worst <= EXACT


@pytest.mark.parametrize(
    ("groups", "size", "icc", "margin", "wins"),
    [(60, 5, 0.0, 0.1, 0.2), (60, 8, 0.4, 0.05, 0.3), (60, 5, 0.2, 0.1, 0.02)],
)
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
    assert passed <= most_misses()
    assert failed <= most_misses()


@pytest.mark.parametrize(
    ("groups", "size", "icc", "truth"), [(60, 5, 0.0, 0.5), (120, 3, 0.4, 0.9)]
)
def test_a_mean_of_clustered_cases_is_bounded(
    groups: int, size: int, icc: float, truth: float
) -> None:
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
    assert above <= most_misses()
    assert below <= most_misses()


def test_f1_and_its_difference_are_bounded() -> None:
    groups, size = 60, 5
    labels = np.repeat(np.arange(groups), size)
    random = np.random.default_rng([groups, size])
    recall, alarm = 0.9, 0.1
    truth = 2 * recall / (2 * recall + alarm + 1 - recall)
    due = np.repeat(np.arange(groups) % 2 == 0, size)

    def terms() -> tuple[Floats, Floats]:
        u = random.random(groups * size)
        return (
            np.where(due, 2.0 * (u < recall), 0.0),
            np.where(due, 1.0 + (u < recall), 1.0 * (u < alarm)),
        )

    misses = np.zeros(4)
    for _ in range(SIMULATIONS):
        ours, theirs = terms(), terms()
        single = ratio_of_sums(*ours, labels, alpha=ALPHA)
        paired = paired_difference_of_ratios(*ours, *theirs, labels, alpha=ALPHA)
        misses += [single.low > truth, single.high < truth, paired.low > 0, paired.high < 0]
    assert misses.max() <= most_misses()


@pytest.mark.parametrize(("groups", "size", "icc"), [(20, 3, 0.8), (60, 5, 0.0)])
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
    assert above <= most_misses()
    assert below <= most_misses()


def test_a_rare_total_loss_hidden_in_small_changes_is_not_forgotten() -> None:
    """Graded scores that nearly agree look precise; the loss that was not seen yet decides."""
    groups, size, icc = 60, 5, 0.8
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
    assert passed <= most_misses()


def losses_let_through(groups: int, total: float) -> int:
    """How often the bound is too high where all cases lose a third and some, rarely, all."""
    random = np.random.default_rng(groups)
    truth = -0.325 * (1.0 - total) - total
    passed = 0
    for _ in range(SIMULATIONS):
        third = 0.3 + 0.05 * random.random(groups)
        loss = np.where(random.random(groups) < total, 1.0, third)
        passed += paired_difference(1.0 - loss, np.ones(groups), np.arange(groups)).low > truth
    return passed


@pytest.mark.parametrize(("groups", "total"), [(20, 0.2), (60, 0.1)])
def test_a_variance_that_few_groups_tell_is_discounted(
    groups: int, total: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every group loses something, so their number alone says that the variance is known well.

    Their kurtosis says that the few total losses make it; without that discount the bound is
    too high too often, which shows that these shapes can tell.
    """
    assert losses_let_through(groups, total) <= most_misses()
    monkeypatch.setattr(differences, "variance_known_by", lambda residuals: math.inf)
    assert losses_let_through(groups, total) > most_misses()


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
