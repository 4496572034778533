from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest

from harness.errors import StorageError, UsageError
from harness.review import sqlite_file
from harness.review import store as module
from harness.review.export import labels_of
from harness.review.store import ReviewStore, create, open_store
from harness.review.stored import Addition, Sheet
from tests.review.builders import item, review

NOW = (1000.0, "2026-01-01T00:00:00Z")


def sheet(store: ReviewStore, place: int = 1, rater: int = 1) -> Sheet:
    found = store.sheet(rater, place)
    assert found is not None
    return found


def standing(store: ReviewStore) -> list[tuple[str, str, str]]:
    return [(one.rater, one.criterion, one.code) for one in store.given()]


def test_a_choice_stands_until_another_one_and_makes_the_item_done(tmp_path: Path) -> None:
    store = review(tmp_path)
    store.choose(sheet(store), {"correct": ("right", "")}, 1, NOW)
    assert sheet(store).done
    store.choose(sheet(store), {"correct": ("wrong", "")}, 1, NOW)
    assert standing(store) == [("anna", "correct", "wrong")]
    assert store.next_place(1, 1) == 2
    progress = store.progress(1)
    assert (progress.done, progress.total, progress.seconds_left) == (1, 4, None)


def test_the_same_request_twice_is_one_choice(tmp_path: Path) -> None:
    store = review(tmp_path)
    for _ in range(2):
        store.choose(sheet(store), {"correct": ("right", "")}, 1, NOW)
    last = store.progress(1).last
    assert last is not None
    assert store.undo(1, last) == 1
    assert standing(store) == []


def test_undo_brings_back_what_stood_before(tmp_path: Path) -> None:
    store = review(tmp_path)
    for code in ("right", "wrong"):
        store.choose(sheet(store), {"correct": (code, "")}, 1, NOW)
    last = store.progress(1).last
    assert last is not None
    assert store.undo(2, last) is None  # another rater's
    assert store.undo(1, last) == 1
    assert store.undo(1, last) is None  # the same form again
    assert standing(store) == [("anna", "correct", "right")]
    assert sheet(store).done
    assert store.undo(1, last - 1) == 1
    assert not sheet(store).done


def test_an_item_is_done_with_its_last_question(tmp_path: Path) -> None:
    store = review(tmp_path, "grade")
    store.choose(sheet(store), {"tone": ("4", "")}, 2, NOW)
    assert not sheet(store).done
    store.choose(sheet(store), {"accuracy": ("cannot-tell", "knowledge")}, 2, NOW)
    assert sheet(store).done
    assert sheet(store).replies["accuracy"].reason == "knowledge"


def test_the_time_left_goes_by_the_usual_gap(tmp_path: Path) -> None:
    store = review(tmp_path, items=5)
    for place, moment in ((1, 0.0), (2, 10.0), (3, 20.0), (4, 5000.0)):
        store.choose(sheet(store, place), {"correct": ("right", "")}, 1, (moment, NOW[1]))
    assert store.progress(1).seconds_left == 10.0


def test_a_remark_is_kept(tmp_path: Path) -> None:
    store = review(tmp_path)
    store.remark(sheet(store), "odd", True)
    assert (sheet(store).comment, sheet(store).flagged) == ("odd", True)


def test_nothing_is_lost_or_doubled_by_a_kill(tmp_path: Path) -> None:
    """A process is killed while it saves; all that it said was saved is there, once."""
    store = review(tmp_path, items=200)
    code = textwrap.dedent(
        f"""
        from pathlib import Path
        from harness.review.store import open_store
        store = open_store(Path({str(store.path)!r}))
        for place in range(1, 201):
            sheet = store.sheet(1, place)
            store.choose(sheet, {{"correct": ("right", "")}}, 1, (1.0, "2026-01-01T00:00:00Z"))
            print(place, flush=True)
        """
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        if line.strip() == "40":
            os.kill(child.pid, signal.SIGKILL)
            break
    said = 40 + len(child.stdout.read().split())
    child.wait()
    after = open_store(store.path)
    done = after.progress(1).done
    assert said <= done <= said + 1
    assert len(after.given()) == done


def test_what_is_wrong_with_a_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such review"):
        open_store(tmp_path / "none.sqlite")
    other = tmp_path / "other.sqlite"
    other.write_bytes(b"no database at all, but long enough to be read as one" * 20)
    with pytest.raises(StorageError, match="no sound SQLite database"):
        open_store(other)
    sqlite3.connect(tmp_path / "foreign.sqlite").executescript("CREATE TABLE a (b)")
    with pytest.raises(StorageError, match="no file of a review"):
        open_store(tmp_path / "foreign.sqlite")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("DELETE FROM draw", "holds no draw"),
        ("UPDATE draw SET json = '{}'", "holds no sound draw: task: missing"),
        ("UPDATE items SET json = '[]'", "holds no sound item"),
        ("DROP TABLE items", "is no sound SQLite database: no such table: items"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, damage: str, message: str) -> None:
    path = review(tmp_path).path
    with closing(sqlite3.connect(path)) as database:
        database.execute(damage)
        database.commit()
    with pytest.raises(StorageError) as error:
        labels_of(open_store(path))
    assert message in error.value.line
    assert "\n" not in error.value.line


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    store = review(tmp_path)
    with sqlite3.connect(store.path) as database:
        database.execute(f"PRAGMA user_version = {sqlite_file.VERSION + 1}")
    with pytest.raises(UsageError, match="newer version"):
        open_store(store.path)


def test_a_locked_file_is_told_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "WAIT_SECONDS", 0.0)
    store = review(tmp_path)
    store.choose(sheet(store), {"correct": ("right", "")}, 1, NOW)
    with sqlite3.connect(store.path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="locked by another program"):
            store.choose(sheet(store, 2), {"correct": ("right", "")}, 1, NOW)
        other.execute("ROLLBACK")
    assert standing(store) == [("anna", "correct", "right")]


def test_a_full_disk_is_told_and_nothing_is_half_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = review(tmp_path)
    sheets = [sheet(store, place) for place in (1, 2)]
    store.choose(sheets[0], {"correct": ("right", "")}, 1, NOW)

    def full(path: Path) -> sqlite3.Connection:
        database = sqlite_file.connect(path)
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {pages}")
        return database

    with monkeypatch.context() as patch:
        patch.setattr(module, "connect", full)
        with pytest.raises(StorageError, match="disk is full"):
            store.remark(sheets[1], "x" * 100_000, True)
        with pytest.raises(StorageError, match="disk is full"):
            store.add(
                [
                    Addition(each, "correct", "wrong", "", NOW[1], NOW[0], "x" * 100_000, 1)
                    for each in sheets[1:]
                ]
            )
    assert standing(store) == [("anna", "correct", "right")]
    assert sheet(store, 2).comment == ""


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    draw = review(tmp_path).draw()
    with pytest.raises(StorageError, match="cannot write"):
        create(tmp_path / "file" / "r.sqlite", draw, [item(1)], ["anna"], [])


def test_the_file_and_its_links_are_their_owners_alone(tmp_path: Path) -> None:
    store = review(tmp_path)
    assert store.path.stat().st_mode & 0o077 == 0
    secrets = [*(one.secret for one in store.raters()), store.secrets()[0]]
    assert len({*secrets}) == 3
    assert all(len(bytes.fromhex(one)) == 16 for one in secrets)
    assert not list(tmp_path.glob(".*"))
