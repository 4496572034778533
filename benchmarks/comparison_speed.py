"""How long ten rules take on 100,000 cases, and how their bounds compare with a bootstrap's.

Run `python -m benchmarks.comparison_speed`. The bounds are closed forms; the bootstrap beside them
draws whole groups 10,000 times, on fewer groups, since it could not hold more.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from harness import stats

CASES = 100_000
DRAWS = 10_000
BOOTSTRAPPED = 400

Floats = npt.NDArray[np.float64]
Rule = tuple[str, Callable[[npt.NDArray[np.intp]], stats.Interval]]


def rules(random: np.random.Generator, cases: int) -> list[Rule]:
    """Ten rules on data of their own: means, graded scores, F1, one arm, and a ratio."""

    def outcomes(share: float) -> Floats:
        return (random.random(cases) < share).astype(np.float64)

    def refusals(recall: float) -> tuple[Floats, Floats]:
        due = np.arange(cases) % 3 == 0
        refused = np.where(due, random.random(cases) < recall, random.random(cases) < 0.05)
        return 2.0 * (refused & due), 2.0 * (refused & due) + (refused ^ due)

    found: list[Rule] = []
    for share in (0.5, 0.9, 0.99):
        arms = outcomes(share), outcomes(share)
        found.append((f"difference, accuracy {share:g}", _difference(*arms)))
    for shape in (1.0, 2.0, 5.0):
        arms = random.beta(shape, 1.0, cases), random.beta(shape, 1.0, cases)
        found.append((f"difference, graded {shape:g}", _difference(*arms)))
    ours, theirs = refusals(0.9), refusals(0.95)
    found.append(
        (
            "difference of F1",
            lambda groups: stats.paired_difference_of_ratios(*ours, *theirs, groups),
        )
    )
    found.append(("F1 at least", lambda groups: stats.ratio_of_sums(*ours, groups)))
    single = outcomes(0.9)
    found.append(("accuracy at least", lambda groups: stats.mean(single, groups)))
    times = random.lognormal(0.0, 0.5, cases)
    slower = 1.05 * times * random.lognormal(0.0, 0.2, cases)
    found.append(("ratio at most", lambda groups: stats.paired_ratio(slower, times, groups)))
    return found


def _difference(ours: Floats, theirs: Floats) -> Callable[[npt.NDArray[np.intp]], stats.Interval]:
    return lambda groups: stats.paired_difference(ours, theirs, groups)


def bootstrap_low(change: Floats, random: np.random.Generator) -> float:
    """The 5 % percentile of the mean over drawn groups, one case each."""
    counts = random.multinomial(change.size, np.full(change.size, 1.0 / change.size), size=DRAWS)
    return float(np.quantile(counts @ change / change.size, 0.05))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the times."""
    parser = argparse.ArgumentParser(description="Speed of a comparison.")
    parser.add_argument("--cases", type=int, default=CASES)
    cases = parser.parse_args(arguments).cases
    random = np.random.default_rng(0)
    before = _peak()
    print("| rule | groups of 1, s | groups of 5, s |\n| --- | ---: | ---: |")
    totals = np.zeros(2)
    for name, rule in rules(random, cases):
        spent = [_timed(rule, np.arange(cases) // size)[0] for size in (1, 5)]
        totals += spent
        print(f"| {name} | {spent[0]:.2f} | {spent[1]:.2f} |")
    print(f"| all ten on {cases:,} cases | {totals[0]:.2f} | {totals[1]:.2f} |")
    print(f"\nPeak memory: {_peak():.0f} MB, {before:.0f} MB of it before the first rule.")

    change = random.choice([-1.0, 0.0, 1.0], BOOTSTRAPPED, p=[0.06, 0.9, 0.04])
    closed, found = _timed(
        lambda groups: stats.paired_difference(change > 0, change < 0, groups),
        np.arange(BOOTSTRAPPED),
    )
    start = time.perf_counter()
    drawn = bootstrap_low(change, random)
    spent_drawing = time.perf_counter() - start
    print(
        f"{BOOTSTRAPPED} groups: low {found.low:+.4f} in {1000 * closed:.1f} ms; "
        f"{DRAWS:,} draws give {drawn:+.4f} in {1000 * spent_drawing:.0f} ms, "
        f"{spent_drawing / closed:.0f} times as long."
    )
    return 0


def _timed(
    rule: Callable[[npt.NDArray[np.intp]], stats.Interval], groups: npt.NDArray[np.intp]
) -> tuple[float, stats.Interval]:
    start = time.perf_counter()
    found = rule(groups)
    return time.perf_counter() - start, found


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


if __name__ == "__main__":
    sys.exit(main())
