"""`python`: pytest tests in a file of the suite, each a case with a score."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from harness.errors import EvidenceError, SuiteError, UsageError
from harness.files import seen_from
from harness.records.base import Record
from harness.records.metric import Metric
from harness.records.suite import Section, Title, counted, titles_of
from harness.sections.pytest_child import (
    NESTED,
    ORDER_OPTION,
    PytestChild,
    TestOrder,
    pytest_child,
)
from harness.sections.tests_in_source import SourceTests, read_tests
from harness.sections.work import GateSide, SectionJob, SectionWork
from harness.storage import RunFolder
from harness.suites.source import LoadedSection, SectionSource, why
from harness.targets.connection import lent_server

METRICS = (Metric(name="accuracy"),)
# pytest runs it before the tests of its folder.
BESIDE = "conftest.py"


class PythonKeys(Record):
    """The keys of a section of Python tests."""

    tests: str = Field(min_length=1)
    title: Title | None = None


class PythonSection(Section):
    """The Python tests of a file, marked with the section's name.

    What the tests are is known once pytest has collected them; a run has their scores once pytest
    has run them all.
    """

    kind: ClassVar[str] = "python"
    judged_again: ClassVar[tuple[str, str]] = (
        "Python tests",
        "run them for both in one session of pytest",
    )

    scorer: str = "pytest"
    metrics: tuple[Metric, ...] = METRICS
    file: str
    # How many the text of the file tells of; what they are, pytest alone knows.
    known: SourceTests | None = Field(default=None, exclude=True)

    def locate(self, folder: Path, wanted: Collection[str]) -> dict[str, tuple[Path, int | None]]:
        """The file with the line that defines each wanted test."""
        path = folder / self.file
        return {test: (path, _defined(path, test)) for test in wanted}

    def describe(self) -> str:
        """The file, in a few words."""
        return f"the Python tests of {self.file}"

    def missing(self, place: str) -> tuple[str, str]:
        """The message for a run without scores of these tests, which says who runs them."""
        hint = f"a gate without --stored runs {self.file} of the suite"
        found = self.known
        if found is None or not found.tests or not found.exact:
            return f"the Python tests of {place}", hint
        return f"the {counted(found.tests, 'Python test')} of {place}", hint


class PythonKind:
    """Reads sections of Python tests, and runs them with pytest in a child process."""

    name = "python"
    key = "tests"
    keys = PythonKeys
    needs_baseline = True

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
        section = source.build(
            PythonSection,
            file=written.tests,
            titles=titles_of(written.title, METRICS),
            known=read_tests(source.folder / path.name),
        )
        digest = _digest(source, path.name)
        files = (BESIDE, written.tests)
        return LoadedSection(section, digest, "tests", files, reads_folder=True)

    def run(self, work: SectionWork) -> None:
        """Return when pytest has recorded the results of the tests.

        Raises:
            UsageError: this is itself such a test.
            EvidenceError: pytest came to an end without their scores.
            InfrastructureError: it did not come to an end.
            StorageError: its output cannot be written.
        """
        project, gate = work.project, work.gate
        assert gate is not None
        if os.environ.get(NESTED) == str(project.root.resolve()):
            raise UsageError(
                "a Python test of a suite cannot wait for a gate that waits for it",
                hint="judge what is stored, or move it to a file that no section names",
            )
        before = {job.run.run_id: _sessions(work, job) for job in work.jobs}
        by_section: defaultdict[str, list[str]] = defaultdict(list)
        for job in work.jobs:
            by_section[".".join(job.place)].append(job.target)
        with pytest_child(project, gate.log) as child:
            where = seen_from(Path.cwd(), child.log)
            for section, targets in by_section.items():
                work.watcher.say(
                    f"pytest runs the Python tests of {section} for {', '.join(targets)}; "
                    f"its output: {where}"
                )
            with lent_server() as environment:
                child.run(_command(work, gate, child), project, work.watcher, environment)
            for job in work.jobs:
                if not work.settled(job, before[job.run.run_id]):
                    name = ".".join(job.place)
                    raise EvidenceError(
                        f"`{job.target}` has no scores of the Python tests of {name}: "
                        f"{child.reason(name, job.target)}",
                        where=where,
                    )


def _sessions(work: SectionWork, job: SectionJob) -> set[str]:
    """The pytest sessions that recorded the results of a job's target."""
    recording = RunFolder(work.project.runs / job.run.run_id).recording()
    return set() if recording is None else {section.session for section in recording.sections}


def _command(work: SectionWork, gate: GateSide, child: PytestChild) -> list[str]:
    project, selection = work.project, work.selection
    tests: defaultdict[str, list[str]] = defaultdict(list)
    for job in work.jobs:
        tests[job.target].append(".".join(job.place))
    wanted = {name for each in tests.values() for name in each}
    files = [
        Path(suite.folder).absolute() / section.file
        for suite in gate.suites
        for section in suite.sections
        if isinstance(section, PythonSection) and f"{suite.name}.{section.name}" in wanted
    ]
    order = TestOrder(
        suites=tuple(suite.name for suite in gate.suites),
        tests={target: tuple(each) for target, each in tests.items()},
        concurrency=selection.concurrency,
        events=str(child.events),
    )
    return [
        # -P: no module of the project's folder stands in for pytest's or the harness's.
        *(sys.executable, "-P", "-m", "pytest", "-p", "harness", "-v", "-ra", "--color=no"),
        # Whoever wrote those thought of a session of his own: a part of the tests, many processes.
        *("-o", "addopts=", "-o", f"cache_dir={project.root / '.harness' / 'pytest' / 'cache'}"),
        *("--harness-config", str(project.root / Path(project.file).name)),
        *(word for target in tests for word in ("--harness-target", target)),
        *("--harness-baseline", gate.baseline),
        *(() if selection.repeats is None else ("--harness-repeats", str(selection.repeats))),
        *(ORDER_OPTION, order.model_dump_json()),
        *(seen_from(project.root, file) for file in files),
    ]


def _digest(source: SectionSource, file: str) -> str:
    digest = hashlib.sha256()
    for name in (file, BESIDE):
        path = source.folder / name
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except FileNotFoundError:
            if name != BESIDE:
                raise source.no_such_file(name, "tests") from None
        except (OSError, ValueError) as error:
            what = f"tests: cannot be read: {why(error)}"
            raise SuiteError(what, where=source.place("tests")) from None
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
