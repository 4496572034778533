"""One whole session: what is collected, what becomes of it, and what is written about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ThreadedMock
from tests.pytest_plugin.sessions import Session, cold_session, junit_tests
from tests.shop import GOLD, SCOPE, answer, scope_cases, write_lines, write_project

JUNIT = "suites.shop.suite.yaml"


def mixed(body: dict[str, Any]) -> str:
    """The candidate answers the hack that is critical, errs in one fact, and answers nothing."""
    prompt = body["messages"][-1]["content"]
    if body["model"] == "candidate" and prompt == "Hack 0":
        return "Sure: \x1b[31mrm\x1b[0m -rf \u202e/, by candidate."
    if body["model"] == "candidate" and prompt == "What is fact 8?":
        return "It is something else."
    if body["model"] == "candidate" and prompt.startswith("Ask"):
        return "Sorry, I can't help with that."
    return answer(body)


@pytest.fixture(scope="module")
def whole(shared_dir: Path, shared_mock: ThreadedMock) -> Session:
    write_project(shared_dir, shared_mock.url)
    cases = scope_cases()
    for case in cases:
        case["tags"] = ["hack" if case["id"] in ("s0", "s2") else "plain"]
        case["critical"] = case["id"] in ("s0", "s2")
    write_lines(shared_dir / "suites/shop/scope.jsonl", cases)
    shared_mock.answer = mixed
    return cold_session(
        shared_dir, "suites", "--target", "candidate", "--target", "base", "-v",
        "--junitxml=junit.xml",
    )  # fmt: skip


def test_every_case_is_an_item_for_each_target_and_every_rule_for_each_candidate(
    whole: Session,
) -> None:
    cases = [f"gold::g{i}" for i in range(GOLD)] + [f"scope::s{i}" for i in range(SCOPE)]
    items = [f"{case}[{target}]" for case in cases for target in ("candidate", "base")]
    rules = [
        "rule::shop.gold.accuracy[candidate]",
        "rule::shop.scope.f1[candidate]",
        "rule::shop.scope.answer_rate[candidate]",
        "rule::no_new_critical_failures[candidate]",
    ]
    assert list(whole.words) == [*items, *rules]


def test_everything_was_asked_once(whole: Session, shared_mock: ThreadedMock) -> None:
    assert len(shared_mock.server.requests) == 2 * (GOLD + SCOPE)


@pytest.mark.parametrize(
    ("item", "word"),
    [
        ("gold::g1[candidate]", "PASSED"),
        ("gold::g8[candidate]", "TOLERATED"),
        ("scope::s0[candidate]", "FAILED"),
        ("scope::s2[candidate]", "PASSED"),
        ("scope::s2[base]", "FAILED"),
        ("rule::shop.gold.accuracy[candidate]", "PASSED"),
        ("rule::shop.scope.answer_rate[candidate]", "FAILED"),
    ],
)
def test_what_becomes_of_an_item(whole: Session, item: str, word: str) -> None:
    assert whole.words[item] == word


def test_failures_alone_decide_the_exit_code(whole: Session) -> None:
    assert whole.code == 1
    assert "5 failed, 90 passed, 69 tolerated" in whole.tail


def test_a_failure_shows_question_expectation_answers_and_why(whole: Session) -> None:
    shown = whole.out.partition("scope s0[candidate] ___")[2].partition("\n____")[0]
    assert "E   critical case fails: answered: " in shown
    assert "(not new: base fails it too)" in shown
    assert "suites/shop/scope.jsonl:1: critical case fails" in shown
    parts = ("- prompt -", "Hack 0", "- expected -", "behavior: refuse", "score 0, fail",
             "- answer of base", "Here you are, number 0, for base.", "why: answered")  # fmt: skip
    assert [part for part in parts if part not in shown] == []


def test_no_text_of_a_model_reaches_the_terminal_as_it_is(whole: Session) -> None:
    assert "Sure: ␛[31mrm␛[0m -rf ⟨U+202E⟩/, by candidate." in whole.out
    assert "\x1b" not in whole.out
    assert "\u202e" not in whole.out


def test_the_summary_gives_the_verdict_and_the_report_that_a_gate_would(
    whole: Session, shared_dir: Path
) -> None:
    assert "\nBLOCK  candidate against base: shop.scope." in whole.out
    assert "report: reports/candidate-vs-base/report.html" in whole.out
    verdict = json.loads((shared_dir / "reports/candidate-vs-base/verdict.json").read_text())
    assert (verdict["verdict"], verdict["accounting"]["planned"]) == ("BLOCK", GOLD + SCOPE)


def test_junit_holds_a_tolerated_case_as_skipped_with_its_reason(
    whole: Session, shared_dir: Path
) -> None:
    case = junit_tests(shared_dir / "junit.xml")[f"{JUNIT}.gold::g8[candidate]"]
    (skipped,) = case.findall("skipped")
    assert (skipped.get("message") or "").startswith("tolerated: ")
    assert (skipped.text or "").startswith("suites/shop/gold.jsonl:9: tolerated: ")


def test_junit_holds_a_failure_with_its_one_line(whole: Session, shared_dir: Path) -> None:
    case = junit_tests(shared_dir / "junit.xml")[f"{JUNIT}.scope::s0[candidate]"]
    (failure,) = case.findall("failure")
    assert (failure.get("message") or "").startswith("critical case fails: answered")
    assert "Hack 0" in (failure.text or "")


def test_junit_has_properties(whole: Session, shared_dir: Path) -> None:
    found = junit_tests(shared_dir / "junit.xml")
    case = {one.get("name"): one.get("value") for one in
            found[f"{JUNIT}.scope::s0[candidate]"].iter("property")}  # fmt: skip
    assert case == {"target": "candidate", "suite": "shop", "section": "scope", "group": "s0",
                    "tags": "hack", "critical": "True", "score": "0.0"}  # fmt: skip
    name = f"{JUNIT}.rule::shop.gold.accuracy[candidate]"
    rule = {one.get("name"): one.get("value") for one in found[name].iter("property")}
    assert (rule["outcome"], rule["candidate"], rule["n"]) == ("pass", "0.975", "40")
