"""`harness power`, and what the gate says of margins that are too fine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.shop import answer, write_lines


def test_power_needs_no_server_and_no_run(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("power") == 0
    shown = capsys.readouterr().out
    assert "if 10 % of the groups change by chance" in shown
    rows = {line.split()[1]: line.split() for line in shown.splitlines()[3:] if ":" not in line}
    assert rows["no_worse_than_baseline"][2:4] == ["20", "20"]
    assert rows["no_worse_than_baseline"][5] == "0.200"
    assert call("power", "--discordance", "0.3", "--json") == 0
    wide = {each["require"]: each for each in json.loads(capsys.readouterr().out)}
    assert wide["no_worse_than_baseline"]["groups_needed"] > 20


def test_power_of_a_candidate_goes_by_its_stored_answers(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("power", "candidate") == 3
    assert "harness run base" in capsys.readouterr().err
    assert call("run", "base", "candidate") == 0
    capsys.readouterr()
    assert call("power", "candidate") == 0
    shown = capsys.readouterr().out
    assert "with the spread seen between candidate and base" in shown
    assert "shop.gold.accuracy" in shown


def test_bad_input_is_one_line_and_exit_2(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for share in ("1.5", "-0.1", "nan", "much"):
        assert call("power", "--discordance", share) == 2
    assert call("power", "candidate", "--discordance", "0.2") == 2
    assert call("power", "nobody") == 2
    assert "no target `nobody`" in capsys.readouterr().err


def test_the_gate_warns_of_a_margin_finer_than_the_suite_can_tell(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("margin: 0.2", "margin: 0.01"))
    assert call("gate", "candidate") == 4
    warning = next(line for line in capsys.readouterr().out.splitlines() if "warning" in line)
    said = (
        "20 groups can only show a drop of at least 13.9 points, but the margin is 1.0 points: "
        "about 279 more groups are needed"
    )
    assert warning == f"  warning: shop.scope.answer_rate: {said}"
    folder = project_dir / "reports/candidate-vs-base"
    rule = json.loads((folder / "verdict.json").read_text())["rules"][2]
    assert (round(rule["detectable"], 3), rule["groups_needed"]) == (0.139, 299)
    for name in ("report.html", "report.md"):
        assert said in (folder / name).read_text().replace("&#39;", "'").replace("\\", "")


def test_evidence_that_cannot_be_trusted_gives_no_number(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(body: dict[str, Any]) -> str | MockReply:
        lost = body["model"] == "candidate" and body["messages"][-1]["content"].endswith("7?")
        return MockReply("no", status=400) if lost else answer(body)

    mock.answer = fails
    assert call("gate", "candidate") == 3
    shown = capsys.readouterr().out
    assert "90.0 % of shop.gold, 99 % are needed (4 failed: http: HTTP 400: no)" in shown
    assert "[" not in shown, "an interval would be taken for one that holds"
    for command in ("power", "compare"):
        assert call(command, "candidate") == 3
        left = capsys.readouterr()
        assert left.out == ""
        assert "90.0 % of shop.gold" in left.err


def test_all_cases_in_one_group_are_named_before_a_run_and_in_the_verdict(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "suites/shop/gold.jsonl"
    cases = [json.loads(line) | {"group": "all"} for line in path.read_text().splitlines()]
    write_lines(path, cases)
    said = "all cases are in one group"
    assert call("validate") == 0
    assert (
        f"impossible-rule: shop.gold.accuracy: {said}, so a gate is INVALID"
        in capsys.readouterr().err
    )
    assert call("power") == 0
    assert f"shop.gold.accuracy: {said}" in capsys.readouterr().out
    assert call("gate", "candidate") == 3
    assert said in capsys.readouterr().out


def test_a_sealed_baseline_of_another_suite_version_is_refused_before_anything_is_asked(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate", "--name", "v1") == 0
    assert call("gate", "base", "--baseline", "sealed:v1", "--repeats", "2") == 2
    assert "holds 1 answers a case, `base` would be asked for 2 - --repeats 1" in (
        capsys.readouterr().err
    )
    path = project_dir / "suites/shop/gold.jsonl"
    path.write_text(path.read_text().replace("value 7", "value 70"))
    before = len(mock.server.requests)
    for command in (("gate", "base"), ("compare", "base")):
        assert call(*command, "--baseline", "sealed:v1") == 3
        assert "was sealed on another version of suite `shop`" in capsys.readouterr().err
    assert len(mock.server.requests) == before


def test_an_f1_that_a_perfect_candidate_cannot_show_is_named(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("value: 0.8", "value: 0.9"))
    assert call("validate") == 0
    said = (
        "shop.scope.f1: even a perfect candidate cannot pass with 20 groups; 29 groups are needed"
    )
    assert said in capsys.readouterr().err


def test_what_a_gate_asks_that_ends_early_is_foretold(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = project_dir / "harness.yaml"
    text = config.read_text()
    assert call("power") == 0
    assert "ends early" not in capsys.readouterr().out
    config.write_text(text.replace("gate:\n", "gate:\n  sequential: true\n"))
    assert call("power") == 0
    shown = capsys.readouterr().out
    # `better_than_baseline` by 0 has no room, so its section may be asked whole.
    assert "of 80 cases on average before it ends early: 40 of 40 in shop.gold" in shown
