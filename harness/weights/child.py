"""A child process that works on weights: bounded in memory and time, and ended with its parent."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import process_guard
from harness.clock import SYSTEM_CLOCK
from harness.errors import InfrastructureError, UsageError
from harness.files import make_folder, open_private, seen_from, storage_error, write_atomic
from harness.machine_memory import GIB, free_memory, size
from harness.process_guard import children
from harness.records.run import Watcher
from harness.serving.command import environment
from harness.visible_text import on_a_line
from harness.weights.events import ChildEvent, read_events

_GRACE = 5.0
# How often progress and memory are looked at, in seconds.
_LOOK = 0.5
# What the libraries take besides the weights.
_LIBRARIES = GIB
_PAGE = os.sysconf("SC_PAGE_SIZE")
_HUB = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that a child may take: seconds, and bytes of the machine's memory.

    Without `memory` it is what is free at its start. A GPU's memory is bounded by the GPU.
    """

    seconds: float
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """A child to start: `python -m module` with an order, which is plain JSON.

    `name` is that of its files in `folder`; they stay there if it fails. `stored` are the bytes of
    the weights that it loads. Without `hub` it is told to ask no hub.
    """

    module: str
    order: Mapping[str, Any]
    folder: Path
    name: str
    bounds: Bounds
    stored: int = 0
    hub: bool = False

    def run(self, watcher: Watcher) -> None:
        """Return when the child has done its work, whose progress the watcher hears of.

        It is ended when this process is. What it makes it writes to files that its order names.

        Raises:
            UsageError: the child says that the user must correct something.
            InfrastructureError: it failed, died, or exceeded its bounds.
            StorageError: its files cannot be written.
        """
        limit = self._memory()
        stem = self.folder / f"{self.name}-{secrets.token_hex(4)}"
        order, events, log = (stem.with_suffix(f".{one}") for one in ("json", "events", "log"))
        try:
            make_folder(self.folder)
            write_atomic(order, json.dumps({"events": str(events), "order": dict(self.order)}))
            output = open(log, "wb", opener=open_private)  # noqa: SIM115 - closed below
        except OSError as error:
            raise storage_error(error, self.folder) from error
        try:
            with output:
                process = self._start(order, output.fileno())
            began = SYSTEM_CLOCK.now()
            watch = _Watch(process, events, log, watcher, self.bounds.seconds, limit)
            watch.follow()
            log.unlink(missing_ok=True)
            # A short child may end before it was looked at.
            most = f" and at most {size(watch.most)} of memory" if watch.most else ""
            seconds = SYSTEM_CLOCK.now() - began
            watcher.say(f"{self.name}: the child process took {seconds:.0f} s{most}")
        finally:
            order.unlink(missing_ok=True)
            events.unlink(missing_ok=True)

    def _memory(self) -> int | None:
        """The bytes that the child may take.

        Raises:
            InfrastructureError: the weights alone take more.
        """
        limit = self.bounds.memory or free_memory()
        if limit is not None and self.stored + _LIBRARIES > limit:
            raise InfrastructureError(
                f"the weights take {size(self.stored)} of memory and the libraries about "
                f"{size(_LIBRARIES)}, and it may take {size(limit)}",
                hint="end what else uses memory, or use a larger machine",
            )
        return limit

    def _start(self, order: Path, output: int) -> subprocess.Popen[bytes]:
        worker = [sys.executable, "-P", "-m", self.module, str(order)]
        given = environment("")
        if self.hub:
            given = {name: value for name, value in given.items() if name not in _HUB}
            given |= {name: os.environ[name] for name in _HUB if name in os.environ}
        return subprocess.Popen(
            [sys.executable, "-P", process_guard.__file__, str(_GRACE), *worker],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Waiting threads sleep: one other busy process would else slow them down many times.
            env={"OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false", **given},
            # Out of reach of the terminal's Ctrl-C: it is told when its input ends.
            start_new_session=True,
        )


@dataclass
class _Watch:
    """A child that runs: what it tells, and what it takes."""

    process: subprocess.Popen[bytes]
    events: Path
    log: Path
    watcher: Watcher
    seconds: float
    memory: int | None
    offset: int = 0
    error: ChildEvent | None = None
    most: int = 0

    def follow(self) -> None:
        """Return when the child has ended well."""
        deadline, code = SYSTEM_CLOCK.now() + self.seconds, None
        try:
            while code is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    code = self.process.wait(_LOOK)
                self._tell()
                if code is None:
                    self._check(deadline)
        finally:
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process.wait()
        if self.error is not None:
            raise self._failure(self.error)
        if code:
            raise InfrastructureError(self._death(code), where=self._where())

    def _tell(self) -> None:
        found, self.offset = read_events(self.events, self.offset)
        for event in found:
            if event.event == "progress":
                self.watcher.progress(event.text, event.done, event.total, "")
            elif event.event == "say":
                self.watcher.say(event.text)
            else:
                self.error = event

    def _check(self, deadline: float) -> None:
        if SYSTEM_CLOCK.now() > deadline:
            raise InfrastructureError(
                f"the work on the weights was ended after {self.seconds:g} seconds",
                where=self._where(),
                hint="what was finished is kept; allow it more time, or run again to go on",
            )
        taken = _resident(self.process.pid)
        self.most = max(self.most, taken)
        if self.memory is not None and taken > self.memory:
            raise InfrastructureError(
                f"the work on the weights was ended: it took {size(taken)} of memory, and may "
                f"take {size(self.memory)}",
                where=self._where(),
                hint="what was finished is kept; smaller batches take less",
            )

    def _failure(self, error: ChildEvent) -> InfrastructureError | UsageError:
        if error.kind == "usage":
            return UsageError(error.text, where=error.where, hint=error.hint)
        if error.kind == "memory":
            return InfrastructureError(
                f"not enough memory for the work on the weights: {error.text}",
                where=self._where(),
                hint="what was finished is kept; smaller batches take less",
            )
        return InfrastructureError(error.text, where=error.where or self._where(), hint=error.hint)

    def _death(self, code: int) -> str:
        if code > 128:
            return (
                f"the process that worked on the weights was ended by signal {code - 128}; "
                "what was finished is kept, run again to go on"
            )
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        said = next((line for line in reversed(lines) if line.strip()), "it said nothing")
        return f"the process that worked on the weights failed: {on_a_line(said, _LONGEST)}"

    def _where(self) -> str:
        return seen_from(Path.cwd(), self.log)


def _resident(pid: int) -> int:
    """The bytes that a process and all its descendants have in memory; 0 where nobody tells."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * _PAGE + sum(map(_resident, children(pid)))
