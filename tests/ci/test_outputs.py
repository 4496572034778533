"""The files of a CI job: all of a verdict, few without one, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ci.test_job import CI, EVERY, names
from tests.cli.builders import call
from tests.conftest import ThreadedMock


def test_a_promotion_hands_out_every_file_and_writes_the_usual_ones(project_dir: Path) -> None:
    assert call("gate", "candidate", *CI) == 0
    assert names(Path("out")) == EVERY
    usual = Path("reports/candidate-vs-base")
    assert names(usual) == {"verdict.json", "report.html", "report.md", "junit.xml"}
    for name in names(usual):
        assert (usual / name).read_bytes() == Path("out", name).read_bytes()
    assert Path("out/gates.jsonl").read_bytes() == Path(".harness/gates.jsonl").read_bytes()
    assert call("promote", "candidate") == 0


def test_without_the_wish_there_is_no_summary_and_no_annotation(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate", "--output-dir", "out") == 0
    assert names(Path("out")) == EVERY - {"summary.md"}
    assert "::" not in capsys.readouterr().out


def test_a_folder_that_cannot_be_is_told_before_anything_is_asked(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("taken").write_text("a file")
    assert call("gate", "candidate", "--output-dir", "taken/out") == 3
    assert "cannot write: Not a directory" in capsys.readouterr().err
    assert mock.server.requests == []


def test_other_files_in_the_folder_are_left_alone(project_dir: Path) -> None:
    Path("out").mkdir()
    Path("out/notes.txt").write_text("mine")
    assert call("gate", "candidate", *CI) == 0
    assert Path("out/notes.txt").read_text() == "mine"


def test_files_of_others_are_not_replaced(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("docs").mkdir()
    Path("docs/report.md").write_text("mine")
    assert call("gate", "candidate", "--output-dir", "docs") == 2
    assert "docs: holds files that a gate would replace" in capsys.readouterr().err
    assert Path("docs/report.md").read_text() == "mine"
    assert mock.server.requests == []
