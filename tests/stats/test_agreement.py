from __future__ import annotations

from typing import get_args

import krippendorff
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from harness.stats import Agreement, agreement, krippendorff_alpha
from harness.stats.agreement import Level, weighted_alpha

NAN = float("nan")
ALPHA = 0.05
SIMULATIONS = 400
# What chance brings 1 time in 10,000 where 6 % is the truth.
MOST = int(binom.isf(1e-4, SIMULATIONS, 0.06))

Floats = npt.NDArray[np.float64]

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section D.
FOUR_OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
]


@pytest.mark.parametrize(
    ("level", "published"),
    [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)],
)
def test_the_published_example(level: Level, published: float) -> None:
    found = krippendorff_alpha(FOUR_OBSERVERS, level=level)
    assert found.estimate == pytest.approx(published, abs=5e-4)
    assert found.low < found.estimate < found.high < 1.0
    assert (found.units, found.raters) == (11, 4), "the last unit has one rating"


@given(
    st.sampled_from(get_args(Level)),
    st.lists(
        st.tuples(st.lists(st.integers(0, 3), min_size=4, max_size=4), st.integers(0, 4)),
        min_size=2,
        max_size=8,
    ),
)
@settings(max_examples=100)
def test_weighting_a_unit_is_having_it_that_often(
    level: Level, rows: list[tuple[list[int], int]]
) -> None:
    """Against the package, which knows no weights, on units written down several times."""
    counts = np.array([np.bincount(ratings, minlength=4) for ratings, _ in rows], dtype=float)
    weights = np.array([weight for _, weight in rows])
    repeated = np.repeat(counts, weights, axis=0)
    if (repeated.sum(axis=0) > 0).sum() < 2:
        return
    values = np.array([0.0, 1.0, 2.5, 4.0])
    expected = krippendorff.alpha(
        value_counts=repeated, value_domain=values, level_of_measurement=level
    )
    found = weighted_alpha(counts, values, weights[None, :].astype(float), level)
    assert found[0] == pytest.approx(expected, abs=1e-9)


