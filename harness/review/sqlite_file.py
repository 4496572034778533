"""The form of a review's SQLite file, and what SQLite says in one line."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from harness.errors import HarnessError, StorageError, UsageError
from harness.files import make_folder, open_private, storage_error
from harness.records.base import Record, explain

R = TypeVar("R", bound=Record)
VERSION = 1
_APPLICATION = 0x68617276
WAIT_SECONDS = 5.0
_SCHEMA = """
CREATE TABLE draw (json TEXT NOT NULL, admin TEXT NOT NULL, key TEXT NOT NULL);
CREATE TABLE raters (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, secret TEXT NOT NULL UNIQUE,
  device TEXT, seen REAL NOT NULL DEFAULT 0);
CREATE TABLE items (id INTEGER PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE assignments (
  id INTEGER PRIMARY KEY, rater INTEGER NOT NULL REFERENCES raters, place INTEGER NOT NULL,
  item INTEGER NOT NULL REFERENCES items, flipped INTEGER NOT NULL, again INTEGER NOT NULL,
  done REAL, comment TEXT NOT NULL DEFAULT '', flagged INTEGER NOT NULL DEFAULT 0,
  UNIQUE (rater, place));
CREATE INDEX open_places ON assignments (rater, place) WHERE done IS NULL;
CREATE INDEX done_times ON assignments (rater, done) WHERE done IS NOT NULL;
CREATE TABLE choices (
  id INTEGER PRIMARY KEY, rater INTEGER NOT NULL REFERENCES raters,
  assignment INTEGER NOT NULL REFERENCES assignments, criterion TEXT NOT NULL,
  code TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL, undone INTEGER NOT NULL DEFAULT 0);
CREATE INDEX newest_of ON choices (rater, id) WHERE undone = 0;
CREATE INDEX choices_of ON choices (assignment, criterion, id) WHERE undone = 0;
CREATE VIEW standing AS
  SELECT * FROM choices AS one WHERE undone = 0 AND NOT EXISTS (
    SELECT 1 FROM choices AS later WHERE later.undone = 0 AND later.assignment = one.assignment
    AND later.criterion = one.criterion AND later.id > one.id);
"""
_ELSEWHERE = "move it away, or give another --name"
_KEPT = "what was saved before is kept; try again"


def connect(path: Path) -> sqlite3.Connection:
    """A connection to a file that is there; each commit is on the disk when it returns."""
    # Without mode=rw a file that was moved away would be made anew, and empty.
    name = f"{path.absolute().as_uri()}?mode=rw"
    database = sqlite3.connect(name, uri=True, timeout=WAIT_SECONDS, isolation_level=None)
    database.execute("PRAGMA synchronous = FULL")
    return database


def check_form(database: sqlite3.Connection, path: Path) -> None:
    """Nothing, where the file is a review that this version can read.

    Raises:
        UsageError: a newer version wrote it.
        StorageError: it is something else.
    """
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if application != _APPLICATION:
        raise StorageError("is no file of a review", where=str(path), hint=_ELSEWHERE)
    if version > VERSION:
        raise UsageError(
            f"was written by a newer version: its form is {version}, known is {VERSION}",
            where=str(path),
            hint="update the harness, or give another --name",
        )


def parsed(kind: type[R], row: tuple[str] | None, path: Path) -> R:
    """The record that a row of the file holds as JSON.

    Raises:
        StorageError: there is no such row, or it holds something else.
    """
    name = kind.__name__.lower()
    try:
        if row is not None:
            return kind.model_validate_json(row[0])
        what = f"holds no {name}"
    except ValidationError as error:
        what = f"holds no sound {name}: {explain(error)}"
    raise StorageError(what, where=str(path), hint=_ELSEWHERE)


@contextmanager
def made_whole(path: Path) -> Iterator[sqlite3.Connection]:
    """A new file with its tables, which is there once the block ended well, or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        make_folder(path.parent)
        os.close(open_private(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        try:
            with told(path), closing(sqlite3.connect(part, isolation_level=None)) as database:
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("BEGIN")
                for statement in _SCHEMA.split(";\n"):
                    database.execute(statement)
                yield database
                database.execute(f"PRAGMA application_id = {_APPLICATION}")
                database.execute(f"PRAGMA user_version = {VERSION}")
                database.execute("COMMIT")
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            os.replace(part, path)
        finally:
            for name in (part, Path(f"{part}-wal"), Path(f"{part}-shm")):
                name.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, path) from error


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into one line."""
    try:
        yield
    except sqlite3.Error as error:
        raise _in_words(error, path) from error


def _in_words(error: sqlite3.Error, path: Path) -> HarnessError:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        what, hint = "is locked by another program", f"end that one: {_KEPT}"
    elif name.startswith("SQLITE_FULL"):
        what, hint = "cannot write: the disk is full", f"free space: {_KEPT}"
    elif name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_ERROR")):
        what, hint = f"is no sound SQLite database: {error}", _ELSEWHERE
    else:
        what, hint = f"cannot be read or written: {error}", f"mend the permissions: {_KEPT}"
    return StorageError(what, where=str(path), hint=hint)
