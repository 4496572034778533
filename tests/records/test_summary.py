"""What a run amounts to: nothing is lost, whatever the order in which it is counted."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records.attempt import Attempt, Failure, Score, Term, Timing
from harness.records.summary import Summary, Tally, nearest_rank, recorded_times

PLACE: dict[str, Any] = {"key": "k", "suite": "s", "section": "g", "case": "c", "repeat": 0}
VALUES = st.sampled_from([0.0, 0.25, 1.0])
OUTCOMES = st.lists(st.one_of(VALUES, st.sampled_from(["unscored", "failed"])), max_size=20)


def scored(outcome: float | str) -> Score:
    common = {**PLACE, "group": "c", "critical": False}
    if isinstance(outcome, str):
        state = "failed" if outcome == "failed" else "empty"
        return Score(**common, status=outcome, state=state, reason=f"it was {outcome}")
    terms = {"accuracy": Term(num=outcome, den=1.0)}
    return Score(**common, status="scored", state="ok", value=outcome, passed=True, terms=terms)


def answered(text: str, case: str = "c", **more: Any) -> Attempt:
    place = {**PLACE, "case": case, "key": f"{case}{text}"}
    return Attempt(**place, status="answered", text=text, finish_reason="stop", **more)


def failed(timing: Timing | None = None) -> Attempt:
    failure = Failure(cause="timeout", detail="late")
    return Attempt(**PLACE, status="failed", failure=failure, timing=timing)


def counted(scores: list[Score], planned: int) -> Summary:
    tally = Tally(planned, ("s.g.accuracy",), repeats=False)
    for score in scores:
        tally.add_score(score)
    return tally.summary()


@given(OUTCOMES, st.data())
def test_every_score_is_accounted_for_in_any_order(
    outcomes: list[float | str], data: st.DataObject
) -> None:
    scores = [scored(outcome) for outcome in outcomes]
    found = counted(scores, len(scores))
    assert found.accounting.balanced
    assert not counted(scores, len(scores) + 1).accounting.balanced
    values = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    if values:
        assert min(values) <= found.metrics["s.g.accuracy"] <= max(values)
    else:
        assert found.metrics == {}
    again = counted(data.draw(st.permutations(scores)), len(scores))
    assert again.accounting == found.accounting
    assert again.metrics == pytest.approx(found.metrics)


def test_the_most_frequent_trouble_is_told() -> None:
    scores = [scored(outcome) for outcome in ("failed", "unscored", "failed", 1.0)]
    assert counted(scores, 4).trouble == "2 failed: it was failed"
    assert counted([scored(1.0)], 1).trouble == ""


@pytest.mark.parametrize(
    ("texts", "differ", "cases"),
    [
        ({"a": ["x", "x"], "b": ["x", "y"]}, 1, 2),
        ({"a": ["x"], "b": ["y"]}, 0, 0),
        ({"a": ["x", "y", "y"]}, 1, 1),
    ],
)
def test_repeats_are_compared_within_a_case(
    texts: dict[str, list[str]], differ: int, cases: int
) -> None:
    tally = Tally(0, (), repeats=True)
    for case, said in texts.items():
        for text in said:
            tally.add_attempt(answered(text, case))
    found = tally.summary().repeats
    assert (found.differ, found.cases) == (differ, cases)


@given(st.lists(st.floats(0, 9), min_size=1), st.floats(0.01, 1.0))
def test_a_nearest_rank_is_an_observed_value_that_enough_do_not_exceed(
    values: list[float], share: float
) -> None:
    ordered = sorted(values)
    found = nearest_rank(ordered, share)
    assert found in ordered
    assert sum(value <= found for value in ordered) >= share * len(ordered) - 1e-9
    assert sum(value < found for value in ordered) < share * len(ordered) + 1e-9


def test_nothing_has_no_rank() -> None:
    assert nearest_rank([], 0.5) is None


def test_a_failure_takes_for_ever_and_an_answer_taken_over_took_no_time() -> None:
    timing = Timing(sent=0.0, chunks=(1.0,), done=2.0)
    attempts = [answered("a", timing=timing), failed(), answered("b", reused_from="run")]
    found = recorded_times(attempts)
    assert (found.ttft_p50, found.e2e_p50) == (1.0, 2.0)
    assert (found.ttft_p95, found.e2e_p95) == (math.inf, math.inf)
    assert (found.timed, found.reused) == (1, 1)


def test_the_time_until_the_answer_is_there_where_answers_think() -> None:
    plain = answered("a", timing=Timing(sent=0.0, chunks=(1.0,), done=2.0))
    thinking = Timing(sent=0.0, chunks=(1.0, 3.0), done=4.0, thinks=True, answer=3.0)
    after, earlier = (
        answered(text, reasoning="hm", timing=times)
        for text, times in (("b", thinking), ("c", plain.timing))
    )
    never = answered("", reasoning="hm", timing=thinking.model_copy(update={"answer": None}))
    assert recorded_times([plain]).tta_p50 is None
    assert recorded_times([plain, earlier, after]).tta_p50 == 1.0  # the earlier one is not known
    assert recorded_times([plain, earlier, after]).tta_p95 == 3.0
    assert recorded_times([plain, after, never]).tta_p95 == math.inf
    assert recorded_times([plain, after, failed()]).tta_p95 == math.inf
