"""How often the bounds of percentiles over rounds miss the truth, and what they can tell.

    python -m benchmarks.latency_intervals [--simulations N] [--jobs 2] [--sizes 20x50@95]

Each cell draws rounds of requests to two arms whose percentiles are known: the logarithm of a time
is the round's effect, which both arms share, one of the arm in that round, and noise; blocks may
stall and requests may fail. Then it counts how often the bounds exclude the true ratio. An upper
bound below it passes a candidate that lies exactly at a rule's limit; a lower bound above it fails
one. The exit code is 1 where a promise is broken.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import binom, norm

from harness.stats import percentile, percentile_ratio, pooled_mean

ALPHA = 0.05
SIMULATIONS = 400
DOUBT = 0.001  # the chance that a promise which holds by a hair is found broken in a cell
LIMIT = 1.10
STALL = 8.0  # times slower, a whole block
INJURY = 3.0  # times slower, a request

Floats = npt.NDArray[np.float64]
Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Arm:
    """How an arm's times are spread: spreads of logarithms, and shares of blocks or requests."""

    own: float = 0.05
    noise: float = 0.25
    stalls: float = 0.0
    fails: float = 0.0
    injured: float = 0.0

    def times(self, random: Random, common: Floats, requests: int) -> Floats:
        """One time a request, shape (rounds, requests), given the rounds' effects (rounds, 1)."""
        rounds = common.shape[0]
        logs = common + self.own * random.normal(size=(rounds, 1))
        logs = logs + math.log(STALL) * (random.random((rounds, 1)) < self.stalls)
        logs = logs + self.noise * random.normal(size=(rounds, requests))
        logs = logs + math.log(INJURY) * (random.random((rounds, requests)) < self.injured)
        return np.where(random.random(logs.shape) < self.fails, np.inf, np.exp(logs))

    def percentile(self, share: float, common: float) -> float:
        """The truth over all rounds there could be, whose effects have the spread `common`."""
        if 1.0 - self.fails <= share:
            return math.inf
        spread = math.hypot(common, self.own, self.noise)
        parts = [
            (stalls * injured, stalled + slowed)
            for stalls, stalled in ((1.0 - self.stalls, 0.0), (self.stalls, math.log(STALL)))
            for injured, slowed in ((1.0 - self.injured, 0.0), (self.injured, math.log(INJURY)))
        ]

        def beyond(log: float) -> float:
            below = sum(weight * norm.cdf((log - shift) / spread) for weight, shift in parts)
            return float((1.0 - self.fails) * below - share)

        return math.exp(float(brentq(beyond, -20.0, 20.0)))


@dataclass(frozen=True, slots=True)
class Shape:
    """Two arms, the spread of the rounds' effects, and whether alpha is promised."""

    name: str
    candidate: Arm
    baseline: Arm
    common: float = 0.2
    promised: bool = True


@dataclass(frozen=True, slots=True)
class Size:
    """Rounds, requests of each arm in a round, and the percentile."""

    rounds: int
    requests: int
    percent: int

    def __str__(self) -> str:
        return f"{self.rounds}x{self.requests}@{self.percent}"


SIZES = (
    Size(10, 10, 50),
    Size(20, 50, 50),
    Size(40, 40, 90),
    Size(10, 100, 95),
    Size(20, 50, 95),
    Size(20, 250, 99),
)
PLAIN = Arm()


def shapes() -> Iterator[Shape]:
    """First what both arms share, then where they differ, then what no bound can know."""
    steady = replace(PLAIN, own=0.0)
    yield Shape("no effect of the round", steady, steady, common=0.0)
    for name, arm, common in (
        ("round .2", steady, 0.2),
        ("round .2, arm .05", PLAIN, 0.2),
        ("round .3, arm .2", replace(PLAIN, own=0.2), 0.3),
        ("noise 1", replace(PLAIN, noise=1.0), 0.2),
        ("3 % of blocks stall", replace(PLAIN, stalls=0.03), 0.2),
        ("10 % of blocks stall", replace(PLAIN, stalls=0.1), 0.2),
        ("3 % of requests fail", replace(PLAIN, fails=0.03), 0.2),
        ("all of it", Arm(own=0.1, noise=0.6, stalls=0.03, fails=0.005), 0.3),
    ):
        yield Shape(name, arm, arm, common)
    wide = replace(PLAIN, noise=0.5)
    for name, candidate, baseline in (
        ("candidate's noise .5", wide, PLAIN),
        ("baseline's noise .5", PLAIN, wide),
        ("candidate's arm .15", replace(PLAIN, own=0.15), steady),
        ("5 % of candidate 3 times slower", replace(PLAIN, injured=0.05), PLAIN),
        ("2 % of candidate fail", replace(PLAIN, fails=0.02), PLAIN),
        ("3 % of candidate's blocks stall", replace(PLAIN, stalls=0.03), PLAIN),
    ):
        yield Shape(name, candidate, baseline, promised=False)


@dataclass(frozen=True, slots=True)
class Row:
    """What a cell gave, in shares of its simulations.

    `passes` holds how often a true ratio of 1 and of 1.05 keep the limit, `fails` how often one
    of 1.2 breaks it; `alone` how often the bounds of the baseline's own percentile miss, low and
    high.
    """

    shape: Shape
    size: Size
    truth: float
    false_pass: float
    false_fail: float
    passes: tuple[float, float]
    fails: float
    alone: tuple[float, float]

    def broken(self, simulations: int) -> bool:
        """Whether a promised error is beyond alpha and what chance does to it."""
        most = float(binom.ppf(1.0 - DOUBT, simulations, ALPHA)) / simulations
        return self.shape.promised and max(self.false_pass, self.false_fail) > most


