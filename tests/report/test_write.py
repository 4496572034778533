"""The four files of a report."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import StorageError
from harness.report.write import (
    EARLIER,
    FILES,
    KEPT,
    VERDICT,
    copy_report,
    keep_earlier,
    set_aside,
    write_report,
)
from tests.report.fixtures import pair


def test_all_four_files_are_written_whole_and_again(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "good-vs-base"
    for _ in range(2):
        paths = write_report(*pair("PROMOTE"), folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "junit.xml", "report.html", "report.md", "verdict.json",
    ]  # fmt: skip
    assert [path.name for path in paths] == list(FILES)
    for path in paths:
        assert path.parent == folder
        assert path.read_text(encoding="utf-8")


def test_a_copy_is_the_same_file_by_file(tmp_path: Path) -> None:
    write_report(*pair("PROMOTE"), tmp_path / "a")
    copy_report(tmp_path / "a", tmp_path / "b")
    assert {path.name for path in (tmp_path / "b").iterdir()} == set(FILES)
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    copy_report(tmp_path / "a", tmp_path / "a")
    (tmp_path / "a/report.md").unlink()
    with pytest.raises(StorageError, match="is gone"):
        copy_report(tmp_path / "a", tmp_path / "b")


def test_a_folder_that_cannot_be_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(StorageError, match="cannot write"):
        write_report(*pair("PROMOTE"), tmp_path / "reports")


def test_importing_the_writer_imports_no_drawing_library() -> None:
    told = "import sys, harness.report.write; print({'jinja2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_report_that_is_replaced_is_kept_by_its_date_and_the_oldest_go(tmp_path: Path) -> None:
    first, found = pair("BLOCK")
    assert keep_earlier(tmp_path, first) is None
    for day in range(1, KEPT + 4):
        verdict = first.model_copy(
            update={"created": f"2026-11-{day:02}T10:00:00Z", "candidate_run": f"run-{day}"}
        )
        keep_earlier(tmp_path, verdict)
        write_report(verdict, found, tmp_path)
    kept = sorted(path.name for path in (tmp_path / EARLIER).iterdir())
    assert kept == [f"2026-11-{day:02}T100000Z" for day in range(3, 3 + KEPT)]
    assert {path.name for path in (tmp_path / EARLIER / kept[0]).iterdir()} == set(FILES)
    again = verdict.model_copy(update={"created": "2026-12-01T10:00:00Z"})
    assert keep_earlier(tmp_path, again) is None
    (tmp_path / VERDICT).write_text("{}")
    assert keep_earlier(tmp_path, again) is None


def test_a_report_that_is_set_aside_is_kept_too(tmp_path: Path) -> None:
    verdict, found = pair("BLOCK")
    write_report(verdict, found, tmp_path)
    set_aside(tmp_path)
    (kept,) = (tmp_path / EARLIER).iterdir()
    assert {path.name for path in kept.iterdir()} == set(FILES)
    assert [path.name for path in tmp_path.iterdir()] == [EARLIER]


def test_nothing_goes_with_the_oldest_that_no_gate_has_put_there(tmp_path: Path) -> None:
    first, _ = pair("BLOCK")
    own = tmp_path / EARLIER / "2026-10-01 by hand"
    own.mkdir(parents=True)
    linked = tmp_path / EARLIER / "2026-10-02T100000Z"
    linked.symlink_to(own)
    noted = tmp_path / EARLIER / "2026-11-01T100000Z/notes.txt"
    for day in range(1, KEPT + 4):
        created = {"created": f"2026-11-{day:02}T10:00:00Z"}
        keep_earlier(tmp_path, first.model_copy(update=created))
        before = first.model_copy(update={**created, "alpha": day / 100})
        (tmp_path / VERDICT).write_text(before.model_dump_json())
        if day == 2:
            noted.write_text("read this")
    assert own.is_dir()
    assert linked.is_symlink()
    assert [path.name for path in noted.parent.iterdir()] == ["notes.txt"]
    assert len(list((tmp_path / EARLIER).glob(f"2026-11-*/{VERDICT}"))) == KEPT
