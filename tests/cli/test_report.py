"""`harness report` writes the files of a verdict again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.builders import call


def test_report_writes_the_same_files_again(project_dir: Path) -> None:
    assert call("gate", "candidate") == 0
    folder = project_dir / "reports/candidate-vs-base"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        if path.name != "verdict.json":
            path.unlink()
    assert call("report", "candidate") == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_verdict_edited_by_hand_is_neither_reported_nor_promoted(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("value: 0.8", "value: 1.0"))
    assert call("gate", "candidate") == 4
    file = project_dir / "reports/candidate-vs-base/verdict.json"
    honest = file.read_text()
    for forged in (
        honest.replace('"INCONCLUSIVE"', '"PROMOTE"'),
        honest.replace('"INCONCLUSIVE"', '"PROMOTE"').replace('"inconclusive"', '"pass"'),
    ):
        file.write_text(forged)
        assert call("report", "candidate") == 3
        assert call("promote", "candidate") in (2, 3)
        assert "Traceback" not in capsys.readouterr().err
    assert not (project_dir / "baselines").exists()


def test_a_target_that_has_no_part_in_it_leaves_a_verdict_alone(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    path = project_dir / "harness.yaml"
    path.write_text(
        path.read_text().replace("targets:\n", "targets:\n  other: {server: main, model: x}\n")
    )
    assert call("report", "candidate") == 0
    path.write_text(path.read_text().replace("value: 0.8", "value: 0.7"))
    assert call("report", "candidate") == 3
    assert "rests on what has changed since: `gate.rules`" in capsys.readouterr().err
