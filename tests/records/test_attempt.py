from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from harness.records.attempt import Attempt, Failure, Score, Term, Timing

PLACE: dict[str, Any] = {"key": "k", "suite": "s", "section": "g", "case": "c", "repeat": 0}
FAILURE = Failure(cause="timeout", detail="late")


@pytest.mark.parametrize(
    ("rest", "state"),
    [
        ({"status": "answered", "text": "hi", "finish_reason": "stop"}, "ok"),
        ({"status": "answered", "text": "hi", "finish_reason": "length"}, "truncated"),
        ({"status": "answered", "text": " \n", "finish_reason": "stop"}, "empty"),
        ({"status": "failed", "failure": FAILURE}, "failed"),
    ],
)
def test_states_of_their_own(rest: dict[str, Any], state: str) -> None:
    assert Attempt(**PLACE, **rest).state == state


@pytest.mark.parametrize(
    "rest",
    [
        {"status": "answered"},
        {"status": "answered", "text": "hi", "failure": FAILURE},
        {"status": "failed"},
        {"status": "failed", "text": "", "failure": FAILURE},
    ],
)
def test_a_failure_is_never_an_answer(rest: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Attempt(**PLACE, **rest)


def test_times_count_from_the_moment_the_request_was_due() -> None:
    timing = Timing(sent=0.25, chunks=(1.0, 1.5), done=2.0)
    assert (timing.ttft, timing.service_ttft, timing.e2e) == (1.0, 0.75, 2.0)
    assert Timing(sent=0.25, done=2.0).ttft is None


OLD = '{"sent":0.0,"chunks":[1.0,2.0],"done":3.0}'


def test_times_without_thinking_are_written_as_they_always_were() -> None:
    timing = Timing.model_validate_json(OLD)
    assert timing.model_dump_json() == OLD
    assert (timing.ttft, timing.tta) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("rest", "tta"),
    [
        ({}, 1.0),
        ({"reasoning": "hm"}, None),  # of an earlier version: nobody noted it
        ({"reasoning": "hm", "thinks": True, "answer": 2.0}, 2.0),
        ({"reasoning": "hm", "thinks": True}, None),
        ({"text": " "}, None),
    ],
)
def test_an_answer_begins_where_its_times_say_so(rest: dict[str, Any], tta: float | None) -> None:
    times = {name: rest[name] for name in ("thinks", "answer") if name in rest}
    timing = Timing(sent=0.0, chunks=(1.0, 2.0), done=3.0, **times)
    own = {name: value for name, value in rest.items() if name not in times}
    attempt = Attempt(**PLACE, **{"status": "answered", "text": "hi", "timing": timing, **own})
    assert attempt.tta == tta
    assert Attempt(**PLACE, status="failed", failure=FAILURE, timing=timing).tta is None


@pytest.mark.parametrize(
    ("reasoning", "finish", "words"),
    [
        (None, "length", "empty answer"),
        ("hm", "stop", "empty answer: all of it is thinking"),
        ("hm", "length", "empty answer: cut off at the token limit while thinking (raise max"),
        ("hm", "MAX_TOKENS", "empty answer: cut off at the token limit while thinking (raise max"),
    ],
)
def test_an_answer_that_is_all_thinking_is_empty_and_says_how_it_ended(
    reasoning: str | None, finish: str, words: str
) -> None:
    attempt = Attempt(
        **PLACE, status="answered", text="", reasoning=reasoning, finish_reason=finish
    )
    assert attempt.state == "empty"
    assert attempt.emptiness.startswith(words)
    assert (":" in attempt.emptiness) == (reasoning is not None)


@pytest.mark.parametrize(
    "rest",
    [
        {"status": "scored"},
        {"status": "scored", "value": float("nan"), "passed": False},
        {"status": "unscored"},
        {"status": "failed", "reason": "late", "value": 0.0, "passed": False},
        {"status": "unscored", "reason": "empty", "terms": {"m": Term(num=0, den=1)}},
    ],
)
def test_no_value_stands_in_for_a_missing_score(rest: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Score(**PLACE, group="c", critical=False, state="ok", **rest)
