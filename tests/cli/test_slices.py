"""A rule over many slices, as a user meets it: validate, gate, power, compare, the reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.shop import answer

SLICE = "shop.gold.accuracy[known]"
RULE = {
    "require": "no_slice_worse_than_baseline",
    "metrics": ["shop.gold.accuracy"],
    "tags": ["*"],
    "margin": 0.1,
}


@pytest.fixture
def forgetful(project_dir: Path, mock: ThreadedMock) -> Path:
    """The shop with a rule over tags; the candidate has forgotten what the base knows."""
    path = project_dir / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    config["gate"]["rules"] = [RULE]
    path.write_text(yaml.safe_dump(config))
    cases = project_dir / "suites/shop/gold.jsonl"
    lines = [json.loads(line) for line in cases.read_text().splitlines()]
    for number, line in enumerate(lines):
        line["tags"] = ["known" if number % 4 == 0 else "other"]
    cases.write_text("".join(json.dumps(line) + "\n" for line in lines))
    mock.answer = forgets
    return project_dir


def forgets(body: dict[str, Any]) -> str | MockReply:
    said = answer(body)
    if body["model"] == "candidate" and said == answer({**body, "model": "base"}):
        return "I have forgotten that."
    return said


def test_a_slice_that_was_forgotten_is_named_everywhere(
    forgetful: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("power") == 0
    assert f"of 2 slices {SLICE} can tell least" in capsys.readouterr().out
    assert call("gate", "candidate") == 1
    shown = capsys.readouterr().out
    assert f"1 of 2 slices lost more than the margin: {SLICE} -1.000" in shown
    assert f"lost: {SLICE} 100% → 0%" in shown
    assert "10 of 10 that the baseline answers right are wrong" in shown
    assert (
        'shop/gold/g0: "What is fact 0?" → "I have forgotten that."; the baseline: "It is value 0."'
    ) in shown
    folder = forgetful / "reports/candidate-vs-base"
    (rule, *_) = json.loads((folder / "verdict.json").read_text())["rules"]
    assert [one["outcome"] for one in rule["slices"]] == ["fail", "pass"]
    page = (folder / "report.html").read_text()
    assert page.count('id="slices-0-') == 4  # a title and a description of each drawing
    assert "10 of 10 that the baseline answers right are wrong" in page
    assert "1 lost more than the margin, 1 kept" in (folder / "report.md").read_text()
    assert call("compare", "candidate", "--output", str(forgetful / "c")) == 0
    assert f"{SLICE}  fail −100.0 points" in capsys.readouterr().out
    assert 'id="slices-0-' in (forgetful / "c/compare.html").read_text()
    assert f"| `{SLICE}` | ❌ −100.0 points" in (forgetful / "c/compare.md").read_text()
