"""What the selected items require and what was found, and how workers of pytest-xdist read it."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
from pydantic import Field, TypeAdapter

from harness.clock import SYSTEM_CLOCK, Clock
from harness.files import read_bytes, write_atomic
from harness.records.base import Record
from harness.records.verdict import Decision, RuleResult
from harness.run.plan import Selection

T = TypeVar("T")
# Target, suite and section.
SectionKey = tuple[str, str, str]


class SectionTests(Record):
    """The Python tests of one section that were collected for one target.

    They are `whole` where all that the section has are selected; there are none where the file
    could not be collected. `cases` has their ids, and `repeated` the case of each repetition.
    """

    target: str
    suite: str
    section: str
    cases: tuple[str, ...]
    whole: bool
    repeated: dict[str, str] = Field(default_factory=dict)

    @property
    def place(self) -> SectionKey:
        """Target, suite and section."""
        return self.target, self.suite, self.section

    @property
    def part(self) -> str:
        """Why they cannot be kept, whatever they come to; empty where they are whole."""
        if self.whole:
            return ""
        if not self.cases:
            return "its Python tests could not be collected"
        return "only a part of its Python tests was selected"


class Requirements(Record):
    """What the selected items ask for: cases by target, places of rules by candidate, tests.

    `suites` are the names of those that were collected, whether or not their items were selected:
    a rule is judged on all of them. `files` has the digests of what pytest loaded besides tests.
    """

    suites: tuple[str, ...] = ()
    cases: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    rules: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    tests: tuple[SectionTests, ...] = ()
    files: dict[str, str] = Field(default_factory=dict)

    @property
    def late(self) -> bool:
        """Whether rules have to wait for what Python tests come to."""
        return bool(self.rules) and any(each.whole for each in self.tests)

    @property
    def targets(self) -> tuple[str, ...]:
        """Every target that an item is about."""
        return tuple(dict.fromkeys([*self.rules, *self.cases]))

    def selection(
        self, target: str, total: int, project_suites: int, repeats: int | None
    ) -> Selection:
        """The part of the suites, which hold `total` cases, that the target has to be asked."""
        suites = self.suites if len(self.suites) < project_suites else ()
        wanted = self.cases.get(target, ())
        cases = () if target in self.rules or len(wanted) == total else wanted
        return Selection(suites=suites, cases=cases, repeats=repeats)


def requirements_of(
    suites: Iterable[str],
    cases: Iterable[tuple[str, str]],
    rules: Iterable[tuple[str, int]],
    tests: tuple[SectionTests, ...] = (),
) -> Requirements:
    """The needs of items: pairs of a target and the path of a case, or the place of a rule."""
    of_tests = [each.suite for each in tests]
    return Requirements(
        suites=tuple(dict.fromkeys([*suites, *of_tests])),
        cases=_gathered(cases),
        rules=_gathered(rules),
        tests=tests,
    )


def _gathered(pairs: Iterable[tuple[str, T]]) -> dict[str, tuple[T, ...]]:
    found: dict[str, dict[T, None]] = {}
    for target, thing in pairs:
        found.setdefault(target, {})[thing] = None
    return {target: tuple(things) for target, things in found.items()}


class CandidateResult(Record):
    """What the policy makes of one candidate.

    `rules` stand as in the policy. `verdict` and `report`, the folder, are there where everything
    was judged as `harness gate` does it. `new_failures` are the paths of cases by `suite.section`,
    the critical ones again under `critical`.
    """

    problems: tuple[str, ...] = ()
    rules: tuple[RuleResult, ...] = ()
    verdict: Decision | None = None
    reason: str = ""
    report: str | None = None
    new_failures: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class TestedRun(Record):
    """The run that a target's Python tests belong to, and how often it was asked anew."""

    run: str
    freshness: int


class Findings(Record):
    """The finished runs by target, and what became of each candidate.

    `compared` names the run that the others are shown beside: a target among `runs`, or a sealed
    baseline. Where Python tests are still to be run, judging is `late`; `tested_runs` are their
    runs by target.
    """

    runs: dict[str, str] = Field(default_factory=dict)
    compared: str | None = None
    judged: dict[str, CandidateResult] = Field(default_factory=dict)
    late: bool = False
    tested_runs: dict[str, TestedRun] = Field(default_factory=dict)


