"""What an early end saves, and what it costs in error and power, from records to verdict.

    python -m benchmarks.sequential [--simulations N] [--jobs 2] [--sizes 300,1000]

The worlds are those of `benchmarks.operating_characteristics`. Each simulation is judged twice on
the same answers: by a gate that asks everything, and by one that asks in looks and ends early. The
answers that the second asks are counted, critical cases at the first look among them.

Exit code 1 says that a promise does not hold: errors of at most alpha + 1 point, by more than
chance, and no scenario with more answers than a gate that asks everything.
"""

from __future__ import annotations

import argparse
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from benchmarks.operating_characteristics import DOUBT, HASHES, SLACK, draw
from benchmarks.scenarios import ALPHA, GAINS, SECTIONS, Scenario, policy, relation
from benchmarks.worlds import NOW, world
from harness.gate.compare import compare
from harness.gate.judge import Circumstances, gate
from harness.gate.stopping import cases_up_to, first_look, look_of_cases
from harness.records.suite import Suite
from harness.records.verdict import Verdict

CHUNK = 20
SIZES = (300, 1000)
LOST = dict.fromkeys(SECTIONS, -0.15)
SCENARIOS = (
    Scenario("no change"),
    Scenario("no change, up to 3 cases a group", grouped=True),
    Scenario("3 points lost in gold", {"gold": -0.03}),
    Scenario("5 points lost in gold, gains elsewhere", {"gold": -0.05} | GAINS, weight=2),
    Scenario("5 points lost in gold, gains elsewhere, up to 3 cases a group",
             {"gold": -0.05} | GAINS, grouped=True, weight=2),
    Scenario("10 points lost in general, 5 won in gold", {"general": -0.10, "gold": 0.05},
             weight=2),
    Scenario("10 points lost in gold", {"gold": -0.10}),
    Scenario("15 points lost in gold", {"gold": -0.15}),
    Scenario("15 points lost in every section", LOST),
    Scenario("one new critical failure", spoiled="critical", weight=0.5),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """One simulation: both verdicts, the share of answers asked, and gold's estimates."""

    whole: str
    early: str
    share: float
    bias: float


def simulate(size: int, at: int, number: int) -> list[Outcome]:
    """Some simulations of a scenario; they follow from the arguments alone."""
    scenario = SCENARIOS[at]
    key = (size, zlib.crc32(scenario.name.encode()), number)
    rng = np.random.default_rng(np.random.SeedSequence(1, spawn_key=key))
    made = world(size, scenario.grouped)
    usual = policy("usual")
    early = usual.model_copy(update={"sequential": True})
    circumstances = Circumstances("base", HASHES, "0", NOW)
    found = []
    for _ in range(CHUNK):
        baseline, candidate = draw(made, scenario, rng)
        runs = made.candidate.run(candidate), made.baseline.run(baseline)
        whole = gate(compare(*runs, made.suites), usual, circumstances)
        ended = gate(compare(*runs, made.suites, looks=True), early, circumstances)
        found.append(
            Outcome(
                whole.verdict,
                ended.verdict,
                asked(ended, made.suites),
                (ended.rules[0].estimate or 0.0) - scenario.changes.get("gold", 0.0),
            )
        )
    return found


def asked(verdict: Verdict, suites: Sequence[Suite]) -> float:
    """The share of all answers that such a gate asks: each section to the look that decided it."""
    looks = first_look(suites)
    assert verdict.ended is not None
    for rule in verdict.rules:
        if rule.metric is not None and rule.look is not None:
            place = rule.metric.rpartition(".")[0]
            looks[place] = max(looks[place], rule.look)
    look_of = look_of_cases(suites, 0)
    only = cases_up_to(suites, look_of, looks)
    return sum(map(len, only.values())) / len(look_of)


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one scenario at one size."""

    scenario: Scenario
    size: int
    found: tuple[Outcome, ...]

    def share(self, decision: str, *, early: bool) -> float:
        """The share of simulations with this verdict."""
        said = [one.early if early else one.whole for one in self.found]
        return said.count(decision) / len(said)

    @property
    def broken(self) -> bool:
        """Whether the early end errs more than it may, beyond chance, or asks more."""
        within = relation(self.scenario, "usual") == "within"
        wrong = "PROMOTE" if self.scenario.spoiled or not within else "BLOCK"
        count = sum(one.early == wrong for one in self.found)
        allowed = binom.ppf(1.0 - DOUBT, len(self.found), ALPHA + SLACK)
        return count > allowed or max(one.share for one in self.found) > 1.0

    def __str__(self) -> str:
        """A row of the table."""
        shares = np.array([one.share for one in self.found])
        cells = [
            " / ".join(
                f"{100 * self.share(decision, early=early):.1f}"
                for decision in ("PROMOTE", "BLOCK", "INCONCLUSIVE")
            )
            for early in (False, True)
        ]
        bias = 100 * np.mean([one.bias for one in self.found])
        asks = " | ".join(f"{100 * value:.0f} %" for value in (np.median(shares), shares.mean()))
        truth = self.scenario.spoiled or relation(self.scenario, "usual")
        return (
            f"| {self.scenario.name} | {truth} | {self.size:,} | {' | '.join(cells)} | {asks} "
            f"| {bias:+.1f} |{' **broken**' if self.broken else ''}"
        )


def rows(simulations: int, sizes: Sequence[int], jobs: int, only: str) -> Iterator[Row]:
    """Every scenario at every size."""
    with ProcessPoolExecutor(jobs) as pool:
        waiting = {
            (at, size): [
                pool.submit(simulate, size, at, number)
                for number in range(max(1, round(simulations * scenario.weight / CHUNK)))
            ]
            for at, scenario in enumerate(SCENARIOS)
            if only in scenario.name
            for size in sizes
        }
        for (at, size), parts in waiting.items():
            yield Row(SCENARIOS[at], size, tuple(one for part in parts for one in part.result()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description="What an early end saves and costs.")
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--only", default="", help="scenarios whose name has this in it")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    print("| scenario | truth | cases | all asked | early end | answers, median | mean | bias |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    sizes = [int(size) for size in options.sizes.split(",")]
    broken, count = 0, 0
    for row in rows(options.simulations, sizes, options.jobs, options.only):
        print(row, flush=True)
        broken, count = broken + row.broken, count + len(row.found)
    print(f"\n{count} simulations in {time.monotonic() - start:.0f} s. Promises broken: {broken}.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
