"""What training data makes of a gate, from the configuration to the promotion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.config import load_project
from harness.session.context import open_context
from harness.session.leakage import training_digests
from tests.cli.builders import call
from tests.leak.trained import chat, write_rows


@pytest.fixture
def trained(project_dir: Path) -> Path:
    """A project whose candidate was trained on 20 of the 40 questions."""
    file = project_dir / "harness.yaml"
    text = file.read_text()
    assert "model: candidate" in text
    file.write_text(text.replace("model: candidate", "model: candidate\n    data: [train.jsonl]"))
    rows = [chat(f"What is fact {number}?", f"value {number}") for number in range(1, 21)]
    write_rows(project_dir / "train.jsonl", rows)
    return project_dir


def verdict_of(folder: Path) -> dict[str, Any]:
    path = folder / "reports/candidate-vs-base/verdict.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_a_gate_compares_training_data_and_stays_bound_to_it(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    verdict = verdict_of(trained)
    assert len(verdict["leakage"]["leaked"]) == 20
    assert "training file `train.jsonl` of `candidate`" in verdict["hashes"]["rests_on"]
    page = (trained / "reports/candidate-vs-base/report.html").read_text()
    assert "20 cases of 80 cases leaked" in page
    assert "training data not known" in page  # the baseline's
    assert "without leaked groups" in (trained / "reports/candidate-vs-base/report.md").read_text()
    assert call("report", "candidate") == 0

    edited = json.loads(json.dumps(verdict))
    edited["leakage"]["leaked"] = []
    path = trained / "reports/candidate-vs-base/verdict.json"
    path.write_text(json.dumps(edited))
    assert call("report", "candidate") == 3
    assert "do not lead to this verdict" in capsys.readouterr().err
    assert call("promote", "candidate") == 2

    path.write_text(json.dumps(verdict))
    write_rows(trained / "train.jsonl", [chat("Hello")])
    assert call("report", "candidate") == 3
    assert "training file `train.jsonl` of `candidate`" in capsys.readouterr().err
    assert call("promote", "candidate") == 2
    assert call("gate", "candidate", "--stored") == 0
    assert verdict_of(trained)["leakage"]["leaked"] == []


def test_nothing_is_known_of_targets_without_data(project_dir: Path) -> None:
    assert call("gate", "candidate") == 0
    assert "leakage" not in verdict_of(project_dir)
    page = (project_dir / "reports/candidate-vs-base/report.html").read_text()
    assert "The training data of neither side is known" in page
    context = open_context(load_project(project_dir / "harness.yaml"), ["candidate"], None, ())
    assert context.policy.leaks == "strict"
    assert training_digests(None) == {}


def test_the_command_tells_by_its_exit_code(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("leak", "candidate") == 1
    printed = capsys.readouterr().out
    assert "20 of 80 cases leaked, in 20 groups" in printed
    assert "verbatim  shop/gold/g1   train.jsonl:1" in printed
    assert call("leak", "candidate", "--json") == 1
    assert len(json.loads(capsys.readouterr().out)["leaked"]) == 20
    assert call("leak", "base") == 4
    assert "its training data is not known" in capsys.readouterr().out
    write_rows(trained / "train.jsonl", [chat("Hello")])
    assert call("leak", "candidate") == 0
    (trained / "train.jsonl").unlink()
    assert call("leak", "candidate") == 4
    assert "train.jsonl is missing" in capsys.readouterr().out
    assert call("leak", "nobody") == 2
