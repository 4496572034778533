"""What tuning against a suite gains by chance, beside the bound that the gate tells.

Run `python -m benchmarks.wear`. A candidate is right in 70 % of all cases there could be, and so
is every change of it: a change draws the outcomes of a share of the cases anew. What climbs on the
suite's cases is therefore tuned to them alone. The exit code is 1 where more gaps lie beyond
the bound than alpha explains, with tuning that the bound is for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats import adaptive_gap

TRUTH = 0.7
ALPHA = 0.05
MARGIN = 0.05
LOOKS = (10, 50, 200)
READING = "reads the cases"


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the next candidate comes from the best one: which share of the outcomes is drawn anew.

    Where `reads`, one wrong case of the report is learnt by heart at every look instead.
    """

    name: str
    changed: float = 0.0
    reads: bool = False


TUNINGS = (
    Tuning("climbs, 2 % change", 0.02),
    Tuning("climbs, 5 % change", 0.05),
    Tuning("climbs, 20 % change", 0.2),
    Tuning("best of new ones", 1.0),
    Tuning(READING, reads=True),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What was found after so many looks; gaps are of the best candidate's score from its truth."""

    tuning: str
    groups: int
    looks: int
    gap: float
    high: float
    bound: float
    beyond: float
    held: float
    asked: float


def simulate(
    tuning: Tuning, groups: int, simulations: int, rng: np.random.Generator
) -> Iterator[Row]:
    """A row for each number of looks at a suite of so many groups, with a holdout of as many.

    The holdout is asked of a new best alone, and says whether it holds what the first one had,
    but for a margin; one that does not is given up.
    """
    shape = (simulations, groups)
    best, held = rng.random(shape) < TRUTH, rng.random(shape) < TRUTH
    first = held.mean(axis=1)
    told, bests, asked = 0, np.zeros(simulations, int), np.zeros(simulations, int)
    climbing, score = best.copy(), best.mean(axis=1)
    top = score.copy()
    for look in range(1, max(LOOKS) + 1):
        if look > 1:
            new, unseen = _next(tuning, climbing, held, rng)
            found = new.mean(axis=1)
            better = found > top
            top = np.where(better, found, top)
            asked += better
            kept = better & (unseen.mean(axis=1) >= first - MARGIN)
            climbing[better], held[kept] = new[better], unseen[kept]
            told, bests = look - 1, bests + better
        if look in LOOKS:
            # Which candidate is the best is told by all answers, the last included.
            gap = top - TRUTH
            bound = np.array([adaptive_gap(told, int(one), groups, alpha=ALPHA) for one in bests])
            yield Row(
                tuning.name,
                groups,
                look,
                float(gap.mean()),
                float(np.quantile(gap, 0.95)),
                float(bound.mean()),
                float((gap > bound).mean()),
                float((held.mean(axis=1) - TRUTH).mean()),
                float(asked.mean()),
            )


def _next(
    tuning: Tuning,
    best: npt.NDArray[np.bool_],
    held: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """The outcomes of the next candidate on the suite and on the holdout."""
    if tuning.reads:
        learnt = best.copy()
        learnt[np.arange(len(best)), best.argmin(axis=1)] = True
        return learnt, held
    pair = []
    for known in (best, held):
        fresh = rng.random(known.shape) < TRUTH
        pair.append(np.where(rng.random(known.shape) < tuning.changed, fresh, known))
    return pair[0], pair[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 where the bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=1_000)
    parser.add_argument("--groups", type=int, nargs="+", default=[150, 600])
    given = parser.parse_args(arguments)
    print(
        "| tuning | groups | looks | gap | 95 % below | bound | beyond it | holdout's gap | asked |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    broken = False
    for number, tuning in enumerate(TUNINGS):
        for groups in given.groups:
            rng = np.random.default_rng([number, groups])
            for row in simulate(tuning, groups, given.simulations, rng):
                print(
                    f"| {row.tuning} | {row.groups} | {row.looks} | {row.gap:+.3f} | "
                    f"{row.high:+.3f} | {row.bound:.3f} | {100 * row.beyond:.1f} % | "
                    f"{row.held:+.3f} | {row.asked:.1f} |"
                )
                broken |= row.beyond > ALPHA and not tuning.reads
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
