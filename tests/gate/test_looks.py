"""Looks at a candidate, counted from gates that are made by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from harness.clock import iso
from harness.errors import PromotionRefused
from harness.gate.looks import check_looks, earlier_looks, look_warning
from harness.records.history import Asked, Asking, PastGate, Promotion
from harness.records.rule import Policy
from tests.report.history_fixtures import FIRST, kept, verdict


def gate(day: int, answers: str, *, who: str = "sha256:a", **more: str) -> PastGate:
    """A gate on that day's asking, whose answers have that digest."""
    given = verdict(FIRST + timedelta(days=day), **more)
    hashes = given.hashes.model_copy(update={"candidate": answers})
    asked = Asked(
        identity=who,
        candidate=Asking(began=iso(FIRST + timedelta(days=day)), freshness=day),
        baseline=Asking(began=iso(FIRST)),
    )
    found = kept(given.model_copy(update={"hashes": hashes}))
    return found.model_copy(update={"asked": asked})


def count(*gates: PastGate) -> int:
    return len(earlier_looks(gates[:-1], gates[-1])) + 1


def test_each_fresh_asking_of_a_candidate_is_a_look() -> None:
    assert count(gate(0, "a")) == 1
    assert count(gate(0, "a"), gate(1, "b"), gate(2, "c")) == 3
    assert count(gate(0, "a"), gate(1, "b", candidate="renamed")) == 2


def test_what_is_no_fresh_look_is_not_counted() -> None:
    assert count(gate(0, "a"), gate(0, "b")) == 1, "failures of the asking were asked again"
    assert count(gate(0, "a"), gate(1, "a")) == 1, "the same texts once more"
    assert count(gate(0, "a"), gate(1, "b"), gate(1, "b"), gate(2, "c")) == 3
    assert count(gate(0, "a", who="sha256:b"), gate(1, "b")) == 1
    assert count(gate(0, "a").model_copy(update={"suites": {"other": "x"}}), gate(1, "b")) == 1
    assert count(gate(0, "a").model_copy(update={"asked": None}), gate(1, "b")) == 1
    made = gate(0, "a").model_copy(update={"promotion": Promotion(name="v", sealed=iso(FIRST))})
    assert count(made, gate(1, "b")) == 1


def test_latency_that_is_measured_afresh_is_a_look_although_the_answers_are_the_same() -> None:
    gates = [gate(0, "a").model_copy(update={"latency": f"sha256:{one}"}) for one in "112"]
    assert count(*gates[:2]) == 1, "the same measurement was judged again"
    assert count(*gates) == 2
    assert count(gate(0, "a"), gates[0]) == 1, "a line of an earlier version names none"
    (found,) = look_warning(gates[:1], gates[2])
    assert found.what.startswith("look 2 at this candidate with fresh answers or times; ")


def of_model(one: PastGate, model: str) -> PastGate:
    assert one.asked is not None
    return one.model_copy(update={"asked": one.asked.model_copy(update={"model": model})})


def test_two_askings_of_one_second_are_told_apart_by_their_journals() -> None:
    def of(journal: str | None, answers: str) -> PastGate:
        found = gate(0, answers)
        assert found.asked is not None
        asking = found.asked.candidate.model_copy(update={"journal": journal})
        asked = found.asked.model_copy(update={"candidate": asking})
        return found.model_copy(update={"asked": asked})

    assert count(of("sha256:1", "a"), of("sha256:2", "b")) == 2
    assert count(of("sha256:1", "a"), of("sha256:1", "b")) == 1
    assert count(of(None, "a"), of("sha256:1", "b")) == 1, "a line of an earlier version"


def test_another_way_to_serve_or_to_ask_a_candidate_begins_no_new_count() -> None:
    first, second = gate(0, "a", who="sha256:a"), gate(1, "b", who="sha256:b")
    assert count(of_model(first, "m"), of_model(second, "m")) == 2
    assert count(of_model(first, "m"), of_model(second, "n")) == 1
    again = of_model(gate(1, "b", who="sha256:a"), "m")
    assert count(first, again) == 2, "a line of an earlier version counts as it did"
    assert count(first, of_model(second, "m")) == 1


def test_against_another_baseline_only_the_candidates_own_answers_count() -> None:
    assert count(gate(0, "a", baseline="sealed:v1"), gate(0, "a")) == 1
    assert count(gate(0, "a", baseline="sealed:v1"), gate(1, "b")) == 2


def test_a_baseline_that_is_asked_afresh_is_a_look_too() -> None:
    again = gate(0, "a")
    assert again.asked is not None
    asked = again.asked.model_copy(update={"baseline": Asking(began=iso(FIRST), freshness=1)})
    hashes = again.verdict.hashes.model_copy(update={"baseline": "other"})
    judged = again.verdict.model_copy(update={"hashes": hashes})
    assert count(gate(0, "a"), again.model_copy(update={"asked": asked, "verdict": judged})) == 2


def test_the_warning_says_which_look_and_what_the_others_said() -> None:
    assert list(look_warning((), gate(0, "a"))) == []
    earlier = [gate(day, str(day), problems=("broken",)) for day in range(2)]
    (found,) = look_warning((gate(9, "x"), *earlier), gate(3, "d"))
    assert (found.code, found.place) == ("looks", "good")
    assert found.what.startswith(
        "look 4 at this candidate with fresh answers; before: 2 INVALID, 1 PROMOTE. "
    )
    assert found.what.endswith("in one of 4 looks with a chance of up to 20 %")


def test_more_looks_than_the_policy_allows_need_a_reason() -> None:
    rules = [{"metric": "s.g.m", "require": "at_least", "value": 0.5}]
    policy = Policy.model_validate({"baseline": "base", "rules": rules, "max_looks": 2})
    check_looks([gate(0, "a")], policy, "")
    check_looks([gate(0, "a"), gate(1, "b")], policy, "because")
    with pytest.raises(PromotionRefused, match=r"look 3 .* `max_looks` is 2; before: 2 PROMOTE"):
        check_looks([gate(0, "a"), gate(1, "b")], policy, "")
