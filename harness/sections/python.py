"""`python`: tests of pytest's in a file of the suite, each a case with a score."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from harness.errors import SuiteError
from harness.records.base import Record
from harness.records.metric import Metric
from harness.records.suite import Section
from harness.suites.source import LoadedSection, SectionSource, why

METRICS = (Metric(name="accuracy"),)
# pytest runs it before the tests of its folder.
BESIDE = "conftest.py"


class PythonKeys(Record):
    """The keys of a section of Python tests."""

    tests: str = Field(min_length=1)


class PythonSection(Section):
    """The Python tests of a file, marked with the section's name.

    What the tests are is known once pytest has collected them; a run has their scores once pytest
    has run them all.
    """

    kind: ClassVar[str] = "python"

    scorer: str = "pytest"
    metrics: tuple[Metric, ...] = METRICS
    file: str

    def locate(self, folder: Path, wanted: Collection[str]) -> dict[str, tuple[Path, int | None]]:
        """The file with the line that defines each wanted test."""
        path = folder / self.file
        return {test: (path, _defined(path, test)) for test in wanted}

    def describe(self) -> str:
        """The file, in a few words."""
        return f"the Python tests of {self.file}"

    def missing(self, place: str) -> tuple[str, str]:
        """What a run without their scores lacks, and who runs them."""
        return (
            f"the Python tests of {place}",
            f"a gate without --stored runs {self.file} of the suite",
        )


class PythonKind:
    """Reads sections of Python tests."""

    name = "python"
    key = "tests"
    keys = PythonKeys

    def load(self, source: SectionSource) -> LoadedSection:
        """The section, with the digest of the code of its tests.

        Only the file itself and the `conftest.py` beside it are in this digest; what else lies
        there is the suite's data, and what they import from elsewhere is in none.

        Raises:
            SuiteError: one line that names file and key.
        """
        written = source.read(PythonKeys)
        path = Path(written.tests)
        if len(path.parts) != 1 or not (path.name.startswith("test_") and path.suffix == ".py"):
            raise SuiteError(
                f"tests: `{written.tests}` is no test file of pytest's",
                where=source.place("tests"),
                hint="name a file test_*.py beside suite.yaml",
            )
        source.claim(written.tests, "tests")
        section = source.build(PythonSection, file=written.tests)
        digest = _digest(source, path.name)
        files = (BESIDE, written.tests)
        return LoadedSection(section, digest, "tests", files, reads_folder=True)


def _digest(source: SectionSource, file: str) -> str:
    digest = hashlib.sha256()
    for name in (file, BESIDE):
        try:
            digest.update(hashlib.sha256((source.folder / name).read_bytes()).digest())
        except FileNotFoundError:
            if name == BESIDE:
                continue
            raise SuiteError(
                "no such file", where=str(source.folder / name), hint="check the path"
            ) from None
        except (OSError, ValueError) as error:
            raise SuiteError(
                f"tests: cannot be read: {why(error)}", where=source.place("tests")
            ) from None
    return digest.hexdigest()


def _defined(file: Path, test: str) -> int | None:
    """The line that defines a Python test, whose name may have a class before and values after."""
    name = re.escape(test.partition("[")[0].rpartition("::")[2])
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    found = re.search(rf"^\s*(async )?def {name}\b", text, re.MULTILINE)
    return None if found is None else text.count("\n", 0, found.end()) + 1
