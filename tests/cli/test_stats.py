"""`harness stats`: which cases and groups carry evidence."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.shop import answer


def stats(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert call("stats", "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_too_few_runs_are_said_in_a_line_each(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("stats") == 0
    out = capsys.readouterr().out
    for line in (
        "cases that never differ: too few runs",
        "cases that flip: no model was asked twice",
        "groups that decide: no gate on these suites",
    ):
        assert out.count(line) == 1
    assert "with 50 more" in out


def test_cases_in_which_no_model_differs_are_named(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    gold, scope = stats(capsys)["sections"]
    assert gold["compared"] == 40
    assert gold["alike"] == [f"g{number}" for number in range(0, 40, 4)], "the base knows these"
    assert scope["alike"] == [f"s{number}" for number in range(1, 40, 2)], "nobody refuses these"
    assert call("stats") == 0
    out = capsys.readouterr().out
    assert "shop.gold: no model differs in g0, g4, g8, g12, g16 and 5 more" in out


def test_cases_that_flip_when_one_model_is_asked_again_are_named(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: Counter[str] = Counter()

    def moody(body: dict[str, Any]) -> str:
        prompt = body["messages"][-1]["content"]
        asked[prompt] += 1
        odd = prompt == "What is fact 4?" and asked[prompt] % 2 == 0
        return "I have no idea at all." if odd else answer(body)

    mock.answer = moody
    assert call("run", "base") == 0
    assert stats(capsys)["sections"][0]["repeated"] == 0
    assert call("gate", "--aa") == 0
    gold, scope = stats(capsys)["sections"]
    assert (gold["repeated"], gold["flips"]) == (40, {"g4": pytest.approx(2 / 3)})
    assert scope["flips"] == {}


def test_a_group_without_which_a_rule_comes_out_otherwise_decides(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    text = path.read_text()
    assert call("gate", "candidate") == 0
    assert stats(capsys)["deciding"] == []
    # A limit right at the bound of 40 groups, which 39 do not reach.
    verdict = json.loads((project_dir / "reports/candidate-vs-base/verdict.json").read_text())
    (rule,) = [one for one in verdict["rules"] if one["metric"] == "shop.scope.f1"]
    path.write_text(text.replace("value: 0.8", f"value: {rule['ci_low'] - 1e-6}"))
    found = stats(capsys)
    assert found["comparisons"] == 1
    assert {(one["metric"], one["outcome"], one["without"]) for one in found["deciding"]} == {
        ("shop.scope.f1", "pass", "inconclusive")
    }


def test_more_groups_detect_less(project_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = stats(capsys)["power"]
    assert rows
    assert all(one["with_more"] < one["detectable"] for one in rows)
