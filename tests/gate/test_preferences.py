from __future__ import annotations

from pathlib import Path

import pytest

from harness.gate.preferences import preferences
from harness.records.label import Label
from harness.records.suite import Suite
from tests.builders import shop
from tests.labels.builders import label


def choice(case: str, one: str, other: str, value: float, rater: str = "anna") -> dict[str, Label]:
    """The two labels of one choice between two answers."""
    return {
        one: label(case=case, target=one, criterion=f"preferred-over-{other}", value=value,
                   rater=rater),
        other: label(case=case, target=other, criterion=f"preferred-over-{one}",
                     value=1.0 - value, rater=rater),
    }  # fmt: skip


def by_target(choices: list[dict[str, Label]]) -> dict[str, list[Label]]:
    return {
        target: [one[target] for one in choices if target in one] for target in ("base", "a", "b")
    }


@pytest.fixture
def suites(tmp_path: Path) -> tuple[Suite, ...]:
    return shop(tmp_path)[1]


def test_raters_of_a_pair_are_one_pair(suites: tuple[Suite, ...]) -> None:
    choices = [
        choice("g0", "a", "base", 1.0),
        choice("g0", "a", "base", 0.0, "ben"),
        choice("g1", "a", "base", 1.0),
        choice("g2", "b", "base", 0.5),
        choice("g3", "a", "b", 1.0),
    ]
    found = preferences(by_target(choices), suites, 0.05)
    assert found is not None
    duel = found.between("a", "base")
    assert duel is not None
    assert (duel.won, duel.tied, duel.lost) == (1.5, 0.0, 0.5)
    assert (found.raters, found.items, found.groups, found.reason) == (2, 4, 4, "")
    shares = {one.target: one for one in found.shares}
    assert shares["a"].estimate > 0.6 > shares["b"].estimate
    assert shares["a"].low < 0.5


def test_targets_that_nothing_links_have_duels_and_no_shares(suites: tuple[Suite, ...]) -> None:
    labels = by_target([choice("g0", "a", "base", 1.0), choice("g1", "b", "c", 1.0)])
    labels["c"] = [choice("g1", "b", "c", 1.0)["c"]]
    found = preferences(labels, suites, 0.05)
    assert found is not None
    assert len(found.duels) == 2
    assert found.shares == ()
    assert found.reason == "no chain of comparisons links all of them"


def test_a_choice_with_an_answer_that_changed_is_none(suites: tuple[Suite, ...]) -> None:
    labels = by_target([choice("g0", "a", "base", 1.0)])
    assert preferences({**labels, "base": []}, suites, 0.05) is None
    assert preferences({}, suites, 0.05) is None
