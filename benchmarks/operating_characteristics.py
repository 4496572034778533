"""How often the gate promotes, blocks or declines, from records to verdict, where the truth is set.

    python -m benchmarks.operating_characteristics [--simulations N] [--jobs 2] [--sizes 60,120]

Each simulation draws the answers of a baseline and of a candidate, puts their attempts and scores
into two runs, and takes these through `compare` and `gate`.

A case is drawn as one of lost, won, right in both arms or wrong in both, each with the chance its
section and the scenario give it; four in five cases of a group take the group's own draw. So each
section's true difference is won minus lost, to the digit, and cases of a group are alike. Critical
cases are right in both arms, unless the scenario breaks one.

Exit code 1 says that a claim under the table does not hold.
"""

from __future__ import annotations

import argparse
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from benchmarks.scenarios import (
    ALPHA,
    F1_FLOOR,
    SCENARIOS,
    SECTIONS,
    STRICT_MARGIN,
    Scenario,
    policy,
    relation,
)
from benchmarks.worlds import (
    COPIED,
    FAILED,
    GROUPED,
    NOW,
    RIGHT,
    SILENT,
    WRONG,
    Choices,
    World,
    world,
)
from harness.gate.compare import compare
from harness.gate.judge import Circumstances, gate
from harness.records.verdict import Decision, Verdict, VerdictHashes

SLACK = 0.01
DOUBT = 0.01  # the chance that a claim which holds by a hair fails here all the same
ALIKE = 0.8  # the share of cases that take their group's draw
FAILING = 0.02
UNANSWERED = 0.01  # as much as the policy bears with
CHUNK = 20  # simulations that share a seed
SIZES = (60, 120, 300, 1000)
SMALL = 200  # cases below which this policy cannot promote, and a quarter of simulations will do
HASHES = VerdictHashes(suites="s", config="c", candidate="a", baseline="b")
DECISIONS: tuple[Decision, ...] = ("PROMOTE", "BLOCK", "INCONCLUSIVE", "INVALID")


def draw(made: World, scenario: Scenario, rng: np.random.Generator) -> tuple[Choices, Choices]:
    """Which answer baseline and candidate give to each case, shape (cases,) each."""
    n = made.section.size
    lost, won, right = np.zeros(n), np.zeros(n), np.zeros(n)
    for name, kind in SECTIONS.items():
        change = scenario.changes.get(name, 0.0)
        here = made.section == name
        lost[here] = kind.discordant + max(-change, 0.0)
        won[here] = kind.discordant + max(change, 0.0)
        right[here] = kind.accuracy - lost[here]  # in both arms
    of_group = rng.random(int(made.group.max()) + 1)[made.group]
    chance = np.where(rng.random(n) < ALIKE, of_group, rng.random(n))
    is_lost = ~made.critical & (chance < lost)
    is_won = ~made.critical & (chance >= lost) & (chance < lost + won)
    both = made.critical | ((chance >= lost + won) & (chance < lost + won + right))
    baseline = np.where(is_lost | both, RIGHT, WRONG)
    candidate = np.where(is_won | both, RIGHT, WRONG)
    copied = (rng.random(n) < 0.5) & (baseline == candidate)
    return baseline.astype(np.intp), _spoil(made, scenario, rng, (baseline, candidate, copied))


def _spoil(
    made: World,
    scenario: Scenario,
    rng: np.random.Generator,
    drawn: tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.bool_]],
) -> Choices:
    baseline, candidate, copied = drawn
    choices = candidate + COPIED * copied
    if scenario.spoiled == "identical":
        choices = baseline + COPIED
    elif scenario.spoiled == "failing":
        choices = np.where(rng.random(choices.size) < FAILING, FAILED, choices)
    elif scenario.spoiled == "silent":
        gold = made.section == "gold"
        lost = np.flatnonzero(gold & (baseline == RIGHT) & (candidate == WRONG))
        choices[lost[: int(UNANSWERED * gold.sum())]] = SILENT
    elif scenario.spoiled == "critical":
        choices[np.flatnonzero(made.critical)[0]] = WRONG
    return np.asarray(choices, dtype=np.intp)


