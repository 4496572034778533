"""How often the rules on latency pass, fail or stay open, on a real server and in real time.

    python -m benchmarks.latency_served [--minutes 25] [--gates N] [--only WORDS]
        [--burners N] [--priority raised]

Each gate is a `harness latency` of a project of its own against a server in a process of its own
(`benchmarks/latency_oracle.py`), over loopback, with the client, the protocol and the records that
users have. The truths are those of `benchmarks/latency_decisions.py`, every time a tenth: 20 ms to
the first token. Rows of one candidate are rules of one policy.

A gate that the machine spoiled, by being late with sending or reading, is INVALID. It is counted
apart, and no share is of it. Exit code 1 says that a claim under the table does not hold.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scipy.stats import binomtest

from benchmarks.latency_arms import BASELINE, CANDIDATE, Behaviour
from benchmarks.latency_decisions import ALPHA, LIMIT, LOAD, Found, Quiet, Row, broken
from benchmarks.latency_oracle import started
from harness.config import load_project
from harness.latency.latency_rule import judge_rule
from harness.records.latency import LATENCY_PREFIX, LatencySection, LatencySettings
from harness.session.measurements import contest, measured

PROMPTS = 50
TAIL = Behaviour(tail_share=0.05, tail_times=3)
LONG = Behaviour(length=2.0)
FAILING = Behaviour(times=0.8, failing=0.05)
# Blocks of a second: in shorter ones a single moment without the processor is the 99th percentile.
REQUESTS = 3000
ROWS = (
    Row("the same (A/A)", "ttft_p50", Behaviour(), never="fail", mostly="pass", requests=REQUESTS),
    Row("the same (A/A)", "ttft_p95", Behaviour(), never="fail", requests=REQUESTS),
    Row("5 % slower", "ttft_p50", Behaviour(times=1.05), never="fail", requests=REQUESTS),
    Row("20 % slower", "ttft_p50", Behaviour(times=1.2), never="pass", mostly="fail",
        requests=REQUESTS),
    Row("5 % of requests three times slower", "ttft_p50", TAIL, never="fail", mostly="pass",
        requests=REQUESTS),
    Row("5 % of requests three times slower", "ttft_p95", TAIL, never="pass", mostly="fail",
        requests=REQUESTS),
    Row("answers twice as long", "ttft_p50", LONG, never="fail", mostly="pass", requests=REQUESTS),
    Row("answers twice as long", "tpot_p50", LONG, never="fail", mostly="pass", requests=REQUESTS),
    Row("20 % faster, fails 5 % of requests", "ttft_p50", FAILING, never="pass", rounds=10),
    Row("20 % faster, fails 5 % of requests", "ttft_p95", FAILING, never="pass", rounds=10),
)  # fmt: skip
# What the candidate's failures make of a measurement, and not the machine.
_FAILURES = re.compile(r"requests failed")


@dataclass(slots=True)
class Served(Found):
    """What a row's gates said, and how many of them the machine spoiled."""

    spoiled: int = 0


@dataclass(slots=True)
class Tally:
    """What all gates said, why machines spoiled some, and how long they took."""

    rows: dict[tuple[str, str], Served] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)


def groups(only: str) -> list[list[Row]]:
    """The rows of each candidate, of those that hold the words."""
    rows = [row for row in ROWS if only in row.words]
    return [list(own) for _, own in itertools.groupby(rows, key=lambda row: row.words)]


def gate(
    rows: Sequence[Row], seed: int, scale: float, priority: str = "usual"
) -> tuple[list[str], LatencySection]:
    """What each rule said of their candidate, and the measurement."""
    with (
        tempfile.TemporaryDirectory() as name,
        started(rows[0].candidate, seed, scale) as url,
    ):
        folder = Path(name)
        write_project(folder, url, rows, seed, scale, priority)
        project = load_project(folder / "harness.yaml")
        chosen = contest(project, CANDIDATE, BASELINE, project.config.latency)
        section = measured(project, chosen, Quiet())
    return [judge_rule(rule, section).outcome for rule in chosen.rules], section


def write_project(
    folder: Path, url: str, rows: Sequence[Row], seed: int, scale: float, priority: str
) -> None:
    """Write a project whose policy has the rows' rules."""
    suite = folder / "suite"
    suite.mkdir()
    sections = {"gold": {"cases": "gold.jsonl", "scorer": "gold"}}
    about = {"name": "context", "domain": "nothing in particular", "version": 1}
    (suite / "suite.yaml").write_text(json.dumps({**about, "sections": sections}))
    lines = (
        {"id": f"case-{number}", "prompt": f"Say {number}.", "expect": {"answers": ["word1"]}}
        for number in range(PROMPTS)
    )
    (suite / "gold.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    settings = LatencySettings.model_validate(
        {
            "loads": [f"poisson:{(LOAD.rate or 0.0) / scale:g}/s"],
            "requests": rows[0].requests,
            "rounds": rows[0].rounds,
            "length": "natural",
            "max_tokens": 64,
            "seed": seed,
            "client_priority": priority,
        }
    )
    rules = [
        {"metric": f"{LATENCY_PREFIX}{row.metric}", "require": "ratio_at_most", "value": LIMIT}
        for row in rows
    ]
    config = {
        "suites": ["suite"],
        "servers": {"oracle": {"url": f"{url}/v1"}},
        "targets": {name: {"server": "oracle", "model": name} for name in (CANDIDATE, BASELINE)},
        "gate": {"baseline": BASELINE, "alpha": ALPHA, "rules": rules},
        "latency": settings.model_dump(mode="json"),
    }
    (folder / "harness.yaml").write_text(json.dumps(config))


