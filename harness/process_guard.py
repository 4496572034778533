"""A small parent process for a server, which ends the server when the harness ends.

`python process_guard.py GRACE COMMAND…` runs the command in a process group of its own and
exits with its code. When standard input ends, however the harness met its end, the whole group
gets SIGTERM and, after `GRACE` seconds, SIGKILL; so do all other descendants.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_POLL = 0.05


def run(grace: float, command: list[str]) -> int:
    """The command's exit code; 128 + n if signal n ended it."""
    stop = _Stop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop.ask)
    # A Ctrl-C is the harness's to handle: it closes our input in its own time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    # A core file would hold the environment, and with it the server's key.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        # Safe: this process has one thread.
        preexec_fn=_end_with_guard,
    )
    try:
        while child.poll() is None and not stop.asked:
            readable, _, _ = select.select([0], [], [], _POLL)
            if readable and not os.read(0, 4096):
                break
    finally:
        _end(child, grace)
    code = child.returncode
    return code if code >= 0 else 128 - code


class _Stop:
    def __init__(self) -> None:
        self.asked = False

    def ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def _end(child: subprocess.Popen[bytes], grace: float) -> None:
    """End the group and every stray descendant: ask first, kill after `grace` seconds."""
    deadline = time.monotonic() + (grace if child.poll() is None else 0.0)
    _signal_group(child.pid, signal.SIGTERM)
    while time.monotonic() < deadline and (child.poll() is None or _group_lives(child.pid)):
        time.sleep(_POLL)
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()
    # As the subreaper we are now the parent of whatever left the group.
    while strays := children(os.getpid()):
        for pid in strays:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _group_lives(group: int) -> bool:
    """Whether a process of the group still runs; zombies of ours are collected on the way."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def children(pid: int) -> list[int]:
    """The ids of a process's children; none where the system has no such list."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(pid) for pid in text.split()]


def signal_with_parent(number: signal.Signals) -> None:
    """Return once the kernel is to send this process a signal when its parent ends.

    Only Linux can; elsewhere nothing happens.
    """
    _prctl(_PR_SET_PDEATHSIG, number)


def _end_with_guard() -> None:
    # To be asked and not killed: a server that is killed leaves workers of its own behind.
    signal_with_parent(signal.SIGTERM)


def _prctl(option: int, value: int) -> None:
    """Best effort: only Linux has it, and without it the group is still ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(run(float(sys.argv[1]), sys.argv[2:]))
