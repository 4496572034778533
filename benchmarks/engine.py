"""How fast `harness run` asks, beside loops that do nothing else.

Run `python -m benchmarks.engine`. It starts a server of its own, puts a generated suite to it with
the real command, journal and scores included, and the same requests with the bare loops, in
turns. *Span* is first request to last answer by the server's clock, *whole* the process from
start to exit, beside each its ratio to the bare aiohttp loop's. `--cases 50000 --delay 0` asks a
server that answers at once.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
OURS = "harness run"
CLIENTS = (OURS, "bare aiohttp", "bare protocol")
SUITE = """\
name: bench
domain: nothing in particular
version: 1
sections:
  gold: {cases: gold.jsonl, scorer: gold}
"""
CONFIG = """\
suites: [suites/bench]
servers:
  oracle: {{url: {url}/v1}}
targets:
  bench: {{server: oracle, model: oracle}}
generation: {{concurrency: {concurrency}}}
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one process took; times in seconds, memory in MB."""

    span: float
    whole: float
    cpu: float
    peak: float
    to_first: float
    late: float


@contextmanager
def oracle(delay: float) -> Iterator[str]:
    """The address of a server whose last piece is due after `delay`, the first at 50/82 of it."""
    command = [sys.executable, "-m", "benchmarks.oracle"]
    command += ["--first", str(delay * 50 / 82), "--last", str(delay)]
    server = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.communicate()


def project(folder: Path, url: str, cases: int, concurrency: int) -> None:
    """Write a project with one suite."""
    suite = folder / "suites" / "bench"
    suite.mkdir(parents=True)
    (suite / "suite.yaml").write_text(SUITE)
    with (suite / "gold.jsonl").open("w") as file:
        for number in range(cases):
            line = {
                "id": f"case-{number:06d}",
                "prompt": f"Say word {number}.",
                "expect": {"answers": [f"word{number % 20}"]},
            }
            file.write(json.dumps(line) + "\n")
    (folder / "harness.yaml").write_text(CONFIG.format(url=url, concurrency=concurrency))


def measure(client: str, url: str, cases: int, concurrency: int) -> Spent:
    """One run of a client, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        if client == OURS:
            project(Path(folder), url, cases, concurrency)
            command = [sys.executable, "-m", "harness", "run", "bench"]
        else:
            command = [sys.executable, "-m", "benchmarks.bare", client.removeprefix("bare ")]
            command += ["--url", url, "--cases", str(cases), "--concurrency", str(concurrency)]
        _measured(url)
        start = time.monotonic()
        whole, cpu, peak = _process(command, Path(folder))
    told = _measured(url)
    if told["requests"] != cases:
        raise SystemExit(f"{client}: the server saw {told['requests']:g} requests, not {cases}")
    return Spent(
        span=told["last"] - told["first"],
        whole=whole,
        cpu=cpu,
        peak=peak,
        to_first=told["first"] - start,
        late=told["late_p99"],
    )


def _process(command: Sequence[str], folder: Path) -> tuple[float, float, float]:
    """Seconds from start to exit, CPU seconds, and the most MB; the output is thrown away.

    The kernel counts this process's own memory at the start as the child's, so it is kept small.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CI": "1"}
    start = time.monotonic()
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert child.stderr is not None
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    whole = time.monotonic() - start
    if child.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit {child.returncode}\n{said.decode()}")
    return whole, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024.0


def _measured(url: str) -> dict[str, float]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request("GET", "/measured")
    told: dict[str, float] = json.loads(connection.getresponse().read())
    connection.close()
    return told


def table(cases: int, delay: float, concurrency: int, repeat: int) -> list[Spent]:
    """Print a table of medians, and return what `harness run` took."""
    found: dict[str, list[Spent]] = {client: [] for client in CLIENTS}
    with oracle(delay) as url:
        for _ in range(repeat):
            for client in CLIENTS:
                found[client].append(measure(client, url, cases, concurrency))
    ideal = math.ceil(cases / concurrency) * delay
    print(
        f"\n{cases:,} cases, concurrency {concurrency}, last piece after {1000 * delay:g} ms: "
        f"ideal span {ideal:.2f} s, median of {repeat}\n\n"
        "| client | span s | ratio | whole s | ratio | CPU s per 1,000 | ratio | peak MB "
        "| late p99 ms |\n| --- " + "| ---: " * 8 + "|"
    )
    base = [_middle(found["bare aiohttp"], name) for name in ("span", "whole", "cpu")]
    for client, spent in found.items():
        cells = []
        for name, beside in zip(("span", "whole", "cpu"), base, strict=True):
            value = _middle(spent, name)
            shown = 1000.0 * value / cases if name == "cpu" else value
            cells += [f"{shown:.2f}", f"{value / beside:.2f}"]
        cells += [f"{_middle(spent, 'peak'):.0f}", f"{1000 * _middle(spent, 'late'):.2f}"]
        print(f"| {client} | " + " | ".join(cells) + " |")
    return found[OURS]


def _middle(spent: Sequence[Spent], name: str) -> float:
    return statistics.median(float(getattr(one, name)) for one in spent)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Speed of the engine.")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--delay", type=float, default=82.0, help="ms to an answer's last piece")
    parser.add_argument("--concurrency", type=int, action="append", help="default: 64 and 256")
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args(arguments)
    print(f"Load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores before the start.")
    ours: list[Spent] = []
    for concurrency in given.concurrency or (64, 256):
        ours += table(given.cases, given.delay / 1000.0, concurrency, given.repeat)
    helped = [
        _process([sys.executable, "-m", "harness", "--help"], ROOT)[0] for _ in range(given.repeat)
    ]
    print(
        f"\n`harness --help`: {statistics.median(helped):.2f} s; `harness run` to its first chat "
        f"request: {_middle(ours, 'to_first'):.2f} s."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
