"""Whether measuring rounds again where the client was late favours an arm.

    python -m benchmarks.latency_repeats [--simulations 300]

Each simulation is a measurement of 20 rounds whose truth is known: a neighbour takes the machine
now and then, which slows the server and makes the client late. It is analysed as the harness does
it, with rounds measured again, and once with the first 20 rounds as they came. "False pass" is how
often the upper bound lies below the true ratio, "false fail" how often the lower one lies above it:
each is promised to be at most 5 %. Exit code 1 says that one is above it by more than chance.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from benchmarks.latency_decisions import ALPHA, LOAD
from benchmarks.latency_world import header
from harness import stats
from harness.latency import quantities
from harness.latency.lateness import LATE, counted_rounds, extra, spoiled
from harness.records.attempt import Timing
from harness.records.latency import ARMS, Arm, Block, ClientHealth, LatencySettings, Sample

SETTINGS = LatencySettings(loads=(LOAD,), requests=1000, rounds=20, max_tokens=3)
HEADER = header(SETTINGS, (), ALPHA).model_copy(update={"finished": True})
PER_BLOCK = 50
TRUTH = 1.1


@dataclass(frozen=True, slots=True)
class World:
    """How often a neighbour is there in a round, what it does, and to whom.

    It slows a block by up to `slows`, and the client is late in a block with the chance `late`.
    With `whole` it stays for a whole round, else it comes by block.
    """

    name: str
    there: float
    slows: float
    late: float
    whole: bool


WORLDS = (
    World("a neighbour for whole rounds", 0.3, 0.5, 0.8, whole=True),
    World("a neighbour block by block", 0.15, 0.5, 0.8, whole=False),
    World("a client that is late by itself", 0.3, 0.0, 0.8, whole=False),
    World("a neighbour that is always there", 1.0, 0.3, 0.9, whole=True),
)


def measure(world: World, draw: np.random.Generator) -> list[dict[Arm, Block]]:
    """The rounds of a measurement, with those that are measured again."""
    rounds: list[dict[Arm, Block]] = []
    while True:
        good = sum(not spoiled(turn, LATE) for turn in rounds)
        planned = SETTINGS.rounds
        most = planned + extra(planned)
        if len(rounds) >= most or (len(rounds) >= planned and good >= planned):
            return rounds
        rounds.append(_round(world, len(rounds), draw))


def _round(world: World, number: int, draw: np.random.Generator) -> dict[Arm, Block]:
    stays = draw.random() < world.there
    common = math.exp(0.1 * draw.standard_normal())
    found: dict[Arm, Block] = {}
    for arm in ARMS:
        there = stays if world.whole else draw.random() < world.there
        slow = 1.0 + (world.slows * draw.random() if there else 0.0)
        lag = 2.0 * LATE if there and draw.random() < world.late else 0.0
        centre = 0.02 * common * slow * (TRUTH if arm == "candidate" else 1.0)
        times = centre * np.exp(0.25 * draw.standard_normal(PER_BLOCK))
        samples = tuple(
            Sample(prompt=0, due=0.0, timing=Timing(sent=0.0, chunks=(float(t),), done=float(t)))
            for t in times
        )
        client = ClientHealth(lag_p99=lag, lag_longest=lag, gc_longest=0.0, gc_total=0.0, cpu=0.1)
        found[arm] = Block(
            load=LOAD, round=number, place=0, arm=arm, began=0.0, seconds=1.0, samples=samples,
            client=client,
        )  # fmt: skip
    return found


def bounds(rounds: Sequence[dict[Arm, Block]]) -> stats.Interval:
    """The ratio of the candidate's median to the baseline's, with its bounds."""
    ours, theirs = (
        [quantities.values(turn[arm], "ttft") for turn in rounds] for arm in (ARMS[0], ARMS[1])
    )
    return stats.percentile_ratio(ours, theirs, 0.5, alpha=ALPHA)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where no error is above what is promised by more than chance explains, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=300)
    given = parser.parse_args(arguments)
    print("| world | rounds | measured again | false pass | false fail | width | |")
    print("| --- | --- | ---: | ---: | ---: | ---: | --- |")
    worst = 0
    for world in WORLDS:
        draw = np.random.default_rng([3, WORLDS.index(world)])
        runs = [measure(world, draw) for _ in range(given.simulations)]
        again = sum(len(run) - SETTINGS.rounds for run in runs) / len(runs)
        for how, chosen in (
            ("as they came", [run[: SETTINGS.rounds] for run in runs]),
            ("measured again", [counted_rounds(HEADER, LOAD, run) for run in runs]),
        ):
            found = [bounds(rounds) for rounds in chosen]
            low = sum(one.high < TRUTH for one in found)
            high = sum(one.low > TRUTH for one in found)
            width = float(np.mean([one.high - one.low for one in found]))
            bad = any(
                binomtest(hits, len(found), ALPHA, alternative="greater").pvalue < 0.001
                for hits in (low, high)
            )
            worst |= bad
            shares = " | ".join(f"{100 * hits / len(found):.1f} %" for hits in (low, high))
            told = f"{again:.1f}" if how == "measured again" else "–"
            mark = "broken" if bad else ""
            print(
                f"| {world.name} | {how} | {told} | {shares} | {width:.3f} | {mark} |", flush=True
            )
    return int(worst)


if __name__ == "__main__":
    sys.exit(main())