def simulate(cell: tuple[Shape, Size], simulations: int) -> Row:
    """The cell's rates; the seed is the cell's own, so that no other cell matters.

    The bounds move with the candidate's times, so those at a ratio of 1.05 follow from the same
    draws.
    """
    shape, size = cell
    share = size.percent / 100.0
    random = np.random.default_rng(list(f"{shape.name}, {size}".encode()))
    alone = shape.baseline.percentile(share, shape.common)
    truth = shape.candidate.percentile(share, shape.common) / alone
    low, high = np.empty(simulations), np.empty(simulations)
    misses = np.zeros(2)
    for index in range(simulations):
        common = shape.common * random.normal(size=(size.rounds, 1))
        candidate = list(shape.candidate.times(random, common, size.requests))
        baseline = list(shape.baseline.times(random, common, size.requests))
        found = percentile_ratio(candidate, baseline, share, alpha=ALPHA, seed=index)
        low[index], high[index] = found.low / truth, found.high / truth
        single = percentile(baseline, share, alpha=ALPHA, seed=index)
        misses += (single.low > alone, single.high < alone)
    return Row(
        shape,
        size,
        truth,
        float((high < 1.0).mean()),
        float((low > 1.0).mean()),
        (float((high <= LIMIT).mean()), float((1.05 * high <= LIMIT).mean())),
        float((1.2 * low > LIMIT).mean()),
        (float(misses[0]) / simulations, float(misses[1]) / simulations),
    )


def cells(sizes: Sequence[Size] = SIZES) -> Iterator[tuple[Shape, Size]]:
    """Every shape at every size at which its percentiles are finite."""
    for size, shape in product(sizes, shapes()):
        share = size.percent / 100.0
        if max(shape.candidate.fails, shape.baseline.fails) < 1.0 - share:
            yield shape, size


def table(rows: Sequence[Row], simulations: int) -> Iterator[str]:
    """The rows in Markdown."""
    yield (
        "| arms | rounds x requests @ percentile | true ratio | false pass | false fail "
        "| 1.00 passes | 1.05 passes | 1.20 fails | one arm: too high | too low | |"
    )
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    for row in rows:
        figures = (row.false_pass, row.false_fail, *row.passes, row.fails, *row.alone)
        note = "" if row.shape.promised else "no promise"
        note = "**broken**" if row.broken(simulations) else note
        shares = " | ".join(f"{100 * figure:.1f} %" for figure in figures)
        yield f"| {row.shape.name} | {row.size} | {row.truth:.2f} | {shares} | {note} |"


def shares_of_requests(simulations: int) -> Iterator[str]:
    """How often the bounds of a share of requests miss it, in Markdown."""
    yield "| share | rounds x requests | likeness | bound too high | too low |"
    yield "| ---: | --- | ---: | ---: | ---: |"
    for share, (rounds, requests), alike in product(
        (0.5, 0.9, 0.99, 0.999), ((10, 40), (20, 50), (40, 100)), (0.0, 0.02, 0.1)
    ):
        random = np.random.default_rng([int(1000 * share), rounds, int(100 * alike)])
        misses = np.zeros(2)
        for seed in range(simulations):
            chance = np.full(rounds, share)
            if alike > 0.0:
                both = 1.0 / alike - 1.0
                chance = random.beta(share * both, (1.0 - share) * both, size=rounds)
            hits = random.random((rounds, requests)) < chance[:, None]
            found = pooled_mean(list(hits.astype(np.float64)), alpha=ALPHA, seed=seed)
            misses += (found.low > share, found.high < share)
        high, low = 100 * misses / simulations
        yield f"| {share:g} | {rounds}x{requests} | {alike:g} | {high:.1f} % | {low:.1f} % |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description="Error rates and power of latency's intervals.")
    parser.add_argument("--simulations", type=int, default=SIMULATIONS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sizes", help="some of the sizes, such as 20x50@95,20x50@50")
    options = parser.parse_args(arguments)
    chosen = options.sizes.split(",") if options.sizes else [str(size) for size in SIZES]
    sizes = [size for size in SIZES if str(size) in chosen]
    if len(sizes) < len(chosen) or options.simulations < 1:
        parser.error(f"--sizes: choose among {', '.join(map(str, SIZES))}; simulations: 1 or more")
    start = time.monotonic()
    with ProcessPoolExecutor(options.jobs) as pool:
        work = partial(simulate, simulations=options.simulations)
        rows = list(pool.map(work, cells(sizes)))
    for line in (*table(rows, options.simulations), "", *shares_of_requests(options.simulations)):
        print(line)
    promised = [row for row in rows if row.shape.promised]
    worst = max(promised, key=lambda row: max(row.false_pass, row.false_fail))
    broken = sum(row.broken(options.simulations) for row in promised)
    mean = np.mean([(row.false_pass, row.false_fail) for row in promised])
    print(
        f"\n{len(rows)} cells of {options.simulations} simulations at alpha {ALPHA}, "
        f"{time.monotonic() - start:.0f} s."
        f"\nWorst promised error: {100 * max(worst.false_pass, worst.false_fail):.1f} % "
        f"({worst.shape.name}, {worst.size}); on average {100 * mean:.1f} %."
        f"\nPromises broken, beyond {100 * ALPHA:g} % and chance: {broken} of {len(promised)}."
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
