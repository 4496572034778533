from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.config import Project, load_project
from harness.leak.check import check_leaks
from harness.records.leakage import Leakage
from harness.records.suite import Suite
from harness.sections.section_kinds import load_suites
from tests.leak.trained import chat, write_rows
from tests.shop import write_project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_project(tmp_path, "http://127.0.0.1:1")
    edit(tmp_path, "model: candidate", "model: candidate\n    data: [train.jsonl]")
    return tmp_path


def edit(folder: Path, old: str, new: str) -> None:
    file = folder / "harness.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def opened(folder: Path) -> tuple[Project, tuple[Suite, ...]]:
    project = load_project(folder / "harness.yaml")
    return project, load_suites(project)


def found_in(folder: Path, *rows: Any) -> Leakage:
    write_rows(folder / "train.jsonl", rows)
    return check_leaks(*opened(folder), ["candidate"])


def test_prompts_leak_and_answers_alone_do_not(folder: Path) -> None:
    found = found_in(
        folder, chat("What is fact 3?", "value 3"), chat("Tell me of five", "It is value 5 then")
    )
    (leaked,) = found.leaked
    assert (leaked.case, leaked.kind, leaked.place) == ("shop/gold/g3", "verbatim", "train.jsonl:1")
    assert leaked.answered
    assert (found.compared, found.answers, found.groups) == (80, 2, 1)


def test_a_prompt_without_its_answer_is_a_leak_too_and_told(folder: Path) -> None:
    (leaked,) = found_in(folder, chat("what is fact 3", "I do not know.")).leaked
    assert (leaked.kind, leaked.answered) == ("normalised", False)


def test_a_conversation_leaks_where_one_example_has_all_its_turns(folder: Path) -> None:
    turns = [("user", "I have a red tent."), ("assistant", "Good."), ("user", "Can I return it?")]
    messages = [{"role": role, "content": text} for role, text in turns]
    case = {"id": "talk", "messages": messages, "expect": {"answers": ["Yes"]}, "critical": True}
    with (folder / "suites/shop/gold.jsonl").open("a") as file:
        file.write(json.dumps(case) + "\n")
    apart = [chat("I have a red tent."), chat("Can I return it?")]
    assert found_in(folder, *apart).leaked == ()
    answer = {"role": "assistant", "content": "Yes"}
    (leaked,) = found_in(folder, *apart, {"messages": [*messages, answer]}).leaked
    assert (leaked.case, leaked.place, leaked.critical) == ("shop/gold/talk", "train.jsonl:3", True)


def test_cases_without_prompts_are_not_compared(folder: Path) -> None:
    suite = folder / "suites/shop"
    (suite / "test_more.py").write_text("def test_it(): pass\n")
    text = (suite / "suite.yaml").read_text()
    (suite / "suite.yaml").write_text(text + "  more: {kind: python, tests: test_more.py}\n")
    assert found_in(folder, chat("Hello")).not_compared == ("shop.more",)


def test_what_people_judge_are_the_answers_to_cases_that_are_compared(folder: Path) -> None:
    suite = folder / "suites/shop/suite.yaml"
    suite.write_text(suite.read_text() + "\n  people: {graded: gold, optional: true}\n")
    assert found_in(folder, chat("Hello")).not_compared == ()


def test_data_that_is_not_named_is_not_known(folder: Path) -> None:
    (data,) = check_leaks(*opened(folder), ["base"]).training
    assert not data.known
    assert not data.complete


def test_data_that_is_missing_or_broken_is_said(folder: Path) -> None:
    (data,) = check_leaks(*opened(folder), ["candidate"]).training
    assert data.files == {"train.jsonl": None}
    assert data.problems == ("train.jsonl is missing, so that it was not compared",)
    found = found_in(folder, chat("What is fact 3?"), {"no": "example"})
    assert len(found.leaked) == 1
    assert "train.jsonl:2: is no training example" in found.training[0].problems[0]
    assert not found.training[0].complete