_FOLDER = "harness_folder"
_FINDINGS, _RUNNING, _PULSE = "findings.json", "running.json", "pulse"
_LOOK = 0.1
# A test may wait for a target that is slow to answer; a session in which none ends is stuck.
PATIENCE = 900.0


class ManagedEndpoint(Record):
    """Where a managed server answers that another process of the session has started."""

    urls: tuple[str, ...]
    api_key: str = Field(repr=False)


_SERVERS = TypeAdapter(dict[str, ManagedEndpoint])


class Node(Protocol):
    """What is used of a worker of pytest-xdist, as the controller sees it."""

    workerinput: dict[str, Any]


class Controller:
    """The controller's end of a folder that it shares with the workers of pytest-xdist.

    Without workers there is no folder, and nothing is written.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None

    def share_folder(self, node: Node) -> None:
        """Give a worker that is about to start the path of the folder."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="harness-pytest-"))
        node.workerinput[_FOLDER] = str(self._folder)

    def requirements(self, node: Node) -> Requirements:
        """What the worker's selected items need.

        Raises:
            pytest.UsageError: the worker is on another machine.
        """
        assert self._folder is not None
        data = read_bytes(self._folder / _requirements_file(node.workerinput))
        if data is None:
            raise pytest.UsageError(
                "harness: a worker of pytest-xdist is on another machine; use -n, or --tx popen"
            )
        return Requirements.model_validate_json(data)

    def publish(self, findings: Findings | None) -> None:
        """Write the findings, where there are any, for the workers to read."""
        if findings is not None:
            self._write(_FINDINGS, findings.model_dump_json().encode())

    def publish_servers(self, servers: Mapping[str, ManagedEndpoint]) -> None:
        """Write where managed servers answer, for the workers; only this user can read it."""
        self._write(_RUNNING, _SERVERS.dump_json(dict(servers)))

    def _write(self, name: str, data: bytes) -> None:
        if self._folder is not None:
            write_atomic(self._folder / name, data)

    def touch(self) -> None:
        """Let workers who wait know that the session goes on."""
        if self._folder is not None:
            (self._folder / _PULSE).touch()

    def close(self) -> None:
        """Remove the folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


class Worker:
    """A worker's end of the folder; `given` is its `workerinput`."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._folder = Path(given[_FOLDER])
        self._file = _requirements_file(given)

    def send(self, requirements: Requirements) -> None:
        """Write for the controller what the selected items need."""
        if self._folder.is_dir():
            write_atomic(self._folder / self._file, requirements.model_dump_json())

    def findings(self) -> Findings | None:
        """The controller's findings, None where there are none."""
        data = read_bytes(self._folder / _FINDINGS)
        return None if data is None else Findings.model_validate_json(data)

    def servers(self) -> dict[str, ManagedEndpoint]:
        """Where the managed servers answer that the controller has started."""
        data = read_bytes(self._folder / _RUNNING)
        return {} if data is None else _SERVERS.validate_json(data)

    def wait_for_verdict(self, clock: Clock = SYSTEM_CLOCK) -> Findings | None:
        """The findings once Python tests have been run elsewhere and the rules judged.

        They are returned as they stand where the session has not moved on for `PATIENCE` seconds.
        """
        pulse, since = None, clock.now()
        while True:
            found = self.findings()
            if found is None or not found.late:
                return found
            newest = None
            with contextlib.suppress(FileNotFoundError):
                newest = (self._folder / _PULSE).stat().st_mtime_ns
            if newest != pulse:
                pulse, since = newest, clock.now()
            if clock.now() - since > PATIENCE:
                return found
            time.sleep(_LOOK)


def worker_of(config: pytest.Config) -> Worker | None:
    """The worker that this process is, None where it is none."""
    given = getattr(config, "workerinput", None)
    return None if given is None else Worker(given)


def _requirements_file(given: dict[str, Any]) -> str:
    return f"needs-{given['workerid']}.json"
