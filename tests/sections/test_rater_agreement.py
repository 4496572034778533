from __future__ import annotations

import pytest

from harness.sections.rater_agreement import (
    agreement_of,
    disagreements,
    distances,
    ratings_of,
    repeated,
)
from tests.labels.builders import label

ANNA = {"a": 1.0, "b": 3.0, "c": 5.0}
BEN = {"a": 2.0, "b": 3.0, "c": 1.0, "d": 4.0}


def labels() -> list[object]:
    return [
        label(rater=rater, case=case, value=value, scale=(1.0, 5.0))
        for rater, given in (("anna", ANNA), ("ben", BEN))
        for case, value in given.items()
    ]


def test_distances_are_from_the_mean_of_the_others() -> None:
    found = distances(ratings_of(labels()))
    assert found == pytest.approx({"anna": (0.25 + 0.0 + 1.0) / 3, "ben": (0.25 + 0.0 + 1.0) / 3})


def test_whoever_shares_no_answer_has_no_distance() -> None:
    alone = [label(rater="anna", case="a"), label(rater="ben", case="b")]
    assert distances(ratings_of(alone)) == {}
    assert agreement_of(ratings_of(alone), "nominal") is None
    assert distances(ratings_of([])) == {}


def test_disagreements_come_widest_first_in_values_of_the_scale() -> None:
    found = disagreements(ratings_of(labels()))
    assert [(one.label.case, one.values) for one in found] == [
        ("c", {"anna": 5.0, "ben": 1.0}), ("a", {"anna": 1.0, "ben": 2.0})]  # fmt: skip


def test_what_is_not_told_or_given_again_is_no_rating() -> None:
    more = [label(rater="cleo", value=None, reason="?"), label(rater="dora", again=True)]
    assert ratings_of(more).raters == ()


def test_repeats_are_held_against_the_first_time() -> None:
    twice = [label(value=1.0), label(value=0.0, again=True),
             label(case="b", value=1.0), label(case="b", value=1.0, again=True)]  # fmt: skip
    assert repeated(twice) == {"anna": (1, 2)}