def verdicts(made: World, scenario: Scenario, rng: np.random.Generator) -> dict[str, Verdict]:
    """One simulation: the verdict of each of the scenario's policies on the same two runs."""
    baseline, candidate = draw(made, scenario, rng)
    leave_out = "tone" if scenario.spoiled == "missing" else None
    runs = made.candidate.run(candidate, leave_out), made.baseline.run(baseline)
    weighed = {policy(name).weigh for name in scenario.policies}
    compared = {weigh: compare(*runs, made.suites, weigh=weigh) for weigh in weighed}
    circumstances = Circumstances("base", HASHES, "0", NOW)
    return {
        name: gate(compared[policy(name).weigh], policy(name), circumstances)
        for name in scenario.policies
    }


Counts = dict[str, Counter[str]]


def chunk(size: int, scenario: Scenario, number: int, simulations: int) -> Counts:
    """The verdicts of some simulations by policy; they follow from the arguments alone."""
    key = (size, zlib.crc32(scenario.name.encode()), number)
    rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=key))
    made = world(size, scenario.grouped)
    found: Counts = {name: Counter() for name in scenario.policies}
    for _ in range(simulations):
        for name, verdict in verdicts(made, scenario, rng).items():
            found[name][verdict.verdict] += 1
    return found


@dataclass(frozen=True, slots=True)
class Cell:
    """What became of one scenario under one policy at one size."""

    scenario: Scenario
    policy: str
    size: int
    counts: Counter[str]

    @property
    def simulations(self) -> int:
        """How often it was simulated."""
        return self.counts.total()

    def share(self, decision: str) -> float:
        """The share of simulations with this verdict."""
        return self.counts[decision] / self.simulations

    @property
    def told(self) -> str:
        """The cell in words."""
        return f"`{self.scenario.name}`, {self.policy} policy, {self.size} cases"


def simulate(pool: Executor, simulations: int, sizes: Sequence[int], only: str = "") -> list[Cell]:
    """Every cell of the scenarios with that in their names; the pool changes nothing."""
    chosen = [one for one in SCENARIOS if only in one.name]
    waiting = {}
    for size in sorted(sizes, reverse=True):  # the dearest first
        for at, scenario in enumerate(chosen):
            wanted = simulations * scenario.weight * (0.25 if size < SMALL else 1.0)
            left = [CHUNK] * max(1, round(wanted / CHUNK))
            waiting[size, at] = [
                pool.submit(chunk, size, scenario, number, count)
                for number, count in enumerate(left)
            ]
    cells = []
    for at, scenario in enumerate(chosen):
        for name in scenario.policies:
            for size in sizes:
                parts = (done.result()[name] for done in waiting[size, at])
                cells.append(Cell(scenario, name, size, sum(parts, Counter())))
    return cells


def header() -> str:
    """What is true in every row, in words."""
    sections = "; ".join(
        f"{name} {kind.share:.0%} of the cases, right {kind.accuracy:.0%}, margin "
        f"{100 * kind.margin:g} points, {100 * kind.discordant:g} % of groups lost and as many won"
        for name, kind in SECTIONS.items()
    )
    return (
        f"Sections, where nothing changes: {sections}. A lost or won share of a scenario comes on "
        f"top. One case a group, or groups of {', '.join(map(str, GROUPED))} where a row says so, "
        f"{ALIKE:.0%} of whose cases share the group's fate. Half of the texts differ where "
        f"outcomes do not. An eighth of the cases to refuse is critical and right on both sides.\n"
        f"Policy `usual`: the four margins, scope.f1 at least {F1_FLOOR:g}, no new critical "
        f"failure, alpha {ALPHA:g}; `strict`: a margin of {100 * STRICT_MARGIN:g} points on gold; "
        "`by groups`: each group counts once. "
        "Truth: where the worst loss lies, seen from its section's margin."
    )


