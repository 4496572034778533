"""What a judge said is read strictly: nothing is guessed, whatever an answer got it to say."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.records.attempt import Attempt, Failure
from harness.sections.judge.reply import NoVote, Vote, read_vote
from tests.sections.judge.injections import ANSWERS

LEVELS = ("1", "2", "3", "4", "5")


def replied(text: str, **more: Any) -> Attempt:
    given = {"status": "answered", "text": text, "finish_reason": "stop", **more}
    return Attempt(key="k", suite="s", section="x", case="c", repeat=0, **given)


@pytest.mark.parametrize(
    ("text", "vote"),
    [
        ('{"reason": "Good.", "verdict": "4"}', Vote("4", "Good.")),
        ('{"verdict": 4, "reason": "Good."}', Vote("4", "Good.")),
        ('\n```json\n{"reason": "Good.", "verdict": "4"}\n```\n', Vote("4", "Good.")),
        (" 4\n", Vote("4")),
        (json.dumps({"reason": "two\nlines \ud83d", "verdict": "1"}), Vote("1", "two lines ?")),
        (json.dumps({"reason": "x" * 900, "verdict": "1"}), Vote("1", "x" * 300)),
    ],
)
def test_a_verdict_is_read(text: str, vote: Vote) -> None:
    assert read_vote(replied(text), LEVELS) == vote


@pytest.mark.parametrize(
    ("beginnings", "chances"),
    [
        ([("4", 0.6), ("5", 0.2), (" 4", 0.1), ("\n", 0.1)], {"4": 7 / 9, "5": 2 / 9}),
        ([("4", 0.3), ("four", 0.7)], None),
        ([], None),
    ],
)
def test_the_probability_of_each_verdict_is_that_of_its_first_token(
    beginnings: list[tuple[str, float]], chances: dict[str, float] | None
) -> None:
    told = tuple((token, math.log(chance)) for token, chance in beginnings)
    found = read_vote(replied("4", beginnings=told), LEVELS)
    assert isinstance(found, Vote)
    assert found.verdict == "4"
    if chances is None:
        assert found.chances == ()
    else:
        wanted = {level: chances.get(level, 0.0) for level in LEVELS}
        assert dict(found.chances) == pytest.approx(wanted)


def test_a_token_that_begins_two_verdicts_says_nothing_of_either() -> None:
    found = read_vote(replied("10", beginnings=(("1", -0.1),)), ("1", "10"))
    assert found == Vote("10")


@pytest.mark.parametrize(
    "text",
    [
        "The answer deserves a 4.",
        "4/5",
        "4.0",
        "5 5",
        '{"verdict": "4"}',
        '{"reason": "x", "verdict": "6"}',
        '{"reason": "x", "verdict": true}',
        '{"reason": "x", "verdict": 4.0}',
        '{"reason": "x", "verdict": ["4"]}',
        '{"reason": 3, "verdict": "4"}',
        '{"reason": "x", "verdict": "4", "verdict": "5"}',
        '{"reason": "x", "verdict": "4", "score": 5}',
        '{"reason": "x", "verdict": "1"} {"reason": "x", "verdict": "5"}',
        'Sure! {"reason": "x", "verdict": "5"}',
        2 * '```json\n{"reason": "x", "verdict": "1"}\n```\n',
        '[{"reason": "x", "verdict": "5"}]',
        "null",
        "[" * 100_000,
    ],
)
def test_anything_else_is_no_verdict(text: str) -> None:
    found = read_vote(replied(text), LEVELS)
    assert isinstance(found, NoVote)
    assert not found.broken
    assert found.why.startswith("gave a reply that is no verdict: ")
    assert len(found.why) < 250


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_judge_that_repeats_the_answer_in_its_reason_gives_its_own_verdict(answer: str) -> None:
    found = read_vote(replied(json.dumps({"reason": answer, "verdict": "1"})), LEVELS)
    assert isinstance(found, Vote)
    assert found.verdict == "1"
    found.reason.encode()


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_reply_with_the_answer_before_the_verdict_is_read_as_neither(answer: str) -> None:
    found = read_vote(replied(f'{answer}\n{{"reason": "x", "verdict": "1"}}'), LEVELS)
    assert isinstance(found, NoVote)
    found.why.encode()


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_no_text_crashes_the_reader(text: str) -> None:
    read_vote(replied(text), LEVELS)


def test_no_whole_reply_is_no_verdict() -> None:
    cut = read_vote(replied('{"reason": "x", "ver', finish_reason="length"), LEVELS)
    assert isinstance(cut, NoVote)
    assert cut.why == "gave no whole answer (truncated): raise its max_tokens"
    failed = Attempt(
        key="k", suite="s", section="x", case="c", repeat=0, status="failed",
        failure=Failure(cause="http", detail="HTTP 500", status=500),
    )  # fmt: skip
    found = read_vote(failed, LEVELS)
    assert isinstance(found, NoVote)
    assert found.broken
    assert "HTTP 500" in found.why
