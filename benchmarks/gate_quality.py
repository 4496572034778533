"""How often the gate's bounds miss the truth, over a grid of shapes and sizes.

Run `python -m benchmarks.gate_quality`. Each cell draws cases whose truth is known, asks the bounds
that the gate uses whether they exclude it, and counts. A lower bound above the truth promotes a
candidate that lies exactly at a rule's limit; an upper bound below it blocks one. The exit code
is 1 where a promise is broken.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, product
from typing import Literal, Protocol

import numpy as np

from benchmarks.shapes import (
    ALPHA,
    FLOORED,
    LOW_SCORES,
    RARE,
    Design,
    Informative,
    Misses,
    OneGraded,
    OneShare,
    PairedBinary,
    PairedGraded,
    Random,
    Refusals,
    Shares,
    Sized,
    Thirds,
    Times,
    floored,
    low_scores,
    quarters,
    rare,
)

SIMULATIONS = 4_000
MOST_FALSE = ALPHA + 0.01
CONSERVATIVE = ALPHA / 2
GROUPS = (8, 20, 60, 150, 400)
# cases of the groups, over and over, and the correlation of those in a group
SIZES = (
    ((1,), 0.0),
    ((3,), 0.3),
    ((5,), 0.0),
    ((5,), 0.8),
    ((1, 2, 3, 4, 5), 0.3),
    ((5, *[1] * 19), 0.8),
)
# Of groups whose sizes are drawn: the largest, and what those of one case and the largest lose.
LARGEST = 20
SHARES_LOST = ((0.02, 0.02), (0.2, 0.2), (0.02, 0.3), (0.3, 0.02), (0.0, 0.2), (0.2, 0.0))
CORRELATIONS = (0.0, 0.3, 0.8)
WEIGHED: tuple[Literal["groups", "cases"], ...] = ("groups", "cases")
_CHUNK = 1_000


class Shape(Protocol):
    """What is drawn, and the bounds that are held against its truth."""

    def misses(self, random: Random, design: Design, simulations: int) -> Misses:
        """The shares of simulations whose lower (upper) bound passed the truth."""
        ...


@dataclass(frozen=True, slots=True)
class Cell:
    """One shape of data at one size."""

    family: str
    name: str
    shape: Shape
    design: Design


@dataclass(frozen=True, slots=True)
class Row:
    """What a cell gave."""

    cell: Cell
    too_high: float
    too_low: float

    @property
    def false(self) -> float:
        """The larger one-sided error."""
        return max(self.too_high, self.too_low)

    @property
    def covered(self) -> float:
        """The share of two-sided intervals that hold the truth."""
        return 1.0 - self.too_high - self.too_low

    @property
    def promised(self) -> float:
        """The least coverage: nominal less 1.5 points, with fewer than 20 groups less 3."""
        return 1.0 - 2.0 * ALPHA - (0.03 if self.cell.design.groups < 20 else 0.015)

    @property
    def broken(self) -> bool:
        """Whether a promise is broken; nothing is allowed for chance.

        At looks the coverage is that of all of them together, of which nothing is promised.
        """
        thin = self.covered < self.promised and not self.cell.design.looks
        return self.false > MOST_FALSE or thin


def cells(groups: Sequence[int] = GROUPS) -> Iterator[Cell]:
    """Every shape at every size."""
    for (family, name, shape), count, (sizes, correlation) in product(_shapes(), groups, SIZES):
        yield Cell(family, name, shape, Design(count, sizes, correlation))
    for (family, name, shape), count, correlation in product(_sized(), groups, CORRELATIONS):
        design = Design(count, (LARGEST,), correlation, f"1 to {LARGEST}")
        yield Cell(family, name, shape, design)


def _sized() -> Iterator[tuple[str, str, Shape]]:
    for weigh, (small, large) in product(WEIGHED, SHARES_LOST):
        name = f"groups of 1 lose {small:g}, of {LARGEST} {large:g}"
        yield f"{weigh} weighed, sizes drawn", name, Sized(small, large, weigh)


def _shapes() -> Iterator[tuple[str, str, Shape]]:
    for accuracy, loss, won in product((0.5, 0.9, 0.99, 1.0), (0, 0.03, 0.1), (0, 0.02, 0.2)):
        if loss + won <= accuracy and accuracy + won <= 1.0:
            name = f"baseline {accuracy:g}, loss {loss:g}, won {won:g}"
            yield "difference, binary", name, PairedBinary(accuracy, loss, won)
    for total in (0.02, 0.1, 0.2):
        thirds = Thirds(total)
        shape = PairedGraded(thirds, thirds.truth)
        yield "difference, graded", f"all lose a third, {total:g} lose all", shape
    for name, change, truth in (
        ("all lose .01, .03 lose all", rare, RARE),
        ("ties at quarters", quarters, 0.0),
        ("floors at 0", floored, FLOORED),
    ):
        yield "difference, graded", name, PairedGraded(change, truth)
    for largest, others in ((0.3, 0.02), (0.02, 0.1)):
        name = f"large groups lose {largest:g}, others {others:g}"
        yield "difference, binary", name, Informative(largest, others)
    for accuracy in (0.5, 0.9, 0.99):
        yield "one arm's mean", f"accuracy {accuracy:g}", OneShare(accuracy)
    yield "one arm's mean", "floors at 0", OneGraded(low_scores, LOW_SCORES)
    for recall, one_in in ((0.9, 2), (0.6, 2), (0.8, 4)):
        name = f"recall {recall:g} against .9, alarms .1, 1 in {one_in} due"
        yield "difference of F1", name, Refusals((recall, 0.1), (0.9, 0.1), one_in)
    for candidate, baseline in ((0.9, 0.9), (0.55, 0.5)):
        name = f"{candidate:g} against {baseline:g}"
        yield "ratio of shares", name, Shares(candidate, baseline)
    for spread, noise in ((0.5, 0.2), (1.0, 0.1), (0.2, 0.6)):
        yield "ratio of times", f"spread {spread:g}, noise {noise:g}", Times(spread, noise)


def simulate(cell: Cell, simulations: int) -> Row:
    """The cell's misses; the seed is the cell's own, so that no other cell matters."""
    words = f"{cell.family}, {cell.name}, {cell.design}".encode()
    random = np.random.default_rng(list(words))
    chunk = min(_CHUNK, simulations)
    parts = [cell.shape.misses(random, cell.design, chunk) for _ in range(simulations // chunk)]
    too_high, too_low = np.mean(parts, axis=0)
    return Row(cell, float(too_high), float(too_low))


def table(rows: Iterable[Row], *, everything: bool) -> Iterator[str]:
    """The rows in Markdown, or what is worst in each family at each number of groups."""
    if everything:
        yield "| family | shape | design | false pass | false fail | covered | |"
        yield "| --- | --- | --- | ---: | ---: | ---: | --- |"
        yield from (_line(row) for row in rows)
        return
    yield "| family | groups | cells | most false | where | least covered | conservative |"
    yield "| --- | ---: | ---: | ---: | --- | ---: | ---: |"
    for (family, groups), part in groupby(
        rows, key=lambda row: (row.cell.family, row.cell.design.groups)
    ):
        chosen = list(part)
        worst = max(chosen, key=lambda row: row.false)
        quiet = sum(row.false < CONSERVATIVE for row in chosen)
        yield (
            f"| {family} | {groups} | {len(chosen)} | {100 * worst.false:.1f} % "
            f"| {worst.cell.name}; {worst.cell.design} "
            f"| {100 * min(row.covered for row in chosen):.1f} % | {quiet} |"
        )


def _line(row: Row) -> str:
    note = "**broken**" if row.broken else "conservative" if row.false < CONSERVATIVE else ""
    shares = (f"{100 * share:.1f} %" for share in (row.too_high, row.too_low, row.covered))
    cell = row.cell
    return f"| {cell.family} | {cell.name} | {cell.design} | {' | '.join(shares)} | {note} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description="Error rates of the gate's bounds.")
    parser.add_argument("--simulations", type=int, default=SIMULATIONS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="families whose name has this in it")
    parser.add_argument("--all", action="store_true", help="every cell, not only the worst")
    parser.add_argument(
        "--looks", action="store_true", help="bounds of a gate that ends early, at all its looks"
    )
    options = parser.parse_args(arguments)
    if options.simulations > _CHUNK and options.simulations % _CHUNK:
        parser.error(f"--simulations beyond {_CHUNK} go by the thousand")
    start = time.monotonic()
    grid = [
        replace(cell, design=replace(cell.design, looks=options.looks))
        for cell in cells()
        if options.only in cell.family
    ]
    with ProcessPoolExecutor(options.jobs) as pool:
        work = partial(simulate, simulations=options.simulations)
        rows = list(pool.map(work, grid, chunksize=4))
    rows.sort(key=lambda row: (row.cell.family, row.cell.design.groups))
    for line in table(rows, everything=options.all):
        print(line)
    broken = [row for row in rows if row.broken]
    if broken and not options.all:
        print("", *table(broken, everything=True), sep="\n")
    worst, least = max(rows, key=lambda row: row.false), min(rows, key=lambda row: row.covered)
    quiet = sum(row.false < CONSERVATIVE for row in rows)
    print(
        f"\n{len(rows)} cells of {options.simulations} simulations at alpha {ALPHA}, "
        f"{time.monotonic() - start:.0f} s."
        f"\nWorst one-sided error: {100 * worst.false:.2f} % ({_named(worst.cell)})."
        f"\nLeast two-sided coverage: {100 * least.covered:.2f} % ({_named(least.cell)})."
        f"\nConservative, both errors below {100 * CONSERVATIVE:g} %: {quiet} cells."
        f"\nPromises broken (errors at most {100 * MOST_FALSE:g} %): {len(broken)} cells."
    )
    return 1 if broken else 0


def _named(cell: Cell) -> str:
    return f"{cell.family}, {cell.name}, {cell.design}"


if __name__ == "__main__":
    sys.exit(main())
