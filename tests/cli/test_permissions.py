"""Who may read what commands write: answers and reports are for their owner, unless asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.builders import call


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, set[int]]:
    """The permissions of all files and of all folders, that one included."""
    everything = [folder, *folder.rglob("*")]
    return {
        kind: {path.stat().st_mode & 0o777 for path in everything if is_one(path)}
        for kind, is_one in (("files", Path.is_file), ("folders", Path.is_dir))
    }


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize(
    ("shared", "files", "folders"), [("", 0o600, 0o700), ("0", 0o600, 0o700), ("1", 0o640, 0o750)]
)
def test_a_gate_writes_for_its_owner_unless_others_are_asked_in(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch, shared: str, files: int, folders: int
) -> None:
    monkeypatch.setenv("HARNESS_SHARED_FILES", shared)
    assert call("gate", "candidate", "--output-dir", "out") == 0
    assert call("promote", "candidate") == 0
    for name in (".harness", "reports", "out"):
        assert modes(project_dir / name) == {"files": {files}, "folders": {folders}}, name
    # It is committed, so that everybody who has the repository reads it.
    assert modes(project_dir / "baselines") == {"files": {0o640}, "folders": {0o750}}


def test_what_was_there_stays_as_it_is(project_dir: Path) -> None:
    reports = project_dir / "reports"
    reports.mkdir(mode=0o755)
    reports.chmod(0o755)
    assert call("gate", "candidate") == 0
    assert reports.stat().st_mode & 0o777 == 0o755
    assert modes(reports / "candidate-vs-base") == {"files": {0o600}, "folders": {0o700}}
