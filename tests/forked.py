"""`harness` in a process of its own, forked from one that has imported it: only that is spared."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import multiprocessing.forkserver
import os
import signal
import subprocess
import sys
import tempfile
from multiprocessing.context import ForkServerContext
from pathlib import Path

ROOT = Path(__file__).parent.parent
STREAMS = ("out", "err")


class Forked:
    """The command, started in the folder, with what a test uses of `subprocess.Popen`.

    No proxy stands between it and its servers.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._said = tempfile.TemporaryDirectory()
        for name in STREAMS:  # also of a process that is killed before it opens them
            Path(self._said.name, name).touch()
        self._process = _context().Process(
            target=_become, args=(str(folder), arguments, self._said.name)
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, or minus the signal; None as long as it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired("harness", timeout)
        return self._process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Standard output and standard error of the command, once it has ended."""
        self.wait(timeout)
        out, err = (Path(self._said.name, name).read_text() for name in STREAMS)
        return out, err


@functools.cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.forked", "harness.cli.run"])
    with contextlib.chdir(ROOT):  # what it imports is this tree's
        multiprocessing.forkserver.ensure_running()
    return context


def _become(folder: str, arguments: tuple[str, ...], said: str) -> None:
    """Do as `harness` does in that folder, its standard streams in files of the folder `said`."""
    from harness.cli.main import main

    for descriptor, path in enumerate((os.devnull, *(f"{said}/{name}" for name in STREAMS))):
        opened = os.open(path, os.O_RDWR)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(folder)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    sys.argv = ["harness", *arguments]
    main()
