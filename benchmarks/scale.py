"""What a Ray cluster costs and brings on one machine: the same run by each engine.

`python -m benchmarks.scale [--cases 2000] [--delay 0.05] [--concurrency 64]` starts a mock server
in a process of its own, runs the command once for each row, and prints a table.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mock_server import COMMAND

HEADER = """\
| engine | first request, s | whole, s | answers/s between them |
| --- | --- | --- | --- |"""


@dataclass(frozen=True, slots=True)
class Row:
    """One way to run: so many nodes, each with so many workers; no node is the local engine."""

    nodes: int
    workers: int = 1

    @property
    def name(self) -> str:
        """What the table calls it."""
        if not self.nodes:
            return "local"
        return f"ray, nodes: {self.nodes}, workers each: {self.workers}"


ROWS = (Row(0), Row(1, 1), Row(1, 2), Row(2, 1), Row(2, 2))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--delay", type=float, default=0.05, help="seconds to the first token")
    parser.add_argument("--concurrency", type=int, default=64)
    given = parser.parse_args(arguments)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    print(
        f"{given.cases} cases, first token after {given.delay * 1000:.0f} ms, concurrency "
        f"{given.concurrency}, {os.cpu_count()} processors for server and engine together\n"
    )
    print(HEADER)
    for row in ROWS:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = stack.enter_context(_server(folder, given.delay))
            _project(folder, url, given.cases, given.concurrency)
            options = stack.enter_context(_options(row))
            first, whole = _timed(folder, url, options)
        rate = given.cases / (whole - first)
        print(f"| {row.name} | {first:.1f} | {whole:.1f} | {rate:.0f} |", flush=True)
    return 0


@contextmanager
def _server(folder: Path, delay: float) -> Iterator[str]:
    answers = folder / "answers.json"
    answers.write_text(json.dumps({"*": "It is value 1, as everybody here knows."}))
    line = [*COMMAND, "--answer-file", str(answers)]
    line += ["--model", "base", "--first-delay", str(delay)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def _project(folder: Path, url: str, cases: int, concurrency: int) -> None:
    suite = folder / "suites" / "scale"
    suite.mkdir(parents=True)
    described = {"name": "scale", "domain": "Numbers", "version": 1,
                 "sections": {"gold": {"cases": "gold.jsonl", "scorer": "gold"}}}  # fmt: skip
    (suite / "suite.yaml").write_text(json.dumps(described))
    with (suite / "gold.jsonl").open("w") as file:
        for number in range(cases):
            case = {
                "id": f"c{number}",
                "group": f"g{number // 4}",
                "prompt": f"What is fact {number}?",
                "expect": {"answers": ["value 1"]},
            }
            file.write(json.dumps(case) + "\n")
    settings = {
        "suites": ["suites/scale"],
        "servers": {"main": {"url": url}},
        "targets": {"base": {"server": "main", "model": "base"}},
        "generation": {"concurrency": concurrency},
    }
    (folder / "harness.yaml").write_text(json.dumps(settings))


@contextmanager
def _options(row: Row) -> Iterator[list[str]]:
    """The options of the row; a cluster of several nodes is up before the clock starts."""
    if row.nodes < 2:
        yield ["--engine", "ray", "--workers", str(row.workers)] if row.nodes else []
        return
    from ray.cluster_utils import Cluster

    head: dict[str, Any] = {"num_cpus": row.workers, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(row.nodes - 1):
            cluster.add_node(num_cpus=row.workers)
        cluster.wait_for_nodes()
        yield ["--engine", "ray", "--ray-address", cluster.address]
    finally:
        cluster.shutdown()


def _timed(folder: Path, url: str, options: Sequence[str]) -> tuple[float, float]:
    """Seconds from the command's start to its first request, and to its exit."""
    count = url.removesuffix("/v1") + "/requests-count"
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "run", "base", *options],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    first = None
    while first is None and process.poll() is None:
        with urllib.request.urlopen(count) as response:  # noqa: S310 - our own server
            if json.load(response)["count"]:
                first = time.perf_counter() - began
        time.sleep(0.01)
    _, said = process.communicate()
    whole = time.perf_counter() - began
    if process.returncode or first is None:
        raise SystemExit(f"the run failed: {said}")
    return first, whole


if __name__ == "__main__":
    sys.exit(main())
