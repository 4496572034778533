"""`harness calibrate`, and rules that people's labels decide, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from harness.config import load_project
from harness.labels.files import answer_digest, cases_digest, label_line
from harness.sections.section_kinds import load_suites
from harness.storage import runs_of
from tests.cli.builders import call
from tests.labels.builders import label


def write_labels(project_dir: Path) -> Path:
    """Labels of every gold answer of both targets, as the scorer would give them."""
    (suite,) = load_suites(load_project(project_dir / "harness.yaml"))
    gold = next(section for section in suite.sections if section.name == "gold")
    lines = []
    for target in ("base", "candidate"):
        folder, _ = runs_of(project_dir / ".harness/runs", target)[0]
        run = folder.load()
        values = {score.key: score.value for score in run.scores}
        lines += [
            label_line(
                label(
                    target=target, cases=cases_digest(gold), case=one.case, probability=1.0,
                    answer=answer_digest(one.text), value=float((values[one.key] or 0) >= 0.5),
                )
            )
            for one in run.attempts
            if one.section == "gold"
        ]  # fmt: skip
    path = project_dir / "labels.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def audit(project_dir: Path) -> None:
    """Let people's labels decide the rule on the accuracy of gold."""
    path = project_dir / "harness.yaml"
    data = yaml.safe_load(path.read_text())
    data["labels"] = ["labels.jsonl"]
    for rule in data["gate"]["rules"]:
        if rule.get("metric") == "shop.gold.accuracy":
            rule["evidence"] = "audited"
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def test_labels_decide_and_bind_a_verdict(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    labels = write_labels(project_dir)
    audit(project_dir)
    capsys.readouterr()
    assert call("gate", "candidate", "--stored") == 0
    shown = capsys.readouterr().out
    assert "people correct it by +0.000, having labelled 40 of 40 groups" in shown
    assert "accuracy: even a candidate that is wrong in every case" not in shown
    assert call("calibrate", "shop.gold", "candidate") == 0
    shown = capsys.readouterr().out
    assert "shop.gold.accuracy beside people's `correct`: 40 labelled groups, 1 rater" in shown
    assert "agreement" in shown
    assert call("calibrate", "shop.gold", "candidate", "--json") == 0
    assert json.loads(capsys.readouterr().out)["favours"] == ""
    first, *others = labels.read_text().splitlines()
    labels.write_text("\n".join([first.replace('"rater":"anna"', '"rater":"ben"'), *others]))
    assert call("promote", "candidate") == 2
    assert "the labels changed after the verdict" in capsys.readouterr().err


def test_bad_input_is_one_line(project_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("gate", "candidate") == 0
    labels = write_labels(project_dir)
    audit(project_dir)
    capsys.readouterr()
    assert call("calibrate", "shop.gild", "candidate") == 2
    assert "did you mean `shop.gold`?" in capsys.readouterr().err
    assert call("calibrate", "shop.gold", "candidate", "--criterion", "tone") == 3
    assert "no label by `tone` holds for answers of shop.gold" in capsys.readouterr().err
    assert call("calibrate", "shop.scope.f1", "candidate") == 2
    assert "a mean over cases" in capsys.readouterr().err
    labels.write_text(labels.read_text().replace('"value":1.0', '"value":7', 1))
    assert call("gate", "candidate", "--stored") == 2
    assert "7 is outside the scale 0 to 1" in capsys.readouterr().err
    labels.unlink()
    assert call("gate", "candidate", "--stored") == 2
    assert "`labels.jsonl` matches no file" in capsys.readouterr().err
