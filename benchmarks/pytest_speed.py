"""What a pytest session takes beside `harness run`, from start to exit.

Run `python -m benchmarks.pytest_speed`. It puts a generated suite to a server of its own, in turns
with the command and with pytest, each in a fresh project, and prints medians and the ratio; then
each once more in the same project, where every answer is stored. Beside them stands pytest with as
many tests that do nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.engine import ROOT, oracle, project

RUN, SESSION = "harness run bench", "pytest suites --target bench"
EMPTY = "pytest test_empty.py"
COMMANDS = {
    RUN: ["-m", "harness", "run", "bench"],
    SESSION: ["-m", "pytest", "-p", "harness.pytest_plugin", "suites", "--target", "bench"],
    EMPTY: ["-m", "pytest", "test_empty.py"],
}
TESTS = "import pytest\n\n@pytest.mark.parametrize('i', range({}))\ndef test_it(i): pass\n"


def seconds(name: str, folder: Path) -> tuple[float, str]:
    """What a command takes in a project's folder, and what it printed."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "CI": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, *COMMANDS[name]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    took = time.monotonic() - start
    if done.returncode != 0:
        raise SystemExit(f"{name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return took, done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Speed of a pytest session.")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--delay", type=float, default=82.0, help="ms to an answer's last piece")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args(arguments)
    print(f"Load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores before the start.")
    asked: dict[str, list[float]] = {name: [] for name in COMMANDS}
    stored: dict[str, list[float]] = {name: [] for name in COMMANDS}
    said = ""
    with oracle(given.delay / 1000.0) as url:
        for _ in range(given.repeat):
            for name in COMMANDS:
                with tempfile.TemporaryDirectory() as folder:
                    project(Path(folder), url, given.cases, given.concurrency)
                    (Path(folder) / "test_empty.py").write_text(TESTS.format(given.cases))
                    asked[name].append(seconds(name, Path(folder))[0])
                    took, told = seconds(name, Path(folder))
                    stored[name].append(took)
                    said = told if name == SESSION else said
    print(
        f"\n{given.cases:,} cases, concurrency {given.concurrency}, last piece after "
        f"{given.delay:g} ms, median of {given.repeat}\n\n"
        "| command | s | ratio | s, all stored | ratio |\n| --- | ---: | ---: | ---: | ---: |"
    )
    for name in COMMANDS:
        cells = []
        for found in (asked, stored):
            middle = statistics.median(found[name])
            cells += [f"{middle:.2f}", f"{middle / statistics.median(found[RUN]):.2f}"]
        print(f"| `{name}` | {' | '.join(cells)} |")
    print(f"\npytest: {said.strip().splitlines()[-1].strip('= ')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
