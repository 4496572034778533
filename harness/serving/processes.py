"""Processes of this machine that others left a note of: whether they are still the same ones."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

_STARTED = 19  # its place after the name in brackets (proc_pid_stat(5), field 22)
_PS_SECONDS = 10.0


def this_machine() -> str:
    """What tells process ids apart from those of another machine, boot or container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return platform.node()


def started(pid: int) -> str | None:
    """When a process was started, as the system tells it; None where there is no such process.

    Together with the id it names one process: ids are given again.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        state, *rest = fields.rpartition(")")[2].split()
        return None if state in ("Z", "X") else rest[_STARTED - 1]
    except (OSError, ValueError, IndexError):
        if Path("/proc/self/stat").exists():
            return None
    line = ["ps", "-o", "lstart=", "-p", str(pid)]
    try:
        found = subprocess.run(
            line, capture_output=True, text=True, timeout=_PS_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
