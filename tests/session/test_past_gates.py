"""A gate that knows of earlier ones: the attacks on it, played in a project."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.config import load_project
from harness.records.verdict import Verdict
from harness.session.gate import GateRequest, open_gate
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.session.test_gate import Silent
from tests.shop import answer


def judged(folder: Path) -> Verdict:
    project = load_project(folder / "harness.yaml")
    with open_gate(project, GateRequest("candidate"), Silent()) as session:
        return session.run("candidate").verdict


def told(verdict: Verdict, code: str) -> list[str]:
    return [found.what.split(" since ")[0] for found in verdict.warnings if found.code == code]


def test_a_suite_and_a_policy_that_were_made_to_fit_are_told_from_then_on(
    project_dir: Path, mock: ThreadedMock
) -> None:
    def leaky(body: dict[str, Any]) -> str:
        last = body["messages"][-1]["content"]
        return "Here you are." if last in ("Hack 2", "Hack 4") else answer(body)

    mock.answer = leaky
    rules = project_dir / "harness.yaml"
    rules.write_text(rules.read_text().replace("value: 0.8", "value: 0.95"))
    assert judged(project_dir).verdict == "INCONCLUSIVE"
    cases = project_dir / "suites/shop/scope.jsonl"
    lines = cases.read_text().splitlines(keepends=True)
    cases.write_text("".join(lines[:2] + lines[3:4] + lines[5:]))
    for _ in range(2):
        found = judged(project_dir)
        (suite,) = told(found, "suite-changed")
        assert suite == "2 cases are gone (then 2 failed): scope/s2, scope/s4"
        assert told(found, "policy-changed") == []
    rules.write_text(rules.read_text().replace("value: 0.95", "value: 0.5"))
    found = judged(project_dir)
    assert found.verdict == "PROMOTE", found.reason
    assert len(told(found, "suite-changed")) == 1
    (policy,) = told(found, "policy-changed")
    assert policy == "rule shop.scope.f1 at_least: value was 0.95 and is 0.5"


def test_answers_that_are_refused_until_they_are_right_promote_nobody(
    project_dir: Path, mock: ThreadedMock
) -> None:
    asked: Counter[str] = Counter()

    def refusing(body: dict[str, Any]) -> str | MockReply:
        prompt = body["messages"][-1]["content"]
        asked[prompt] += body["model"] == "candidate"
        wrong = prompt in {f"What is fact {number}?" for number in range(30)}
        if body["model"] == "candidate" and wrong and asked[prompt] == 1:
            return MockReply("busy", status=429)
        return answer(body)

    mock.answer = refusing
    found = judged(project_dir)
    assert found.verdict == "INCONCLUSIVE", found.reason
    assert told(found, "retried")[0].startswith("asked again: 30 (429: 30 times) of the candidate")


def test_a_case_that_failed_and_was_asked_in_the_next_run_is_told(
    project_dir: Path, mock: ThreadedMock
) -> None:
    broken = True

    def failing(body: dict[str, Any]) -> str | MockReply:
        asked_for = body["model"] == "candidate" and body["messages"][-1]["content"].endswith("7?")
        return MockReply("no", status=400) if broken and asked_for else answer(body)

    mock.answer = failing
    assert judged(project_dir).verdict == "INVALID"
    broken = False
    (warning,) = told(judged(project_dir), "retried")
    assert warning.startswith(
        "asked again: 4 (earlier 400: 4 times) of the candidate's answers, none of"
    )


def fail_in_two_runs(mock: ThreadedMock, sides: tuple[str, ...], failure: MockReply) -> None:
    """Answer five facts in the third run alone, two others in the second, to these sides."""
    runs = Counter({f"What is fact {number}?": 2 for number in range(5)})
    runs += Counter({f"What is fact {number}?": 1 for number in (20, 24)})
    left = {side: runs.copy() for side in sides}

    def failing(body: dict[str, Any]) -> str | MockReply:
        prompt, withheld = body["messages"][-1]["content"], left.get(body["model"], Counter())
        withheld[prompt] -= 1
        return failure if withheld[prompt] >= 0 else answer(body)

    mock.answer = failing


@pytest.mark.parametrize("failure", [MockReply("no", status=500), MockReply(fault="reset")])
def test_an_error_in_place_of_each_wrong_answer_run_after_run_does_not_pay(
    project_dir: Path, mock: ThreadedMock, failure: MockReply
) -> None:
    fail_in_two_runs(mock, ("candidate",), failure)
    assert [judged(project_dir).verdict for _ in range(2)] == ["INVALID", "INVALID"]
    found = judged(project_dir)
    (warning,) = told(found, "retried")
    assert "the sides differ beyond chance, so 5 of them count as unscored" in warning
    assert "repeated " in warning


def test_a_server_that_fails_both_sides_alike_costs_nothing(
    project_dir: Path, mock: ThreadedMock
) -> None:
    fail_in_two_runs(mock, ("candidate", "base"), MockReply("no", status=500))
    assert [judged(project_dir).verdict for _ in range(3)] == ["INVALID", "INVALID", "PROMOTE"]


def test_looks_at_other_candidates_and_the_budget_are_told(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(
        path.read_text()
        .replace("baseline: base", "baseline: base\n  budget: 0.5")
        .replace("targets:", "targets:\n  first: {server: main, model: first}")
    )
    mock.server._models["first"] = None
    mock.answer = lambda body: (
        answer({**body, "model": body["model"].replace("first", "candidate")})
        + " " * (body["model"] == "first")
    )
    project = load_project(path)
    with open_gate(project, GateRequest("first"), Silent()) as session:
        first = session.run("first").verdict
    assert told(first, "wear") == []
    (left,) = told(first, "budget")
    assert left.startswith("1 look in 365 days")
    assert left.endswith("of a budget of 0.5: 0.45 is left")
    (worn,) = told(judged(project_dir), "wear")
    assert worn == "this version was looked at 1 time, at 1 candidate against `base` before"
    assert call("power") == 0
    out = capsys.readouterr().out
    assert "this version of shop was looked at 2 times, at 2 candidates against `base`; " in out
    assert "at 95 %, for up to " in out
    assert " of scope.answer_rate (0 new bests)" in out
    assert "2 looks in 365 days may have led to 0.1 false promotions" in out
