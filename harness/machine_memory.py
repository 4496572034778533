"""The memory that this machine and its GPUs have; bytes throughout."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

GIB = 1024**3
_SECONDS = 30.0
_GROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU as its driver describes it."""

    name: str
    driver: str
    total: int
    free: int


def free_memory() -> int | None:
    """What the machine, or the container that this runs in, has left; None where it does not say.

    `MemAvailable` of proc(5), and the limit of cgroups v2 where there is one.
    """
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvail"))
    except (OSError, ValueError, StopIteration):
        return None
    try:
        limit = int((_GROUP / "memory.max").read_text(encoding="ascii"))
        used = int((_GROUP / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):  # no group of our own, or `max`
        return free
    return min(free, max(0, limit - used + _reclaimable()))


def _reclaimable() -> int:
    """What of the group's use are copies of files, which give way to whoever needs memory."""
    try:
        lines = (_GROUP / "memory.stat").read_text(encoding="ascii").splitlines()
        fields = dict(line.split(maxsplit=1) for line in lines)
        return int(fields.get("active_file", 0)) + int(fields.get("inactive_file", 0))
    except (OSError, ValueError):
        return 0


def gpus() -> list[Gpu] | None:
    """The GPUs in the driver's order; None where there is no driver."""
    fields = "name,driver_version,memory.total,memory.free"
    try:
        told = subprocess.run(
            ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_gpus(told)


def parse_gpus(told: str) -> list[Gpu]:
    """The GPUs in nvidia-smi's table; a line of another form is left out."""
    found = []
    for line in told.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 4 and parts[2].isdigit() and parts[3].isdigit():
            total, free = (int(part) * 1024**2 for part in parts[2:])
            found.append(Gpu(parts[0], parts[1], total, free))
    return found


def size(count: int) -> str:
    """A number of bytes in words."""
    return f"{count / GIB:.3g} GiB" if count >= GIB else f"{count / 1024**2:.3g} MiB"
