"""The sections of a suite that Python tests score."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from harness.errors import SuiteError
from harness.records.base import Record, explain
from harness.records.suite import PythonSection

# pytest runs it before the tests of its folder.
BESIDE = "conftest.py"


class _TestsFile(Record):
    tests: str = Field(min_length=1)


def load_tests(file: Path, name: str, raw: dict[str, Any]) -> tuple[PythonSection, str]:
    """The section `name` of the suite in `file`, with the digest of the code of its tests.

    Only the file itself and the `conftest.py` beside it are in this digest; what else lies there is
    the suite's data, and what they import from elsewhere is in none.

    Raises:
        SuiteError: one line that names file and key.
    """
    where = f"{file}: sections.{name}"
    try:
        written = _TestsFile.model_validate(raw)
        section = PythonSection(name=name, file=written.tests)
    except ValidationError as error:
        raise SuiteError(explain(error), where=where) from None
    path = Path(written.tests)
    if len(path.parts) != 1 or not (path.name.startswith("test_") and path.suffix == ".py"):
        raise SuiteError(
            f"tests: `{written.tests}` is no test file of pytest's",
            where=where,
            hint="name a file test_*.py beside suite.yaml",
        )
    digest = hashlib.sha256()
    for source in (path.name, BESIDE):
        try:
            digest.update(hashlib.sha256((file.parent / source).read_bytes()).digest())
        except FileNotFoundError:
            if source == BESIDE:
                continue
            raise SuiteError(
                "no such file", where=str(file.parent / source), hint="check the path"
            ) from None
        except (OSError, ValueError) as error:
            raise SuiteError(
                f"tests: cannot be read: {getattr(error, 'strerror', None) or error}", where=where
            ) from None
    return section, digest.hexdigest()


def check_once(file: Path, sections: Sequence[PythonSection]) -> None:
    """Nothing, where no two sections of the suite in `file` name one test file.

    Raises:
        SuiteError: two do: nobody could tell whose the tests are.
    """
    known: dict[str, str] = {}
    for section in sections:
        if section.file in known:
            raise SuiteError(
                f"tests: `{section.file}` is that of section `{known[section.file]}` already",
                where=f"{file}: sections.{section.name}",
                hint="give each section a file of its own",
            )
        known[section.file] = section.name
