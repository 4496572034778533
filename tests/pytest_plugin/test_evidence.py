"""Where nothing can be said, that is an error, never a pass and never a failure."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.pytest_plugin.sessions import junit_tests, session
from tests.shop import answer


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
    assert "E   inconclusive: shop.scope.answer_rate may or may not be worse" in done.out
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
