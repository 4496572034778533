"""`harness power`, and what the gate says of margins that are too fine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import call


def test_power_needs_no_server_and_no_run(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("power") == 0
    shown = capsys.readouterr().out
    assert "if the outcome of 10 % of the groups changes by chance" in shown
    rows = {line.split()[1]: line.split() for line in shown.splitlines() if "shop." in line}
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
    assert call("power", "--discordance", "1.5") == 2
    assert call("power", "nobody") == 2
    assert "no target `nobody`" in capsys.readouterr().err


def test_the_gate_warns_of_a_margin_finer_than_the_suite_can_tell(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("margin: 0.2", "margin: 0.01"))
    assert call("gate", "candidate") == 4
    warning = next(line for line in capsys.readouterr().out.splitlines() if "warning" in line)
    assert "shop.scope.answer_rate: a margin of 0.01 is finer than the drop of 0.139" in warning
    assert "about 299 groups are needed" in warning
    folder = project_dir / "reports/candidate-vs-base"
    rule = json.loads((folder / "verdict.json").read_text())["rules"][2]
    assert (round(rule["detectable"], 3), rule["groups_needed"]) == (0.139, 299)
    said = "20 groups can tell a drop of 13.9 pp, not one of the margin's size; about 299"
    for name in ("report.html", "report.md"):
        assert said in (folder / name).read_text().replace("&#39;", "'").replace("\\", "")
