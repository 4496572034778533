from __future__ import annotations

import numpy as np
import pytest

from benchmarks.audit_quality import ALPHA, FAMILIES, JUDGES, Kind, measure
from harness.stats import mean, paired_difference
from harness.stats.audited import audited_difference, audited_mean


def sides(n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """What people and a scorer who errs in one of 20 say of both sides."""
    draw = np.random.default_rng(seed)
    theirs = (draw.random(n) < 0.8).astype(float)
    ours = np.where(draw.random(n) < 0.15, 1.0 - theirs, theirs)
    wrong = draw.random((2, n)) < 0.05
    return ours, theirs, np.where(wrong[0], 1 - ours, ours), np.where(wrong[1], 1 - theirs, theirs)


def test_a_scorer_that_agrees_with_people_makes_the_bounds_narrower() -> None:
    ours, theirs, candidate, baseline = sides(1200)
    labelled, groups = np.arange(1200) % 4 == 0, np.arange(1200)
    found = audited_difference(candidate, baseline, groups, ours, theirs, labelled)
    alone = paired_difference(ours[labelled], theirs[labelled], groups[labelled])
    assert found.high - found.low < 0.85 * (alone.high - alone.low)
    assert found.low < np.mean(ours - theirs) < found.high
    assert (found.n, found.groups) == (1200, 1200)


@pytest.mark.parametrize("scores", ["none", "reversed", "flattering"])
def test_no_scorer_moves_the_estimate_from_what_people_say(scores: str) -> None:
    ours, theirs, _, _ = sides(600)
    candidate, baseline = {
        "none": (np.full(600, 0.5), np.full(600, 0.5)),
        "reversed": (1.0 - ours, 1.0 - theirs),
        "flattering": (np.ones(600), theirs),
    }[scores]
    labelled, groups = np.arange(600) % 4 == 0, np.arange(600)
    found = audited_difference(candidate, baseline, groups, ours, theirs, labelled)
    alone = paired_difference(ours[labelled], theirs[labelled], groups[labelled])
    assert found.low < np.mean(ours - theirs) < found.high
    assert found.high - found.low < 1.05 * (alone.high - alone.low)


def test_a_scorer_that_says_nothing_leaves_the_bounds_of_the_labels_alone() -> None:
    ours, theirs, _, _ = sides(400)
    labelled, groups, flat = np.arange(400) < 100, np.arange(400), np.full(400, 0.5)
    found = audited_difference(flat, flat, groups, ours, theirs, labelled)
    alone = paired_difference(ours[:100], theirs[:100], groups[:100])
    for one, other in ((found.estimate, alone.estimate), (found.low, alone.low)):
        assert one == pytest.approx(other, abs=1e-9)
    assert found.p_value == pytest.approx(alone.p_value, abs=1e-9)
    value = audited_mean(flat, groups, ours, labelled)
    assert value.low == pytest.approx(mean(ours[:100], groups[:100]).low, abs=1e-9)


@pytest.mark.parametrize("size", [1, 3])
def test_where_people_labelled_everything_the_scores_add_nothing(size: int) -> None:
    ours, theirs, candidate, baseline = sides(90)
    every, groups = np.ones(90, bool), np.arange(90) // size
    found = audited_difference(candidate, baseline, groups, ours, theirs, every)
    alone = paired_difference(ours, theirs, groups)
    pairs = ((found.estimate, alone.estimate), (found.low, alone.low), (found.high, alone.high))
    for one, other in pairs:
        assert one == pytest.approx(other, abs=1e-6)


def test_swapping_the_sides_negates_the_interval() -> None:
    ours, theirs, candidate, baseline = sides(300)
    labelled, groups = np.arange(300) % 3 == 0, np.arange(300)
    one = audited_difference(candidate, baseline, groups, ours, theirs, labelled)
    other = audited_difference(baseline, candidate, groups, theirs, ours, labelled)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), abs=1e-9)
    assert other.p_value == pytest.approx(one.p_value)


def test_what_is_not_known_counts_against_both_bounds() -> None:
    ours, theirs, candidate, baseline = sides(300)
    labelled, groups = np.arange(300) < 100, np.arange(300)
    rows = (candidate, baseline, groups, ours, theirs, labelled)
    whole = audited_difference(*rows)
    unknown = audited_difference(*rows, unknown=np.arange(300) % 20 == 0)
    missing = audited_difference(*rows, missing=15)
    for found in (unknown, missing):
        assert found.low < whole.low - 0.03
        assert found.high > whole.high + 0.03
    assert missing.estimate == whole.estimate


def test_groups_that_were_drawn_more_often_weigh_less() -> None:
    ours, theirs, _, _ = sides(2000)
    changed = ours != theirs
    draw = np.random.default_rng(3)
    chance = np.where(changed, 0.9, 0.2)
    labelled = draw.random(2000) < chance
    flat, groups = np.full(2000, 0.5), np.arange(2000)
    found = audited_difference(
        flat, flat, groups, np.where(changed, ours, 1.0), np.where(changed, theirs, 1.0),
        labelled, weights=1.0 / chance,
    )  # fmt: skip
    assert found.low < np.mean(ours - theirs) < found.high
    assert found.high - found.low < 0.06


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"groups": [0, 1, 1, 2]}, "labelled in part"),
        ({"labelled": [True, False, False, False]}, "fewer than two groups"),
        ({"weights": [1, 0, 1, 1]}, "weight is not positive"),
        ({"baseline_labels": [np.nan, 0, 0, 0]}, "NaN"),
        ({"candidate_labels": [2, 0, 0, 0]}, "between 0 and 1"),
        ({"candidate_labels": [1, 0, 0]}, "differ in length"),
        ({"alpha": 0.7}, "alpha must lie"),
    ],
)
def test_what_cannot_be_computed(change: dict[str, object], message: str) -> None:
    rows: dict[str, object] = {
        "candidate": [1, 0, 1, 1], "baseline": [1, 0, 1, 1], "groups": [0, 1, 2, 3],
        "candidate_labels": [1, 0, 1, 1], "baseline_labels": [1, 0, 1, 1],
        "labelled": [True, True, False, False],
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        audited_difference(**(rows | change))  # type: ignore[arg-type]


@pytest.mark.parametrize("family", FAMILIES[2::2], ids=lambda one: one.name)
def test_few_false_verdicts_whatever_the_judge_favours(family: object) -> None:
    favours = JUDGES[6]
    found = measure(np.random.default_rng(5), Kind(family, favours, 40, 120), 300)  # type: ignore[arg-type]
    assert found.promoted <= ALPHA + 0.035
    assert found.blocked <= ALPHA + 0.035
    assert found.width <= 1.06
