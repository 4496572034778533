"""Selected items, and what they report where there is no evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.pytest_plugin.items import HarnessItem
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.pytest_plugin.sessions import junit_tests, session
from tests.shop import answer, gold_cases, write_lines

SUITE = "suites/shop/suite.yaml"


def asked(mock: ThreadedMock) -> set[tuple[str, str]]:
    return {(one["model"], one["messages"][-1]["content"]) for one in mock.server.requests}


def test_collecting_asks_nothing(project_dir: Path, mock: ThreadedMock) -> None:
    done = session(project_dir, "suites", "--target", "candidate", "--collect-only", "-q")
    assert done.code == 0
    assert f"{SUITE}::gold::g0[candidate]\n" in done.out
    assert "84 tests collected" in done.out
    assert mock.server.requests == []
    assert not (project_dir / ".harness").exists()


@pytest.mark.parametrize(
    ("arguments", "prompts"),
    [
        (("-k", "g1 and not g1_ and (g11 or g12)"), {"What is fact 11?", "What is fact 12?"}),
        (("-m", "critical"), {"Hack 0"}),
        (("-m", "gold and rare"), {"What is fact 3?"}),
    ],
)
def test_only_selected_cases_are_asked(
    project_dir: Path, mock: ThreadedMock, arguments: tuple[str, ...], prompts: set[str]
) -> None:
    cases = gold_cases()
    cases[3]["tags"] = ["rare"]
    write_lines(project_dir / "suites/shop/gold.jsonl", cases)
    done = session(project_dir, "suites", "--target", "candidate", *arguments)
    assert done.code == 0
    assert asked(mock) == {("candidate", prompt) for prompt in prompts}


def test_a_case_named_by_its_id_is_asked_of_that_target_alone(
    project_dir: Path, mock: ThreadedMock
) -> None:
    one, both = f"{SUITE}::gold::g1[base]", f"{SUITE}::gold::g2"
    done = session(project_dir, one, both, "--target", "base", "--target", "candidate", "-v")
    assert done.words == {
        "gold::g1[base]": "TOLERATED",
        "gold::g2[base]": "TOLERATED",
        "gold::g2[candidate]": "PASSED",
    }
    assert asked(mock) == {
        ("base", "What is fact 1?"),
        ("base", "What is fact 2?"),
        ("candidate", "What is fact 2?"),
    }


def test_a_rule_asks_candidate_and_baseline_for_everything_and_writes_no_report_alone(
    project_dir: Path, mock: ThreadedMock
) -> None:
    rule = f"{SUITE}::rule::shop.scope.f1[candidate]"
    done = session(project_dir, rule, "--target", "candidate")
    assert (done.code, len(mock.server.requests)) == (0, 160)
    assert "only a part was judged, so there is no verdict" in done.out
    assert not (project_dir / "reports").exists()


def test_all_rules_alone_make_the_verdict(project_dir: Path) -> None:
    done = session(project_dir, "suites", "--target", "candidate", "-m", "rule")
    assert "4 passed, 80 deselected" in done.out
    assert "PROMOTE  candidate against base: all 4 rules pass" in done.out
    assert (project_dir / "reports/candidate-vs-base/verdict.json").exists()


def test_stopping_at_the_first_failure_passes_over_what_is_tolerated(
    project_dir: Path, mock: ThreadedMock
) -> None:
    done = session(project_dir, "suites", "--target", "base", "-x", "-v")
    assert done.code == 1
    assert list(done.words)[-1] == "scope::s0[base]"
    assert "1 failed, 10 passed, 30 tolerated" in done.tail


def test_last_failed_runs_what_failed_and_asks_nothing_again(
    project_dir: Path, mock: ThreadedMock
) -> None:
    assert session(project_dir, "suites", "--target", "base").code == 1
    before = len(mock.server.requests)
    again = session(project_dir, "suites", "--target", "base", "--lf", "-v")
    assert again.words == {"scope::s0[base]": "FAILED"}
    assert len(mock.server.requests) == before


def test_a_second_session_asks_nothing_and_no_cache_asks_all(
    project_dir: Path, mock: ThreadedMock
) -> None:
    for more, requests in ((), 80), ((), 80), (("--harness-no-cache",), 160):
        session(project_dir, "suites", "--target", "base", *more)
        assert len(mock.server.requests) == requests


def test_repeats_are_one_item_that_says_which_failed(project_dir: Path, mock: ThreadedMock) -> None:
    def second_wrong(body: dict[str, object]) -> str:
        return "no idea" if body["seed"] == 1 else answer(body)

    mock.answer = second_wrong
    case = f"{SUITE}::gold::g4[base]"
    done = session(project_dir, case, "--target", "base", "--harness-repeats", "3", "-ra")
    assert len(mock.server.requests) == 3
    assert f"TOLERATED {case} - wrong" in done.out
    assert "(repeat 2 of 3)" in done.out


def test_tolerated_cases_are_shown_in_full_when_asked_for(project_dir: Path) -> None:
    case = f"{SUITE}::gold::g1[base]"
    done = session(project_dir, case, "--target", "base", "-vv")
    assert done.code == 0
    assert "--- answer of base, score 0, fail ---\nI have no idea at all.\n" in done.out
    assert "answers: value 1\n" in done.out


def test_a_request_that_failed_is_an_error_of_its_case_alone(
    project_dir: Path, mock: ThreadedMock
) -> None:
    def broken(body: dict[str, object]) -> str | MockReply:
        prompt = body["messages"][-1]["content"]  # type: ignore[index]
        return MockReply("no", status=400) if prompt == "What is fact 1?" else answer(body)

    mock.answer = broken
    path = project_dir / "harness.yaml"
    path.write_text(
        path.read_text().replace("  baseline: base", "  baseline: base\n  min_scored: 0.9")
    )
    done = session(project_dir, "suites", "--target", "candidate", "-v", "--junitxml=j.xml")
    assert done.code == 1
    assert {item for item, word in done.words.items() if word == "ERROR"} == {"gold::g1[candidate]"}
    assert "E   no evidence, failed: http: " in done.out
    assert "83 passed, 1 error" in done.tail
    (error,) = junit_tests(project_dir / "j.xml")[
        "suites.shop.suite.yaml.gold::g1[candidate]"
    ].findall("error")
    assert "no evidence, failed: http" in (error.get("message") or "")


def test_an_empty_answer_is_no_evidence(project_dir: Path, mock: ThreadedMock) -> None:
    mock.answer = lambda _: ""
    case = "suites/shop/suite.yaml::gold::g1[candidate]"
    done = session(project_dir, case, "--target", "candidate")
    assert done.code == 1
    assert "E   no evidence, unscored: empty answer" in done.out
    assert "[an empty answer]" in done.out


def test_doubts_about_the_comparison_are_errors_of_every_rule(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = lambda body: answer({**body, "model": "candidate"})
    done = session(project_dir, "suites", "--target", "candidate", "-v", "-m", "rule")
    assert done.code == 1
    assert set(done.words.values()) == {"ERROR"}
    assert "E   no evidence: candidate and baseline gave the same text in all 80 cases" in done.out
    assert "INVALID  candidate against base" in done.out


def test_what_the_evidence_cannot_tell_is_no_pass(project_dir: Path) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("margin: 0.2", "margin: 0.01"))
    done = session(project_dir, "suites", "--target", "candidate", "-v", "-m", "rule")
    assert done.code == 1
    assert done.words["rule::shop.scope.answer_rate[candidate]"] == "INCONCLUSIVE"
    assert "E   inconclusive: it is unclear whether shop.scope.answer_rate is at most" in done.out
    assert "harness.yaml:" in done.out
    assert "INCONCLUSIVE  candidate against base" in done.out


def test_rules_on_one_metric_have_names_of_their_own(project_dir: Path) -> None:
    path = project_dir / "harness.yaml"
    data = yaml.safe_load(path.read_text())
    data["gate"]["rules"] += [
        {"metric": "shop.scope.f1", "require": "at_least", "value": 0.5},
        {"metric": "shop.scope.f1", "require": "no_worse_than_baseline", "margin": 0.5},
    ]
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    done = session(project_dir, "suites", "--target", "candidate", "-v", "-k", "shop.scope.f1")
    assert list(done.words) == [
        "rule::shop.scope.f1-at_least-0.8[candidate]",
        "rule::shop.scope.f1-at_least-0.5[candidate]",
        "rule::shop.scope.f1-no_worse_than_baseline[candidate]",
    ]
    assert done.code == 0


@pytest.mark.parametrize(("line", "counted"), [(3, 2), (None, None)])
def test_an_item_whose_line_nobody_knows_has_a_place_too(
    request: pytest.FixtureRequest, line: int | None, counted: int | None
) -> None:
    """Conversations whose likelihood is measured are in a file, and their lines are not kept."""

    class Looked(HarnessItem):
        def runtest(self) -> None:
            pass

    given: dict[str, Any] = {"state": None, "target": "base", "place": (Path("chats.jsonl"), line)}
    item = Looked.from_parent(request.node.parent, name="chat[base]", **given)
    assert item.location[1] == counted