def count(tally: Tally, rows: Sequence[Row], said: Sequence[str], section: LatencySection) -> None:
    """Take note of a gate."""
    (load,) = section.loads
    # A late client spoils the rules alone that its lateness may have decided.
    late = [f"{load.load}: {line}" for line in load.late if not load.problems]
    spoiling = [problem for problem in load.problems if not _FAILURES.search(problem)]
    spoiled = bool(spoiling) and len(spoiling) == len(load.problems)
    if spoiled or (late and "invalid" in said):
        tally.reasons.update({_kind(problem) for problem in (*spoiling, *late)})
    for row, outcome in zip(rows, said, strict=True):
        found = tally.rows.setdefault((row.words, row.metric), Served())
        found.rounds += load.rounds
        if spoiled or (late and outcome == "invalid"):
            found.spoiled += 1
        else:
            found.outcomes[outcome] += 1


def _kind(problem: str) -> str:
    """A problem without its load, its arm and its numbers."""
    words = re.split(": | - ", problem)[1]
    return re.sub(r"the (candidate|baseline|control)'s", "an arm's", re.sub(r"[\d.]+", "#", words))


def share(hits: int, of: int) -> str:
    """A share with its exact 95 % interval (Clopper and Pearson, 1934)."""
    if not of:
        return "-"
    span = binomtest(hits, of).proportion_ci(0.95, method="exact")
    return f"{hits} ({span.low:.2f} to {span.high:.2f})"


def _gates(tally: Tally, words: str) -> int:
    found = next(row for (name, _), row in tally.rows.items() if name == words)
    return found.outcomes.total() + found.spoiled


def lines(tally: Tally) -> Iterator[str]:
    """The table."""
    yield (
        "| candidate | metric | requests an arm | gates | spoiled | pass | fail | open | invalid "
        "| rounds |"
    )
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for row in ROWS:
        found = tally.rows.get((row.words, row.metric))
        if found is None:
            continue
        believed = found.outcomes.total()
        shares = " | ".join(
            share(found.outcomes[outcome], believed)
            for outcome in ("pass", "fail", "inconclusive", "invalid")
        )
        gates = believed + found.spoiled
        yield (
            f"| {row.words} | {row.metric} | {row.requests} | {gates} | {found.spoiled} "
            f"| {shares} | {found.rounds / gates:.1f} |"
        )


def run(given: argparse.Namespace) -> Tally:
    """What the gates said that fitted into the time, as many of each candidate."""
    tally = Tally()
    began = time.monotonic()
    for seed in range(given.seed, given.seed + given.gates):
        spent = time.monotonic() - began
        done = seed - given.seed
        if done and spent * (done + 1) / done > 60.0 * given.minutes:
            break
        for rows in groups(given.only):
            start = time.monotonic()
            said, section = gate(rows, seed, given.scale, given.priority)
            words = rows[0].words
            took = time.monotonic() - start
            tally.seconds[words] = tally.seconds.get(words, 0.0) + took
            count(tally, rows, said, section)
            told = "; ".join((*_ratios(rows, said, section), *_reasons(section)))
            print(f"{seed}: {words}, {took:.0f} s: {told}", file=sys.stderr, flush=True)
    return tally


def _reasons(section: LatencySection) -> tuple[str, ...]:
    (load,) = section.loads
    return (*load.problems, *load.late)


def _ratios(rows: Sequence[Row], said: Sequence[str], section: LatencySection) -> Iterator[str]:
    """What each rule said of which ratio."""
    known = {metric.metric: metric.ratio for metric in section.loads[0].metrics}
    for row, outcome in zip(rows, said, strict=True):
        found = known[row.metric]
        low, high = (bound if bound is not None else math.inf for bound in (found.low, found.high))
        yield f"{row.metric} {outcome} {low:.3f} to {high:.3f}"


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """So many processes that compute without end, for as long as the block runs."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Decisions on latency on a real server.")
    parser.add_argument("--gates", type=int, default=1000, help="of each candidate at most")
    parser.add_argument("--minutes", type=float, default=25.0, help="that all of them may take")
    parser.add_argument("--scale", type=float, default=0.1, help="of all times")
    parser.add_argument("--seed", type=int, default=0, help="of the first gate")
    parser.add_argument("--burners", type=int, default=0, help="processes that compute beside it")
    parser.add_argument("--priority", choices=("usual", "raised"), default="usual")
    parser.add_argument("--only", default="", help="rows that hold these words")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    with neighbours(given.burners):
        tally = run(given)
    print(f"ratio_at_most {LIMIT:g}, alpha {ALPHA:g}, times multiplied by {given.scale:g}\n")
    for line in lines(tally):
        print(line)
    print(f"\n{time.monotonic() - began:.0f} s")
    for words, seconds in tally.seconds.items():
        print(f"a gate took {seconds / _gates(tally, words):.0f} s: {words}")
    for reason, times in tally.reasons.most_common():
        print(f"spoiled {times} times: {reason}")
    failures = [
        failure
        for row in ROWS
        if (found := tally.rows.get((row.words, row.metric))) is not None
        and found.outcomes.total()
        and (failure := broken(row, found)) is not None
    ]
    for failure in failures:
        print(f"does not hold: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
