"""The data of Python tests: files in a suite's folder besides its cases and test code."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from harness.config import CONFIG_NAME
from harness.errors import SuiteError
from harness.files import open_regular

_MOST = 10_000
_READ_BY_PEOPLE = frozenset({"README.md"})
_COMPILED = "__pycache__"


def data_digests(folder: Path, suite_file: str, known: Collection[Path]) -> dict[str, str]:
    """The digest of each file that a test may read from the suite's folder, by its path there.

    `known` are those that the suite's digest covers otherwise. Left out are what is hidden or
    compiled, and the folders of other suites; of a project's own folder, all that is in others.

    Raises:
        SuiteError: a file cannot be read, or there are too many.
    """
    found: dict[str, str] = {}
    covered = {path.resolve() for path in known}
    for path in _files(folder, suite_file):
        if not path.is_file() or path.resolve() in covered:
            continue
        if len(found) == _MOST:
            raise SuiteError(
                f"holds more than {_MOST} files beside its Python tests",
                where=str(folder),
                hint="they belong to the suite's version: move out what no test reads",
            )
        try:
            with open_regular(path) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise SuiteError(
                f"cannot be read: {error.strerror or error}",
                where=str(path),
                hint="it belongs to the version of a suite with Python tests",
            ) from None
        found[path.relative_to(folder).as_posix()] = digest
    return found


# What code has in it that reads cases, lists folders or starts what might.
_READS = ("jsonl", "glob", "iterdir", "listdir", "scandir", "walk", "suite.yaml", "load_suite",
          "subprocess", "popen", "system(", "importlib", "__import__", "runpy", "eval(", "exec(",
          )  # fmt: skip


def reads_cases(files: Iterable[Path], cases: Iterable[str] = ()) -> bool:
    """Whether code in the files may read the suite's cases, which are in files of those names.

    It goes by the words of the code, and takes what it cannot read for code that does.
    """
    words = (*_READS, *cases)
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            return True
        if any(word in text for word in words):
            return True
    return False


def _files(folder: Path, suite_file: str) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        place = Path(here)
        if place != folder and suite_file in names:
            folders.clear()
            continue
        if CONFIG_NAME in names:
            folders.clear()
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name != _COMPILED
        )
        for name in sorted(names):
            own = place == folder and name in (suite_file, *_READ_BY_PEOPLE)
            if not (own or name.startswith(".") or name == CONFIG_NAME):
                yield place / name
