"""How often the rules on latency pass, fail or stay open, where the truth is set.

    python -m benchmarks.latency_decisions [--gates N] [--jobs 2] [--only WORDS]

Each gate is a whole measurement of both arms by the real rounds, on a server in simulated time
(`benchmarks/latency_world.py`): drawn order, arrivals, opening waves, looks before the end,
intervals, noise and validity are those of `harness latency`.

Exit code 1 says that a claim under the table does not hold.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from benchmarks.latency_arms import BASELINE, CANDIDATE, Behaviour
from benchmarks.latency_world import Memory, VirtualServer, header, measuring
from harness.gate.rules.latency import LatencyRatioAtMost
from harness.latency.analyse import alpha_of, analyse_load
from harness.latency.latency_rule import judge_load
from harness.latency.measure import measure_rounds
from harness.records.latency import LATENCY_PREFIX, LatencySettings, LoadResult
from harness.records.load import Load
from tests.client.simulated import SimulatedClock, simulate

ALPHA = 0.05
LIMIT = 1.10
LOAD = Load(kind="poisson", rate=20.0)


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate, the rule it is held against, and what the rule must say of it, how often."""

    words: str
    metric: str
    candidate: Behaviour
    never: str | None = None
    mostly: str | None = None
    requests: int = 1000
    rounds: int = 20


ROWS = (
    Row("the same (A/A)", "ttft_p50", Behaviour(), never="fail", mostly="pass"),
    Row("the same (A/A)", "ttft_p95", Behaviour(), never="fail"),
    Row("5 % slower", "ttft_p50", Behaviour(times=1.05), never="fail"),
    Row("as slow as allowed, 10 %", "ttft_p50", Behaviour(times=LIMIT), never="pass"),
    Row("20 % slower", "ttft_p50", Behaviour(times=1.2), never="pass", mostly="fail"),
    Row("20 % slower", "ttft_p95", Behaviour(times=1.2), never="pass"),
    Row("5 % of requests three times slower", "ttft_p50", Behaviour(tail_share=0.05, tail_times=3),
        never="fail", mostly="pass"),
    Row("5 % of requests three times slower", "ttft_p95", Behaviour(tail_share=0.05, tail_times=3),
        never="pass"),
    Row("5 % of requests three times slower", "ttft_p95", Behaviour(tail_share=0.05, tail_times=3),
        never="pass", mostly="fail", requests=3000, rounds=30),
    Row("answers twice as long", "ttft_p50", Behaviour(length=2.0), never="fail", mostly="pass"),
    Row("answers twice as long", "tpot_p50", Behaviour(length=2.0), never="fail", mostly="pass"),
    Row("20 % faster, fails 5 % of requests", "ttft_p95", Behaviour(times=0.8, failing=0.05),
        never="pass"),
)  # fmt: skip


@dataclass(slots=True)
class Found:
    """What a row's gates said: how often each outcome, and over how many rounds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    rounds: int = 0


def gate(row: Row, seed: int) -> tuple[str, int]:
    """The outcome of one measurement, and how many rounds it took."""
    rule = LatencyRatioAtMost(
        require="ratio_at_most", metric=f"{LATENCY_PREFIX}{row.metric}", value=LIMIT
    )
    settings = LatencySettings(
        loads=(LOAD,), requests=row.requests, rounds=row.rounds, seed=seed, max_tokens=16
    )

    async def work(clock: SimulatedClock) -> LoadResult:
        behaviours = {CANDIDATE: row.candidate, BASELINE: Behaviour()}
        server = VirtualServer(clock, behaviours, seed=seed)
        folder = Memory()
        begun = header(settings, (row.metric,), ALPHA)
        folder.write_header(begun)
        done = await measure_rounds(begun, folder, measuring(server, clock), (rule,), Quiet())
        level = alpha_of(done, LOAD)
        return analyse_load(done, LOAD, folder.blocks(), level, (row.metric,))

    found = simulate(work(SimulatedClock()))
    return judge_load(rule, found).outcome, found.rounds


class Quiet:
    """A watcher that hears nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        """Nothing."""


def simulate_row(row: Row, gates: int, jobs: int) -> Found:
    """What so many gates say of the row's candidate."""
    found = Found()
    with ProcessPoolExecutor(jobs) as pool:
        for outcome, rounds in pool.map(gate, [row] * gates, range(gates), chunksize=5):
            found.outcomes[outcome] += 1
            found.rounds += rounds
    return found


def broken(row: Row, found: Found) -> str | None:
    """The claim that the row's outcomes do not bear out, if there is one.

    What may happen with the chance alpha may be seen in 3 standard errors more.
    """
    gates = found.outcomes.total()
    slack = ALPHA + 3.0 * (ALPHA * (1.0 - ALPHA) / gates) ** 0.5
    if row.never is not None and found.outcomes[row.never] > slack * gates:
        return f"{row.words}, {row.metric}: {row.never} in {found.outcomes[row.never]} of {gates}"
    if row.mostly is not None and found.outcomes[row.mostly] < 0.8 * gates:
        return f"{row.words}, {row.metric}: {row.mostly} only {found.outcomes[row.mostly]} times"
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Decisions on latency where the truth is set.")
    parser.add_argument("--gates", type=int, default=200, help="simulated gates a row")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="rows that hold these words")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    print(f"{given.gates} gates a row, ratio_at_most {LIMIT:g}, alpha {ALPHA:g}, {LOAD}\n")
    print("| candidate | metric | requests an arm | pass | fail | open | invalid | rounds |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    failures = []
    for row in ROWS:
        if given.only not in row.words:
            continue
        found = simulate_row(row, given.gates, given.jobs)
        shares = " | ".join(
            f"{found.outcomes[outcome] / given.gates:.3f}"
            for outcome in ("pass", "fail", "inconclusive", "invalid")
        )
        mean = found.rounds / given.gates
        print(
            f"| {row.words} | {row.metric} | {row.requests} | {shares} | {mean:.1f} |", flush=True
        )
        if (failure := broken(row, found)) is not None:
            failures.append(failure)
    print(f"\n{time.monotonic() - began:.0f} s")
    for failure in failures:
        print(f"does not hold: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