def table(cells: Iterable[Cell]) -> str:
    """The cells as a Markdown table, shares in per cent."""
    lines = [
        f"| scenario | policy | truth | cases | {' | '.join(DECISIONS)} | simulations |",
        "| --- | --- | --- |" + " ---: |" * (len(DECISIONS) + 2),
    ]
    for cell in cells:
        shares = " | ".join(f"{100 * cell.share(decision):.1f}" for decision in DECISIONS)
        truth: str | None = cell.scenario.spoiled
        if truth in (None, "silent"):
            truth = relation(cell.scenario, cell.policy)
        lines.append(
            f"| {cell.scenario.name} | {cell.policy} | {truth} | {cell.size:,} | {shares} "
            f"| {cell.simulations:,} |"
        )
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Claim:
    """That some verdicts are given in no cell more often than the limit, chance aside."""

    what: str
    decisions: tuple[Decision, ...]
    limit: float
    cells: tuple[Cell, ...]

    def allowed(self, cell: Cell) -> float:
        """The share up to which chance explains what exceeds the limit, all cells considered."""
        doubt = DOUBT / len(self.cells)
        return float(binom.ppf(1.0 - doubt, cell.simulations, self.limit)) / cell.simulations

    @property
    def holds(self) -> bool:
        """Whether no cell is beyond what is allowed."""
        return all(self.share(cell) <= self.allowed(cell) for cell in self.cells)

    @property
    def worst(self) -> Cell:
        """The cell with the largest share."""
        return max(self.cells, key=self.share)

    def share(self, cell: Cell) -> float:
        """The share of simulations with one of the verdicts."""
        return sum(cell.share(decision) for decision in self.decisions)

    def __str__(self) -> str:
        worst = self.worst
        return (
            f"{'PASS' if self.holds else 'FAIL'}: {self.what}: at most {100 * self.limit:g} %, by "
            f"chance up to {100 * self.allowed(worst):.1f} % of {worst.simulations:,}. Worst of "
            f"{len(self.cells)} cells: {100 * self.share(worst):.1f} %, {worst.told}"
        )


def claims(cells: Sequence[Cell]) -> list[Claim]:
    """What the table has to show, as far as its cells can."""
    sound = [cell for cell in cells if cell.scenario.spoiled in (None, "silent")]
    unchanged = [cell for cell in sound if not cell.scenario.changes]
    losing = {
        where: [cell for cell in sound if relation(cell.scenario, cell.policy) == where]
        for where in ("at", "beyond")
    }
    spoiled = [cell for cell in cells if cell.scenario.spoiled in ("identical", "missing")]
    critical = [cell for cell in cells if cell.scenario.spoiled == "critical"]
    at_300 = [cell for cell in unchanged if cell.size == 300]
    found = [
        Claim("PROMOTE with a loss beyond its margin", ("PROMOTE",), ALPHA + SLACK,
              tuple(losing["beyond"])),
        Claim("PROMOTE with a loss exactly at its margin", ("PROMOTE",), ALPHA + SLACK,
              tuple(losing["at"])),
        Claim("BLOCK at 300 cases where nothing changes", ("BLOCK",), ALPHA, tuple(at_300)),
        Claim("BLOCK at any size where nothing changes", ("BLOCK",), ALPHA, tuple(unchanged)),
        Claim("anything but INVALID of evidence that cannot be trusted",
              ("PROMOTE", "BLOCK", "INCONCLUSIVE"), 0.0, tuple(spoiled)),
        Claim("PROMOTE with a new critical failure", ("PROMOTE",), 0.0, tuple(critical)),
    ]  # fmt: skip
    return [claim for claim in found if claim.cells]


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where every claim holds, else 1; prints the table and the claims."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=240, help="a cell, times its weight")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--only", default="", help="scenarios whose name has this in it")
    given = parser.parse_args(arguments)
    sizes = [int(size) for size in given.sizes.split(",")]
    begun = time.perf_counter()
    with ProcessPoolExecutor(given.jobs) as pool:
        cells = simulate(pool, given.simulations, sizes, given.only)
    print(header(), table(cells), sep="\n\n", end="\n\n")
    found = claims(cells)
    print(*(f"- {claim}" for claim in found), sep="\n")
    total = sum(cell.simulations for cell in cells)
    print(f"\n{total:,} verdicts in {time.perf_counter() - begun:.0f} s")
    return 0 if all(claim.holds for claim in found) else 1


if __name__ == "__main__":
    sys.exit(main())
