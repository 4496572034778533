"""Sections of cases and a scorer, where the scorer gives grades in a unit of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_project
from harness.errors import SuiteError
from harness.records.attempt import Term
from harness.records.metric import Metric
from harness.records.suite import Case
from harness.records.verdict import Verdict
from harness.scorers import Judgement, registry
from harness.sections.section_kinds import load_suites
from harness.suites import load_suite
from tests.builders import shop
from tests.cli.builders import call
from tests.shop import suite_yaml
from tests.suites.builders import Book, by, load, write

WORDS = Metric(name="words", unit="words", direction="lower", low=0.0, high=None)
METRIC = "shop.gold.words"


class Brevity:
    """How many words an answer has: fewer are better, and no number is a failure."""

    name = "brevity"
    metrics = (WORDS, "greets")

    def score(self, answer: str, case: Case, settings: Any) -> Judgement:
        words = float(len(answer.split()))
        greets = Term(num=float("hello" in answer.lower()), den=1.0)
        return Judgement(words, terms={"words": Term(num=words, den=1.0), "greets": greets})


@pytest.fixture
def brief(project_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose section `gold` is scored so; the base's answers are longer."""
    scorers = registry.Registry()
    monkeypatch.setattr(registry, "book", lambda: scorers)
    monkeypatch.setattr("harness.sections.prompts.book", registry.book)
    registry.register(Brevity())
    written = suite_yaml()
    written["sections"]["gold"] = {"cases": "gold.jsonl", "scorer": "brevity"}
    (project_dir / "suites/shop/suite.yaml").write_text(yaml.safe_dump(written))
    settings = yaml.safe_load((project_dir / "harness.yaml").read_text())
    rule = {"metric": METRIC, "require": "no_worse_than_baseline", "margin": 1.5, "cap": 8}
    settings["gate"]["rules"] = [rule]
    (project_dir / "harness.yaml").write_text(yaml.safe_dump(settings))
    return project_dir


def test_a_scorer_of_grades_in_a_unit_of_its_own(brief: Path, mock: Any) -> None:
    assert call("validate") == 0
    assert call("gate", "candidate") == 0
    report = brief / "reports/candidate-vs-base"
    (rule,) = Verdict.model_validate_json((report / "verdict.json").read_text()).rules
    assert (rule.outcome, rule.candidate, rule.cut) == ("pass", 4.0, 0)
    assert "4 words" in (report / "report.html").read_text()
    lines = next((brief / ".harness/runs").glob("candidate-*")).joinpath("scores.jsonl")
    scores = map(json.loads, lines.read_text().splitlines())
    score = next(one for one in scores if one["section"] == "gold")
    assert (score["status"], score["value"], score.get("passed")) == ("scored", 4.0, None)


def test_longer_answers_are_worse_and_what_lies_beyond_the_cap_is_cut(
    brief: Path, mock: Any
) -> None:
    usual = mock.answer

    def wordy(body: dict[str, Any]) -> str:
        return usual(body) + (" and so on" * 9 if body["model"] == "candidate" else "")

    mock.answer = wordy
    assert call("gate", "candidate") == 1
    verdict = json.loads((brief / "reports/candidate-vs-base/verdict.json").read_text())
    assert (verdict["rules"][0]["outcome"], verdict["rules"][0]["cut"]) == ("fail", 40)
    assert verdict["regressions"][0]["metric"] == METRIC


def test_what_a_metric_means_is_part_of_the_digest_and_a_share_changes_none(
    brief: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest() -> str:
        (suite,) = load_suites(load_project(brief / "harness.yaml"))
        return suite.digest

    before = digest()
    monkeypatch.setattr(Brevity, "metrics", (WORDS, Metric(name="greets")))
    assert digest() == before
    monkeypatch.setattr(Brevity, "metrics", (WORDS.model_copy(update={"high": 99.0}), "greets"))
    assert digest() != before


def test_an_expectation_that_the_scorer_cannot_read_names_line_and_key(tmp_path: Path) -> None:
    write(tmp_path, two=[{"id": "x", "prompt": "?"}])
    with pytest.raises(SuiteError) as caught:
        load(tmp_path)
    assert caught.value.line == f"{tmp_path}/two.jsonl:1: expect.want: missing key"


@pytest.mark.parametrize("method", ["metrics", "check_section", "check_case"])
@pytest.mark.parametrize("error", [TypeError("oops"), KeyError("want"), SystemExit(3)])
def test_a_scorer_that_crashes_is_named_with_section_and_exception(
    tmp_path: Path, method: str, error: BaseException
) -> None:
    def crash(*_: Any) -> None:
        raise error

    broken = Book()
    setattr(broken, method, crash)
    with pytest.raises(SuiteError) as caught:
        load_suite(write(tmp_path), by(broken))
    place = "one.jsonl:1" if method == "check_case" else "suite.yaml:6: sections.one"
    assert caught.value.line == (
        f"{tmp_path}/{place}: scorer `plain` of section `one` crashed: "
        f"{type(error).__name__}: {error}"
    )


@pytest.mark.parametrize("odd", [7, None, ["right"]])
def test_a_metric_whose_name_is_no_text_is_the_scorers_fault(tmp_path: Path, odd: Any) -> None:
    broken = Book()
    broken.known = {"plain": ("right", odd)}  # type: ignore[misc]
    with pytest.raises(SuiteError, match=r"sections\.one: scorer: `plain` has a metric named .*"):
        load_suite(write(tmp_path), by(broken))


def test_an_interrupt_while_a_scorer_checks_is_an_interrupt(tmp_path: Path) -> None:
    class Interrupted(Book):
        def check_case(self, *_: Any) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_suite(write(tmp_path), by(Interrupted()))


def test_a_title_names_metrics_for_people_and_changes_no_digest(tmp_path: Path) -> None:
    project, before = shop(tmp_path)
    file = tmp_path / "suites/shop/suite.yaml"
    written = yaml.safe_load(file.read_text())
    written["sections"]["gold"]["title"] = "Facts about orders"
    written["sections"]["scope"]["title"] = {"f1": "Refuses what it should"}
    file.write_text(yaml.safe_dump(written))
    (suite,) = load_suites(project)
    assert suite.digest == before[0].digest
    titles = {section.name: section.titles for section in suite.sections}
    assert set(titles["gold"].values()) == {"Facts about orders"}
    assert titles["scope"] == {"f1": "Refuses what it should"}
    written["sections"]["scope"]["title"] = {"recall": "Refuses what it should"}
    file.write_text(yaml.safe_dump(written))
    with pytest.raises(SuiteError, match="title: no metric `recall` here; there is "):
        load_suites(project)