def rated(
    random: np.random.Generator, raters: int, units: int, accuracy: float, shares: list[float]
) -> Floats:
    """Raters who copy the true label of a unit, or err into any other label."""
    labels = len(shares)
    truth = random.choice(labels, units, p=shares)
    other = (truth + random.integers(1, labels, (raters, units))) % labels
    return np.where(random.random((raters, units)) < accuracy, truth, other).astype(np.float64)


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the bounds let through on the whole does not hang on how many weightings there are."""
    monkeypatch.setattr(agreement, "_DRAWS", 1000)


def misses(
    level: Level, raters: int, units: int, accuracy: float, shares: list[float]
) -> tuple[int, int]:
    """How often the lower bound lies above the truth, and the upper one below it."""
    random = np.random.default_rng([raters, units, int(100 * accuracy), len(shares)])
    crowd = rated(random, raters, 100_000, accuracy, shares)
    truth = krippendorff.alpha(reliability_data=crowd, level_of_measurement=level)
    above = below = judged = 0
    while judged < SIMULATIONS:
        ratings = rated(random, raters, units, accuracy, shares)
        if np.unique(ratings).size < 2:
            continue
        found = krippendorff_alpha(ratings, level=level, alpha=ALPHA, seed=judged)
        judged += 1
        above += found.low > truth
        below += found.high < truth
    return above, below


@pytest.mark.parametrize(
    ("level", "raters", "units", "accuracy", "shares"),
    [
        ("nominal", 2, 10, 0.98, [0.5, 0.5]),
        ("nominal", 2, 50, 0.9, [0.9, 0.1]),
        ("nominal", 3, 20, 0.7, [0.25, 0.25, 0.25, 0.25]),
        ("nominal", 3, 200, 0.9, [0.5, 0.5]),
        ("ordinal", 3, 50, 0.8, [0.1, 0.2, 0.4, 0.2, 0.1]),
        ("interval", 2, 20, 0.9, [0.1, 0.2, 0.4, 0.2, 0.1]),
    ],
)
@pytest.mark.usefixtures("few_draws")
def test_the_true_agreement_lies_within_the_bounds(
    level: Level, raters: int, units: int, accuracy: float, shares: list[float]
) -> None:
    above, below = misses(level, raters, units, accuracy, shares)
    assert above <= MOST
    assert below <= MOST


@pytest.mark.usefixtures("few_draws")
def test_without_the_worst_unit_the_lower_bound_would_be_too_high(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nothing_unseen(counts: Floats, values: Floats, level: Level) -> tuple[Floats, Floats]:
        again = np.vstack([counts, counts[:1]])
        return again, again

    monkeypatch.setattr(agreement, "_extremes", nothing_unseen)
    above, _ = misses("nominal", 2, 10, 0.98, [0.5, 0.5])
    assert above > SIMULATIONS / 2


@pytest.mark.parametrize("units", [5, 20, 100])
def test_perfect_agreement_on_few_units_leaves_doubt(units: int) -> None:
    """Of two equally common labels, a share d of split units makes alpha about 1 - 2d."""
    half = np.arange(units) % 2.0
    found = krippendorff_alpha([half, half], level="nominal")
    unseen = 1.0 - ALPHA ** (1.0 / units)
    assert found.estimate == found.high == 1.0
    assert found.low == pytest.approx(1.0 - 2.0 * unseen, abs=0.05)


def test_more_units_tell_more() -> None:
    random = np.random.default_rng(3)
    few = krippendorff_alpha(rated(random, 2, 30, 0.9, [0.5, 0.5]), level="nominal")
    many = krippendorff_alpha(rated(random, 2, 1000, 0.9, [0.5, 0.5]), level="nominal")
    assert many.high - many.low < (few.high - few.low) / 3


def test_raters_who_guess_agree_by_chance_only() -> None:
    guesses = np.random.default_rng(4).integers(0, 3, (3, 500)).astype(float)
    found = krippendorff_alpha(guesses, level="nominal")
    assert found.low < 0.0 < found.high
    assert abs(found.estimate) < 0.05


@pytest.mark.parametrize("level", get_args(Level))
def test_what_was_not_rated_changes_nothing(level: Level) -> None:
    """Neither a rater without ratings, nor units with one rating or none."""
    plain = np.array([[1, 2, 3, 1], [1, 2, 2, 1], [NAN, 2, 3, 3]])
    more = np.full((4, 7), NAN)
    more[:3, [0, 2, 3, 6]] = plain
    more[0, 4] = 9.0
    assert krippendorff_alpha(more, level=level) == krippendorff_alpha(plain, level=level)


def test_the_order_of_raters_does_not_matter_and_the_seed_fixes_the_draws() -> None:
    first = krippendorff_alpha(FOUR_OBSERVERS, level="ordinal", seed=5)
    assert krippendorff_alpha(FOUR_OBSERVERS[::-1], level="ordinal", seed=5) == first
    other = krippendorff_alpha(FOUR_OBSERVERS, level="ordinal", seed=6)
    assert other.estimate == first.estimate
    assert other.low == pytest.approx(first.low, abs=0.1)
    assert other != first


def test_the_result_is_frozen_and_made_of_plain_numbers() -> None:
    found = krippendorff_alpha(FOUR_OBSERVERS, level="nominal")
    kinds = [type(getattr(found, name)) for name in Agreement.__slots__]
    assert kinds == [float, float, float, int, int]
    with pytest.raises(AttributeError):
        found.low = 0.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("ratings", "level", "said"),
    [
        ([1, 2, 3], "nominal", "ratings must be (raters, units), got 1 dimensions"),
        ([[1, 2, 3]], "nominal", "agreement needs two raters, got 1"),
        (
            [[1, NAN, 3], [NAN, 2, NAN]],
            "nominal",
            "agreement cannot be computed: no unit was rated twice",
        ),
        ([[], []], "nominal", "agreement cannot be computed: no unit was rated twice"),
        (
            [[1, 2], [2, NAN]],
            "nominal",
            "only one unit was rated twice: there is nothing to tell its spread from",
        ),
        (
            [[1, 1, 2], [1, 1, NAN]],
            "nominal",
            "agreement cannot be computed: all ratings are the same value",
        ),
        (
            [[1, np.inf], [1, 2]],
            "interval",
            "ratings hold infinity: NaN stands for a rating that was not given",
        ),
        ([[1, -1], [1, 2]], "ratio", "ratings on the ratio level must not be negative"),
        (
            [[1, 2], [1, 2]],
            "logical",
            "level must be one of nominal, ordinal, interval, ratio, got logical",
        ),
    ],
)
def test_bad_input_is_one_clear_sentence(
    ratings: list[list[float]], level: Level, said: str
) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        krippendorff_alpha(ratings, level=level)
    assert str(caught.value) == said


def test_alpha_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"alpha must lie between 0 and 0\.5, got 0\.7"):
        krippendorff_alpha(FOUR_OBSERVERS, level="nominal", alpha=0.7)
