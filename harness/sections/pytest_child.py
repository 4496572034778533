"""A pytest child process of a gate: its order, the events it writes, and how it ends."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import ValidationError

from harness import process_guard
from harness.config import Project
from harness.errors import InfrastructureError
from harness.files import exclusive, make_folder, open_private, seen_from, storage_error
from harness.records.base import Record
from harness.records.run import Watcher
from harness.visible_text import on_a_line

NESTED = "HARNESS_PYTHON_TESTS_OF"
ORDER_OPTION = "--harness-order"
# A test that is under way, and the servers of the session, have as long to end after Ctrl-C.
_GRACE = 30.0
# What a user's own session of pytest leaves to its children would make another one of this.
_KEPT = ("PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
_TAIL, _SHOWN, _WIDE = 65536, 15, 160
_LONGEST_COMPLAINT = 400
# How often progress is looked for, in seconds.
_LOOK = 1.0


class TestOrder(Record):
    """The sections of Python tests to run for each target, as `<suite>.<section>`.

    `suites` are the names of those that the targets' runs are on; `concurrency` stands in place of
    the targets' own where the gate was given one. `events` is the file to write events to.
    """

    __test__ = False  # pytest would take the name for that of tests

    suites: tuple[str, ...]
    tests: dict[str, tuple[str, ...]]
    concurrency: int | None = None
    events: str | None = None


class TestEvent(Record):
    """One line of the events file.

    `collected` has the number of tests, `progress` how many of them are over, `recorded` and
    `unrecorded` the section (`<suite>.<section>`) and the target, the latter with the reason as
    its `text`; `complaint` is what pytest cannot go on with, `end` its exit code.
    """

    __test__ = False

    event: Literal["collected", "progress", "recorded", "unrecorded", "complaint", "end"]
    count: int = 0
    section: str = ""
    target: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class EventLog:
    """The events file as pytest writes it; without a path, nowhere."""

    path: str | None

    def write(self, event: TestEvent) -> None:
        """Add an event; a file that cannot be written is left alone, pytest goes on."""
        if self.path is not None:
            with contextlib.suppress(OSError), Path(self.path).open("a", encoding="utf-8") as file:
                file.write(event.model_dump_json(exclude_defaults=True) + "\n")

    def complain(self, error: BaseException) -> None:
        """Add what pytest cannot go on with."""
        cause = error.__cause__ or error  # pytest wraps what a file of tests raises
        text = on_a_line(f"{type(cause).__name__}: {cause}", _LONGEST_COMPLAINT)
        self.write(TestEvent(event="complaint", text=text))


def read_events(path: Path) -> list[TestEvent]:
    """The events that were written so far; a line that is not whole yet is left out."""
    found = []
    with contextlib.suppress(OSError):
        for line in path.read_bytes().splitlines(keepends=True):
            with contextlib.suppress(ValidationError):
                if line.endswith(b"\n"):
                    found.append(TestEvent.model_validate_json(line))
    return found


@dataclass(frozen=True, slots=True)
class PytestChild:
    """Where a child of pytest's writes: its output to `log`, its events to `events`."""

    log: Path
    events: Path

    def run(
        self,
        line: Sequence[str],
        project: Project,
        watcher: Watcher,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Run pytest until it ends; it also ends when this process does.

        `environment` are variables that it gets besides those of this process.

        Raises:
            InfrastructureError: it did not come to an end.
            StorageError: its output cannot be written.
        """
        code = self._run(line, project, watcher, environment)
        if code in (0, 1):
            return
        output = _last_lines(self.log)
        for text in output[-_SHOWN:]:
            watcher.say(f"| {on_a_line(text, _WIDE)}")
        complaints = [one.text for one in read_events(self.events) if one.event == "complaint"]
        last = output[-1].removeprefix("ERROR: ") if output else "it said nothing"
        complaint = complaints[-1] if complaints else on_a_line(last, _LONGEST_COMPLAINT)
        raise InfrastructureError(
            f"the Python tests did not finish, pytest ended with exit code {code}: {complaint}",
            where=seen_from(Path.cwd(), self.log),
        )

    def reason(self, section: str, target: str) -> str:
        """Why a section has no recorded results for a target."""
        for event in reversed(read_events(self.events)):
            if (event.event, event.section, event.target) == ("unrecorded", section, target):
                return event.text
        return "pytest recorded none"

    def tell(self, watcher: Watcher) -> None:
        """Have the watcher know how many tests are over, and which one is under way."""
        count = {event.event: event.count for event in read_events(self.events)}
        total, over = count.get("collected", 0), count.get("progress", 0)
        if total:
            now = f"test {over + 1} of {total}" if over < total else ""
            watcher.progress("Python tests", over, total, now)

    def _run(
        self,
        line: Sequence[str],
        project: Project,
        watcher: Watcher,
        environment: Mapping[str, str],
    ) -> int:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PYTEST_") or name in _KEPT
        }
        own = {"COLUMNS": "200", NESTED: str(project.root.resolve())}
        try:
            make_folder(self.log.parent)
            file = open(self.log, "wb", opener=open_private)  # noqa: SIM115 - closed below
        except OSError as error:
            raise storage_error(error, self.log) from error
        with file:
            process = subprocess.Popen(
                [sys.executable, "-P", process_guard.__file__, str(_GRACE), *line],
                cwd=project.root,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**kept, **environment, **own},
                # Out of reach of the terminal's Ctrl-C: it is told when its input ends.
                start_new_session=True,
            )
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK)
                self.tell(watcher)
                if process.returncode is not None:
                    return process.returncode
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait()


@contextlib.contextmanager
def pytest_child(project: Project, name: str) -> Iterator[PytestChild]:
    """A child with files of that name, or of one more word where another process writes those."""
    folder, taken = project.root / ".harness" / "pytest", InfrastructureError("is being written")
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive(folder / f"{name}.lock", taken))
        except InfrastructureError as error:
            if error is not taken:
                raise
            name = f"{name}.{secrets.token_hex(8)}"
        events = folder / f"{name}.events.jsonl"
        with contextlib.suppress(OSError):
            events.unlink(missing_ok=True)
        yield PytestChild(folder / f"{name}.log", events)


def _last_lines(log: Path) -> list[str]:
    """The last lines of pytest's output that are not empty, to be shown as they are."""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        return [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return []
