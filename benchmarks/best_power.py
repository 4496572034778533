"""How often the gate passes a candidate that changed nothing, beside the best test there is.

Run `python -m benchmarks.best_power`. A group is lost, won or neither, and as many are lost as won.
The rule is `no_worse_than_baseline` with a margin. All counts of lost and won groups are gone
through, so nothing is simulated. Beside the gate stand:

- the best test: of all sets of counts that are a false pass with a chance of at most alpha,
  whatever the share of lost and won groups, the one that passes this candidate most often. It is
  made for this one candidate: no test does better here at that error. An integer program finds it.
- a test that is told the true variance, whose error is alpha for many groups only.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.special import gammaln, xlogy
from scipy.stats import norm

from harness.stats.bootstrap import chance_at_most_zero

ALPHA = 0.05
GROUPS = (20, 32, 60, 95, 150, 300)
MARGINS = (0.05, 0.1)
LOST = (0.01, 0.02, 0.05, 0.1)
UNLIKELY = 1e-7  # counts of the candidate that are left out of the search for the best test
GAP = 0.002  # how close to the best the search may stop, relatively
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cell:
    """So many groups, a margin, and the share of groups that are lost, which as many win."""

    groups: int
    margin: float
    lost: float

    def counts(self) -> tuple[Floats, Floats]:
        """Each pair of a number of lost and of won groups that the candidate may well show."""
        both = np.array(list(product(range(self.groups + 1), repeat=2)), dtype=np.float64)
        lost, won = both[both.sum(axis=1) <= self.groups].T
        likely = self.chance(lost, won, self.lost, self.lost) > UNLIKELY
        return lost[likely], won[likely]

    def chance(self, lost: Floats, won: Floats, share_lost: float, share_won: float) -> Floats:
        """The chance of these counts where groups are lost and won with these chances."""
        same = self.groups - lost - won
        ways = gammaln(self.groups + 1) - gammaln(lost + 1) - gammaln(won + 1) - gammaln(same + 1)
        rest = max(1.0 - share_lost - share_won, 0.0)
        found = ways + xlogy(lost, share_lost) + xlogy(won, share_won) + xlogy(same, rest)
        return np.asarray(np.exp(found))

    def at_the_margin(self) -> Iterator[tuple[float, float]]:
        """Shares of lost and won groups whose difference is the margin: no pass is right there."""
        for won in (*np.linspace(0.0, 0.1, 41), *np.linspace(0.11, (1.0 - self.margin) / 2, 30)):
            yield self.margin + float(won), float(won)


@dataclass(frozen=True, slots=True)
class Power:
    """Chances to pass: the gate's, the best test's, and with the variance known."""

    gate: float
    best: float
    known: float


def power(cell: Cell) -> Power:
    """What each test makes of the cell."""
    lost, won = cell.counts()
    here = cell.chance(lost, won, cell.lost, cell.lost)
    wrong = np.array([cell.chance(lost, won, *shares) for shares in cell.at_the_margin()])
    with _silent():
        best = milp(
            -here,
            constraints=LinearConstraint(wrong, -np.inf, ALPHA),
            integrality=np.ones(here.size, dtype=np.intp),
            bounds=Bounds(0, 1),
            options={"mip_rel_gap": GAP, "presolve": False},
        )
    assert best.fun is not None, best.message
    spread = np.sqrt(2.0 * cell.lost / cell.groups)
    told = (won - lost) / cell.groups >= norm.ppf(1.0 - ALPHA) * spread - cell.margin
    return Power(float(here @ passes(cell, lost, won)), float(-best.fun), float(here @ told))


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what the solver writes to standard output, past Python's, out of the table."""
    sys.stdout.flush()
    kept = os.dup(1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def passes(cell: Cell, lost: Floats, won: Floats) -> Booleans:
    """Whether the gate's lower bound is at least minus the margin, for each pair of counts."""
    terms = np.array([1.0 + cell.margin, cell.margin, cell.margin - 1.0])

    def one(lost: float, won: float) -> bool:
        # With the one group more that is lost.
        counts = np.array([won, cell.groups - lost - won, lost + 1.0])
        there = counts > 0
        return bool(chance_at_most_zero(terms[there], counts[there]) <= ALPHA)

    return np.array([one(*pair) for pair in zip(lost, won, strict=True)])


def main() -> None:
    """Print the table, and the widest gap from 60 groups up."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--groups", default=",".join(map(str, GROUPS)), help="numbers of groups")
    sizes = [int(size) for size in parser.parse_args().groups.split(",")]
    began, widest = time.monotonic(), (0.0, "")
    print("| groups | margin | lost, won | the gate | best test | variance known |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for cell in (Cell(*each) for each in product(sizes, MARGINS, LOST)):
        found = power(cell)
        shares = (found.gate, found.best, found.known)
        row = (f"{cell.groups}", f"{100 * cell.margin:g} points", f"{100 * cell.lost:g} % each",
               *(f"{100 * share:.1f} %" for share in shares))  # fmt: skip
        print(f"| {' | '.join(row)} |", flush=True)
        if cell.groups >= 60:
            widest = max(widest, (found.best - found.gate, ", ".join(row[:3])))
    print(f"\nWidest gap to the best test from 60 groups up: {100 * widest[0]:.1f} points "
          f"({widest[1]}). {time.monotonic() - began:.0f} s.")  # fmt: skip


if __name__ == "__main__":
    main()
