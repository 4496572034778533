"""Sessions of pytest-xdist: the controller asks for all workers, and they read its findings."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from harness.clock import SYSTEM_CLOCK, Clock
from harness.files import read_bytes, write_atomic
from harness.pytest_plugin.findings import Findings, Requirements
from harness.records.base import Record

_INPUT = "harness_folder"
_FINDINGS = "findings.json"
_RUNNING = "running.json"
_PULSE = "pulse"
_LOOK = 0.1
# A test may wait for a target that is slow to answer; a session in which none ends is stuck.
PATIENCE = 900.0


class ManagedEndpoint(Record):
    """Where a managed server answers that another process of the session has started."""

    urls: tuple[str, ...]
    api_key: str


class RunningServers(Record):
    """ManagedEndpoint servers by name."""

    servers: dict[str, ManagedEndpoint]


class Node(Protocol):
    """What is used of a worker, as the controller sees it."""

    workerinput: dict[str, Any]


class Controller:
    """The controller's end: a folder that it shares with its workers."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def share_folder(self, node: Node) -> None:
        """Tell a worker that is about to start where the folder is."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="harness-pytest-"))
        node.workerinput[_INPUT] = str(self._folder)

    def requirements(self, node: Node) -> Requirements:
        """What the worker's selected items need.

        Raises:
            pytest.UsageError: the worker is on another machine.
        """
        assert self._folder is not None
        data = read_bytes(self._folder / _named(node.workerinput))
        if data is None:
            raise pytest.UsageError(
                "harness: a worker of pytest-xdist is on another machine; use -n, or --tx popen"
            )
        return Requirements.model_validate_json(data)

    def publish(self, findings: Findings) -> None:
        """Leave the findings where the workers look for them."""
        assert self._folder is not None
        write_atomic(self._folder / _FINDINGS, findings.model_dump_json())

    def connect(self, running: Mapping[str, ManagedEndpoint]) -> None:
        """Leave where managed servers answer, for workers; only this user can read it."""
        if self._folder is None:
            return
        record = RunningServers(servers=dict(running))
        write_atomic(self._folder / _RUNNING, record.model_dump_json())

    def touch(self) -> None:
        """Let workers who wait know that the session goes on."""
        if self._folder is not None:
            (self._folder / _PULSE).touch()

    def close(self) -> None:
        """Remove the folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


class Worker:
    """A worker's end."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._folder = Path(given[_INPUT])
        self._name = _named(given)

    def send(self, requirements: Requirements) -> None:
        """Tell the controller what the selected items need."""
        if self._folder.is_dir():
            write_atomic(self._folder / self._name, requirements.model_dump_json())

    def findings(self) -> Findings | None:
        """What the controller found out."""
        data = read_bytes(self._folder / _FINDINGS)
        return None if data is None else Findings.model_validate_json(data)

    def running(self) -> dict[str, ManagedEndpoint]:
        """Where the managed servers answer that the controller has started."""
        data = read_bytes(self._folder / _RUNNING)
        return {} if data is None else RunningServers.model_validate_json(data).servers

    def wait_for_verdict(self, clock: Clock = SYSTEM_CLOCK) -> Findings | None:
        """The findings once Python tests have been run elsewhere and the rules judged.

        They are as they stand where the session has not moved on for `PATIENCE` seconds.
        """
        pulse, since = None, clock.now()
        while True:
            found = self.findings()
            if found is None or not found.late:
                return found
            seen = _changed(self._folder / _PULSE)
            if seen != pulse:
                pulse, since = seen, clock.now()
            if clock.now() - since > PATIENCE:
                return found
            time.sleep(_LOOK)


def worker_of(config: pytest.Config) -> Worker | None:
    """The worker that this process is, None where it is none."""
    given = getattr(config, "workerinput", None)
    return None if given is None else Worker(given)


def _changed(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def _named(given: dict[str, Any]) -> str:
    return f"needs-{given['workerid']}.json"
