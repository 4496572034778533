"""What `harness run` takes when there is a lot to ask: memory over time, time against linear.

Run `python -m benchmarks.endurance`. Two targets are asked the whole of a generated suite, by the
real command, from a server that answers at once; before that a tenth of it, to compare; after it
one of them again, where nothing is left to do.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.engine import ROOT, oracle, project

TARGETS = ("one", "two")
EVERY = 0.5
ROWS = 16


@dataclass(slots=True)
class Watched:
    """What a command took: seconds, the most MB, and MB and journal lines by the second."""

    whole: float = 0.0
    peak: float = 0.0
    course: list[tuple[float, float, int]] = field(default_factory=list)


def watch(folder: Path, *targets: str) -> Watched:
    """One `harness run` of the targets."""
    found = Watched()
    start = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "harness", "run", *targets],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CI": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    journals: dict[Path, tuple[int, int]] = {}
    while (ended := os.wait4(child.pid, os.WNOHANG))[0] == 0:
        at = time.monotonic() - start
        found.course.append((at, _resident(child.pid), _lines(folder, journals)))
        time.sleep(EVERY)
    found.whole = time.monotonic() - start
    found.peak = ended[2].ru_maxrss / 1024.0
    child.returncode = os.waitstatus_to_exitcode(ended[1])
    if child.returncode != 0:
        raise SystemExit(f"harness run: exit {child.returncode}")
    return found


def _resident(process: int) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):  # it is just ending
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024.0**2


def _lines(folder: Path, seen: dict[Path, tuple[int, int]]) -> int:
    """How many answers can be read by now, counted on from where the last look ended."""
    for path in (folder / ".harness/runs").glob("*/attempts.jsonl"):
        place, count = seen.get(path, (0, 0))
        with path.open("rb") as file:
            file.seek(place)
            data = file.read()
        seen[path] = place + len(data), count + data.count(b"\n")
    return sum(count for _, count in seen.values())


def run(cases: int) -> tuple[Watched, Watched]:
    """A `harness run` of a project with so many cases, and another where nothing is left."""
    with oracle(0.0) as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project(folder, url, cases, 64)
        config = folder / "harness.yaml"
        target = "{{server: oracle, model: oracle, system_prompt: {}}}"
        lines = "".join(f"  {each}: {target.format(each)}\n" for each in TARGETS)
        config.write_text(
            config.read_text().replace("  bench: {server: oracle, model: oracle}\n", lines)
        )
        return watch(folder, *TARGETS), watch(folder, TARGETS[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Memory and time of a long run.")
    parser.add_argument("--cases", type=int, default=100_000)
    cases = parser.parse_args(arguments).cases
    print(f"Load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores before the start.")
    few, _ = run(cases // 10)
    many, again = run(cases)
    print(f"\n{cases:,} cases, {len(TARGETS)} targets, concurrency 64\n")
    print("| second | MB | answers to be read |\n| ---: | ---: | ---: |")
    for at, size, lines in many.course[:: max(1, len(many.course) // ROWS)]:
        print(f"| {at:.0f} | {size:.0f} | {lines:,} |")
    print("\n| cases | whole s | of linear | peak MB |\n| ---: | ---: | ---: | ---: |")
    print(f"| {cases // 10:,} | {few.whole:.1f} | 1.00 | {few.peak:.0f} |")
    print(f"| {cases:,} | {many.whole:.1f} | {many.whole / few.whole / 10:.2f} | {many.peak:.0f} |")
    print(f"| {cases:,}, one target again | {again.whole:.1f} | | {again.peak:.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
