"""Runs of targets with examples and passages: what is sent, kept, asked again, and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_project
from harness.errors import UsageError
from harness.run.engine import run
from harness.sections.section_kinds import load_suites
from harness.storage import RunFolder, runs_of
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.shop import answer

FACTS = "# Facts\n\nFact 1 is value 1.\n\nFact 2 is value 2.\n\nNobody may shout.\n"
SHOTS = [
    {"group": group, "messages": [{"role": "user", "content": f"Tell {group}."},
                                  {"role": "assistant", "content": f"Told {group}."}]}
    for group in ("a", "b", "g1")
]  # fmt: skip


@pytest.fixture
def project(project_dir: Path, mock: ThreadedMock) -> Path:
    (project_dir / "docs").mkdir()
    (project_dir / "docs" / "facts.md").write_text(FACTS)
    write(project_dir / "shots.jsonl", SHOTS)
    settings = yaml.safe_load((project_dir / "harness.yaml").read_text())
    one = {"server": "main", "model": "base"}
    settings["targets"] |= {
        "rag": {**one, "retrieval": {"documents": "docs", "k": 1, "words": 5}},
        "shots": {**one, "few_shot": {"file": "shots.jsonl", "k": 2}},
        "both": {"server": "main", "model": "candidate", "few_shot": {"file": "shots.jsonl",
                 "k": 2}, "retrieval": {"documents": "docs", "k": 1, "words": 5}},
    }  # fmt: skip
    settings["gate"]["compare_across"] = ["few_shot", "retrieval"]
    (project_dir / "harness.yaml").write_text(yaml.safe_dump(settings))
    mock.answer = says
    return project_dir


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def says(body: dict[str, Any]) -> str:
    """The shop's answer; with passages, what the first one says."""
    *before, last = body["messages"]
    passages, _, question = last["content"].rpartition("Question: ")
    if "value" in passages:
        return passages.split("[1] ")[1].split("\n")[1]
    return answer({**body, "messages": [*before, {**last, "content": question}]})


def newest(folder: Path, target: str) -> tuple[RunFolder, Any]:
    return runs_of(folder / ".harness/runs", target)[0]


def asked(mock: ThreadedMock, question: str) -> list[dict[str, str]]:
    (body,) = [
        one["messages"] for one in mock.server.requests
        if one["messages"][-1]["content"].endswith(question)
    ]  # fmt: skip
    return body


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "harness.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_passages_are_sent_and_kept_with_the_answer(project: Path, mock: ThreadedMock) -> None:
    assert call("run", "rag") == 0
    sent = asked(mock, "What is fact 1?")
    assert sent[-1]["content"].startswith("Passages that may hold the answer:\n\n[1] Facts\nFact 1")
    folder, header = newest(project, "rag")
    kept = {one.case: one for one in folder.load().attempts}
    assert [(one.id, one.text) for one in kept["g1"].passages] == [
        ("facts.md#facts/1", "Facts\nFact 1 is value 1."),
    ]  # fmt: skip
    assert kept["g1"].text == "Fact 1 is value 1."
    assert kept["s0"].passages == ()
    assert header.identity.retrieval.startswith("1 passages of 5 words, sha256:")


def test_examples_stand_before_the_question_and_never_those_of_its_group(
    project: Path, mock: ThreadedMock
) -> None:
    assert call("run", "shots") == 0
    roles = [turn["role"] for turn in asked(mock, "What is fact 1?")]
    assert roles == ["system", *(["user", "assistant"] * 2), "user"]
    told = [turn["content"] for turn in asked(mock, "What is fact 1?")]
    assert "Told g1." not in told
    assert newest(project, "shots")[1].identity.few_shot.startswith("2 examples, seed 0, sha256:")


def test_both_go_with_another_model(project: Path, mock: ThreadedMock) -> None:
    assert call("run", "both") == 0
    sent = asked(mock, "What is fact 2?")
    assert len(sent) == 6
    assert "Fact 2 is value 2." in sent[-1]["content"]


@pytest.mark.parametrize(
    ("target", "change"),
    [
        ("rag", lambda folder: (folder / "docs/facts.md").write_text(FACTS + "More.\n")),
        ("rag", lambda folder: edit(folder, "words: 5", "words: 6")),
        ("shots", lambda folder: write(folder / "shots.jsonl", SHOTS[:2] + SHOTS[:1])),
        ("shots", lambda folder: edit(folder, "k: 2\n", "k: 2\n      seed: 3\n")),
    ],
    ids=["document", "words", "examples", "seed"],
)
def test_what_is_put_before_a_question_is_part_of_what_an_answer_is_known_by(
    project: Path, mock: ThreadedMock, target: str, change: Any
) -> None:
    assert call("run", target) == 0
    mock.server.requests.clear()
    assert call("run", target) == 0
    assert mock.server.requests == []
    change(project)
    assert call("run", target) == 0
    assert len(mock.server.requests) == 80


def test_a_case_of_another_group_is_shown_other_examples(project: Path, mock: ThreadedMock) -> None:
    assert call("run", "shots", "--case", "g1") == 0
    path = project / "suites/shop/gold.jsonl"
    path.write_text(path.read_text().replace('"group": "g1"', '"group": "a"'))
    mock.server.requests.clear()
    assert call("run", "shots", "--case", "g1") == 0
    told = [turn["content"] for turn in asked(mock, "What is fact 1?")]
    assert "Told a." not in told


def test_a_gate_compares_across_what_its_policy_names(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "rag") in (0, 1, 4)
    assert "passages" not in capsys.readouterr().err
    edit(project, "  compare_across:\n  - few_shot\n  - retrieval\n", "")
    assert call("gate", "rag") == 3
    told = capsys.readouterr().err
    assert "are asked differently: retrieval is 1 passages of 5 words" in told
    assert "`compare_across: [retrieval]`" in told


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("documents: docs", "documents: nowhere", "no such folder or file"),
        ("documents: docs", "documents: ../docs", "leaves the project"),
        ("k: 1", "k: 0", "k: must be at least 1"),
        ("file: shots.jsonl", "file: none.jsonl", "no such file: `none.jsonl`"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    project: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, what: str
) -> None:
    edit(project, old, new)
    for command in (["validate"], ["run", "both"]):
        assert call(*command) == 2
        told = capsys.readouterr().err.strip()
        assert what in told.splitlines()[-1]


def test_a_file_of_the_cases_own_group_alone_is_refused_before_anything_is_asked(
    project: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project / "shots.jsonl", [{**one, "group": "g7"} for one in SHOTS])
    edit(project, "k: 2", "k: 1")
    assert call("run", "shots") == 2
    told = capsys.readouterr().err
    assert "has 0 of the 1 examples that shop/gold/g7 is to be shown" in told
    assert mock.server.requests == []


def test_a_cluster_looks_up_no_passages(project: Path) -> None:
    loaded = load_project(project / "harness.yaml")
    watcher: Any = type("Silent", (), {"say": lambda *_: None, "progress": lambda *_: None})()
    cluster: Any = object()
    with pytest.raises(UsageError, match="the workers of a cluster look up no passages"):
        run(loaded, ["rag"], load_suites(loaded), watcher, cluster=cluster)
