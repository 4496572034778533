from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.records.attempt import Failure, Term
from harness.records.metric import Metric
from harness.records.plan import PlannedRequest
from harness.run.score import Scoring
from harness.scorers import Judgement, Unscored, registry
from tests.builders import attempt, make_run, shop, usual


def test_planned_is_scored_and_unscored_and_failed(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)

    def answering(target: str, ask: Any) -> str | Failure:
        special = {"g0": Failure(cause="timeout", detail="late"), "g1": "", "s0": "  \n"}
        return special.get(ask.case.id) or special.get(ask.case.id, usual(target, ask))

    run = make_run(project, suites, "candidate", answering)
    accounting = run.summary.accounting
    assert (accounting.planned, accounting.scored, accounting.unscored, accounting.failed) == (
        80, 77, 2, 1,
    )  # fmt: skip
    assert accounting.balanced
    assert run.summary.states == {"ok": 77, "empty": 2, "failed": 1}
    by_case = {score.case: score for score in run.scores}
    assert by_case["g0"].reason == "timeout: late"
    assert by_case["g1"].reason == "empty answer"
    assert all(score.value is None for score in run.scores if score.status != "scored")


def test_a_scorer_that_crashes_leaves_the_case_unscored_with_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, suites = shop(tmp_path)
    gold = registry.get("gold")

    class Broken:
        name, metrics = gold.name, gold.metrics

        def score(self, *_: object) -> None:
            raise ZeroDivisionError("oops")

    monkeypatch.setattr("harness.sections.prompts.get", lambda name: Broken())
    run = make_run(project, suites, "base")
    assert {score.status for score in run.scores} == {"unscored"}
    assert run.scores[0].reason == "scorer `gold` crashed: ZeroDivisionError: oops"


def leave(*_: object) -> None:
    raise SystemExit("bye")


def judged(**changes: Any) -> Judgement:
    """A judgement that was spoilt after it was made, as a plugin of another type would be."""
    judgement = Judgement(1.0, True, {"accuracy": Term(num=1.0, den=1.0)})
    for name, value in changes.items():
        object.__setattr__(judgement, name, value)
    return judgement


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda: None, "TypeError: gave NoneType in place of a Judgement or Unscored"),
        (lambda: 0.5, "TypeError: gave float in place of a Judgement or Unscored"),
        (lambda: judged(terms={"accuracy": 0.5}), "ValidationError: terms.accuracy: "),
        (lambda: judged(terms=None), "AttributeError: "),
        (
            lambda: judged(passed="yes"),
            "TypeError: `passed` must be True, False or None, got 'yes'",
        ),
        (lambda: judged(passed=1), "TypeError: `passed` must be True, False or None, got 1"),
        (lambda: Judgement(1.1, True), "ValueError: value: accuracy 1.1 is more than 1"),
        (lambda: Judgement(-0.1, True), "ValueError: value: accuracy -0.1 is less than 0"),
        (lambda: judged(reason="a \ud800"), "UnicodeEncodeError: "),
        (lambda: judged(label="\udfff"), "UnicodeEncodeError: "),
        (lambda: judged(reason=None), "ValidationError: reason: "),
        (lambda: Unscored("\ud800"), "UnicodeEncodeError: "),
        (lambda: Unscored(""), "ValidationError: what is not scored has a reason"),
        (
            lambda: judged(terms={"accuracy": Term(num=2.0, den=1.0)}),
            "ValueError: num 2 is more than den 1",
        ),
        (leave, "SystemExit: bye"),
    ],
)
def test_what_is_no_judgement_leaves_the_case_unscored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Callable[[], Any], said: str
) -> None:
    project, suites = shop(tmp_path)
    broken = SimpleNamespace(name="gold", score=lambda *_: answer())
    monkeypatch.setattr("harness.sections.prompts.get", lambda name: broken)
    run = make_run(project, suites, "base")
    assert {score.status for score in run.scores} == {"unscored"}
    reason = run.scores[0].reason
    assert reason.startswith(f"scorer `gold` crashed: {said}")
    assert "\n" not in reason
    assert reason.encode()


def test_what_a_crash_says_is_one_line_that_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("one\ntwo \ud800")

    project, suites = shop(tmp_path)
    broken = SimpleNamespace(name="gold", score=crash)
    monkeypatch.setattr("harness.sections.prompts.get", lambda name: broken)
    run = make_run(project, suites, "base")
    assert run.scores[0].reason == r"scorer `gold` crashed: RuntimeError: one two \ud800"


def test_an_interrupt_while_scoring_is_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    project, suites = shop(tmp_path)
    broken = SimpleNamespace(name="gold", score=interrupted)
    monkeypatch.setattr("harness.sections.prompts.get", lambda name: broken)
    with pytest.raises(KeyboardInterrupt):
        make_run(project, suites, "base")


def test_no_case_gives_a_metric_more_than_its_share() -> None:
    share = Metric(name="accuracy")
    Term(num=1.0, den=1.0).check(share)
    Term(num=0.0, den=0.0).check(share)
    with pytest.raises(ValueError, match=r"num 1 is more than den 0\.5"):
        Term(num=1.0, den=0.5).check(share)
    with pytest.raises(ValueError, match="num -1 is less than 0"):
        Term(num=-1.0, den=1.0).check(share)


def test_an_unbounded_metric_takes_any_number_over_more_than_nothing() -> None:
    nats = Metric(name="nats", unit="nats per token", direction="lower", low=None, high=None)
    Term(num=70.5, den=12.0).check(nats)
    Term(num=-3.0, den=1.0).check(nats)
    with pytest.raises(ValueError, match="num 1 stands over a den of 0"):
        Term(num=1.0, den=0.0).check(nats)


def test_only_the_metrics_that_the_section_names_are_kept(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    run = make_run(project, suites, "candidate")
    assert set(run.summary.metrics) == set(dict(suites[0].definitions()))
    assert run.summary.metrics["shop.gold.accuracy"] == 1.0
    assert run.summary.metrics["shop.scope.f1"] == 1.0


def test_what_a_content_filter_stopped_is_unscored_unless_the_scorer_judges_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, suites = shop(tmp_path)
    section = suites[0].sections[0]
    case = section.cases[0]
    ask = PlannedRequest("k", "shop", section.name, case, 0, case.messages, 0)
    stopped = attempt(ask, "").model_copy(update={"finish_reason": "content_filter"})
    score = Scoring(suites).score(ask, stopped)
    assert (score.state, score.status) == ("filtered", "unscored")
    assert score.reason == "stopped by a content filter"

    class Judging:
        def score_filtered(self, answer: str, *_: object) -> Judgement:
            return Judgement(0.0, False, {}, "filtered", f"said `{answer}`")

    monkeypatch.setattr("harness.sections.prompts.get", lambda name: Judging())
    score = Scoring(suites).score(ask, stopped)
    assert (score.status, score.passed, score.label) == ("scored", False, "filtered")
