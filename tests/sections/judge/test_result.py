"""What the verdicts of several judges on one answer amount to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.records.attempt import Attempt, Failure, Term
from harness.records.metric import Metric
from harness.records.suite import Case, Message
from harness.sections.judge.ask import Panel
from harness.sections.judge.prompt import JudgeRubric
from harness.sections.judge.reply import NoVote, Vote
from harness.sections.judge.result import Judged
from harness.sections.judge.section import JudgeSection
from harness.sections.judge.signs import FIRSTS, NOISE, ORDER
from harness.sections.work import CaseResult

CASE = Case(id="c", group="c", messages=(Message(role="user", content="Hi"),))


def attempt(text: str = "Hello.", **more: Any) -> Attempt:
    given = {"status": "answered", "text": text, "finish_reason": "stop", **more}
    return Attempt(key=text, suite="s", section="x", case="c", repeat=0, **given)


def result(
    votes: list[tuple[Any, ...]],
    answer: Attempt | None = None,
    rival: Attempt | None = None,
    scale: dict[int, str] | None = None,
) -> CaseResult:
    """Of votes, each a judge, what it said, its repeat, and whether the order was swapped."""
    section = JudgeSection(
        name="x", scorer="judge", metrics=(Metric(name="m", high=5.0),), asks=("a", "b"),
        against_baseline=rival is not None, rubric=JudgeRubric(criterion="x", scale=scale),
        judge_repeats=1, structured=None, cases_file="x",
    )  # fmt: skip
    job = SimpleNamespace(section=section, target="candidate", suite=SimpleNamespace(name="s"))
    heard = []
    for judge, said, again, swapped in votes:
        asked = SimpleNamespace(judge=judge, swapped=swapped, request=SimpleNamespace(repeat=again))
        heard.append(SimpleNamespace(asked=asked, said=said))
    panel = Panel(digest="d", kin=False)
    judged = Judged((job, CASE, 0), answer or attempt(), rival, heard, panel)  # type: ignore[arg-type]
    work = SimpleNamespace(
        gate=SimpleNamespace(baseline="base"), now=SimpleNamespace(baselines={"s": "b"})
    )
    return judged.result(work)  # type: ignore[arg-type]


def test_a_jury_is_the_mean_of_its_verdicts() -> None:
    scale = {1: "bad", 5: "good"}
    found = result([("a", Vote("5", "Nice."), 0, False), ("b", Vote("2"), 0, False)], scale=scale)
    assert (found.value, found.passed, found.label, found.judge) == (3.5, None, "2, 5", "d")
    assert found.reason == "a: level 5 (good): Nice.; b: level 2"


def test_a_verdict_with_probabilities_is_worth_their_expectation() -> None:
    vote = Vote("4", chances=(("3", 0.25), ("4", 0.5), ("5", 0.25), ("1", 0.0)))
    assert result([("a", vote, 0, False)], scale={1: "bad", 5: "good"}).value == 4.0
    unsure = Vote("pass", chances=(("pass", 0.6), ("fail", 0.4)))
    assert result([("a", unsure, 0, False)]).value == pytest.approx(0.6)


@pytest.mark.parametrize(("votes", "value", "passed"), [
    (["pass"], 1.0, True), (["fail"], 0.0, False), (["pass", "fail"], 0.5, False),
    (["pass", "pass", "fail"], 2 / 3, True),
])  # fmt: skip
def test_an_answer_passes_by_more_than_half(votes: list[str], value: float, passed: bool) -> None:
    said = [("a", Vote(vote), number, False) for number, vote in enumerate(votes)]
    found = result(said)
    assert (found.value, found.passed) == (pytest.approx(value), passed)
    assert found.terms is not None
    pairs = len(votes) * (len(votes) - 1) / 2
    assert found.terms[NOISE] == Term(num=float(len(set(votes)) - 1) * (len(votes) - 1), den=pairs)


@pytest.mark.parametrize(("first", "second", "value", "turned"), [
    ("first", "second", 1.0, 0), ("second", "first", 0.0, 0), ("tie", "tie", 0.5, 0),
    ("first", "first", 0.5, 1), ("second", "second", 0.5, 1), ("first", "tie", 0.5, 1),
])  # fmt: skip
def test_a_pair_is_won_only_both_ways_round(
    first: str, second: str, value: float, turned: int
) -> None:
    votes = [("a", Vote(first), 0, False), ("a", Vote(second), 0, True)]
    found = result(votes, rival=attempt("Hi there."))
    assert (found.value, found.passed, found.baseline, found.judge) == (value, None, "b", None)
    assert found.label == {1.0: "win", 0.0: "loss", 0.5: "tie"}[value]
    assert found.terms is not None
    assert found.terms[ORDER] == Term(num=float(turned), den=1.0)
    assert found.terms[FIRSTS].den == [first, second].count("first") + [first, second].count(
        "second"
    )


def test_one_lost_vote_leaves_an_answer_without_a_score() -> None:
    votes = [("a", Vote("pass"), 0, False), ("b", NoVote("said nothing", broken=True), 0, False)]
    found = result(votes)
    assert (found.value, found.broken, found.reason) == (None, True, "the judge `b` said nothing")


def test_what_is_no_answer_is_not_judged() -> None:
    failure = Failure(cause="http", detail="HTTP 500")
    gone = attempt().model_copy(update={"status": "failed", "text": None, "failure": failure})
    stopped = attempt("x", finish_reason="content_filter")
    given = [(attempt(""), "empty answer"), (gone, "none came"), (stopped, "content filter")]
    for answer, why in given:
        assert why in result([], answer).reason
        assert (
            f"the baseline's answer: {result([], answer).reason}" == result([], rival=answer).reason
        )


def test_the_same_text_is_a_tie_that_no_judge_is_asked_for() -> None:
    found = result([], rival=attempt("Hello."))
    assert (found.value, found.reason) == (0.5, "both answers are the same text")
