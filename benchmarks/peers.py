"""What other tools decide about the same two models as the gate, where the truth is set.

    python -m benchmarks.peers [--simulations 400] [--cases 300]

Each simulation draws right and wrong answers of a baseline and of a candidate, in groups of cases
that share a fact. Every tool that is installed decides from these alone: whether the candidate is
better, whether it is worse, and what interval it states for the difference. MLflow is asked by its
own code (`pip install mlflow`); of lm-eval (`pip install lm-eval`) come the standard errors, which
its documentation compares by a z-test. A share beside a threshold is what promptfoo and DeepEval
decide by; it is computed here.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata

import numpy as np
from scipy.stats import norm

from benchmarks.shapes import ALPHA, Design, Floats, Random
from harness.stats import mean, paired_difference

ACCURACY = 0.7  # of the baseline
ONLY_ONE = 0.1  # the share of cases that only one of two equal models has right
GAIN = 0.1
FLOOR = 0.7  # what a threshold asks for
BELOW = 0.03  # how far beneath it a candidate truly is
TWO_SIDED = float(norm.ppf(1.0 - ALPHA / 2))
# sizes of groups, over and over, and the correlation of the cases in one
PATTERNS = {
    "1": ((1,), 0.0),
    "1, 1, 2, 1, 3": ((1, 1, 2, 1, 3), 0.6),
    "3": ((3,), 0.6),
    "6": ((6,), 0.6),
}


@dataclass(frozen=True, slots=True)
class Answers:
    """One value a case and arm, 1 right and 0 wrong, and the group of each case."""

    baseline: Floats
    candidate: Floats
    groups: Floats


@dataclass(frozen=True, slots=True)
class Decided:
    """What a tool says of a candidate; without an interval where it states none."""

    better: bool
    worse: bool
    low: float = np.nan
    high: float = np.nan


Tool = Callable[[Answers], Decided]


def harness_gate(answers: Answers) -> Decided:
    """The gate's bounds, one-sided at alpha each."""
    found = paired_difference(answers.candidate, answers.baseline, answers.groups, alpha=ALPHA)
    return Decided(found.low > 0.0, found.high < 0.0, found.low, found.high)


def mlflow_paired() -> Tool:
    """MLflow's paired comparison with its `assert_improved`, without a store of runs."""
    room = "mlflow.genai.evaluation.comparison"
    compare = import_module(f"{room}.paired_comparison")._compare_paired_values
    result = import_module(f"{room}.entities").ComparisonResult

    def decide(answers: Answers) -> Decided:
        arms = answers.baseline, answers.candidate
        found = compare("accuracy", *arms, value_type="binary", confidence_level=1.0 - ALPHA)
        better = True
        try:
            result("candidate", "baseline", {"accuracy": found}).assert_improved(alpha=ALPHA)
        except AssertionError:
            better = False
        worse = found.diff < 0.0 and found.p_value < ALPHA
        return Decided(better, worse, found.ci_low, found.ci_high)

    return decide


def lm_eval_errors() -> Tool:
    """A z-test of two results by the standard errors that lm-eval gives with them."""
    error = import_module("lm_eval.api.metrics").mean_stderr

    def decide(answers: Answers) -> Decided:
        arms = list(answers.candidate), list(answers.baseline)
        gain = float(np.mean(arms[0]) - np.mean(arms[1]))
        spread = TWO_SIDED * float(np.hypot(error(arms[0]), error(arms[1])))
        return Decided(gain > spread, gain < -spread, gain - spread, gain + spread)

    return decide


def unpaired(answers: Answers) -> Decided:
    """A z-test of two shares at alpha to each side, as if the arms had met other cases."""
    ours, theirs = answers.candidate.mean(), answers.baseline.mean()
    shared = (ours + theirs) / 2
    error = np.sqrt(2 * shared * (1.0 - shared) / answers.candidate.size)
    spread = float(norm.ppf(1.0 - ALPHA) * error)
    gain = float(ours - theirs)
    return Decided(gain > spread, gain < -spread, gain - spread, gain + spread)


def shares(answers: Answers) -> Decided:
    """The larger share of right answers wins."""
    gain = float(answers.candidate.mean() - answers.baseline.mean())
    return Decided(gain > 0.0, gain < 0.0)


def tools() -> Iterator[tuple[str, Tool]]:
    """Each tool that is here by its name and version, ours first; a line for each that is not."""
    yield "harness", harness_gate
    for package, rule, load in (
        ("mlflow", "assert_improved", mlflow_paired),
        ("lm_eval", "standard errors, z-test", lm_eval_errors),
    ):
        try:
            yield f"{package} {metadata.version(package)}: {rule}", load()
        except (ImportError, AttributeError) as error:
            print(f"left out: {package} ({error})")
    yield "unpaired z-test of shares", unpaired
    yield "the larger share", shares


def drawn(random: Random, design: Design, gain: float) -> Answers:
    """Answers of two arms whose true difference is `gain`."""

    def uniform(random: Random, shape: tuple[int, ...]) -> Floats:
        return random.uniform(1e-9, 1.0, shape)

    u = design.cases(random, 1, uniform)[0]
    there = u > 0.0
    lost, won = ONLY_ONE / 2 + max(-gain, 0.0), ONLY_ONE / 2 + max(gain, 0.0)
    both = ACCURACY - lost
    baseline = (u < both + lost)[there]
    candidate = ((u < both) | ((u >= both + lost) & (u < both + lost + won)))[there]
    groups = np.repeat(np.arange(design.groups), design.sizes.astype(int))
    return Answers(baseline.astype(float), candidate.astype(float), groups.astype(float))


@dataclass(slots=True)
class Tally:
    """What a tool decided in the simulations of one design, in counts and seconds."""

    gains: int = 0
    losses: int = 0
    held: int = 0
    stated: int = 0
    found: int = 0
    seconds: float = 0.0

    def take(self, tool: Tool, same: Answers, better: Answers) -> None:
        """Count the decisions on two equal models and on one that is better."""
        began = time.perf_counter()
        decided, found = tool(same), tool(better)
        self.seconds += time.perf_counter() - began
        self.gains += decided.better
        self.losses += decided.worse
        self.found += found.better
        for one, truth in ((decided, 0.0), (found, GAIN)):
            if not np.isnan(one.low):
                self.stated += 1
                self.held += one.low <= truth <= one.high


def compared(design: Design, simulations: int, named: dict[str, Tool]) -> dict[str, Tally]:
    """What every tool decided about the same simulations of a design."""
    random = np.random.default_rng(0)
    tallies = {name: Tally() for name in named}
    for _ in range(simulations):
        same, better = drawn(random, design, 0.0), drawn(random, design, GAIN)
        for name, tool in named.items():
            tallies[name].take(tool, same, better)
    return tallies


def passed_below(design: Design, simulations: int) -> tuple[float, float]:
    """How often a candidate beneath a threshold passes it: by its share, by the gate's bound."""
    random = np.random.default_rng(1)
    by_share = by_bound = 0
    for _ in range(simulations):
        answers = drawn(random, design, FLOOR - BELOW - ACCURACY)
        by_share += answers.candidate.mean() >= FLOOR
        by_bound += mean(answers.candidate, answers.groups, alpha=ALPHA).low >= FLOOR
    return by_share / simulations, by_bound / simulations


def designs(cases: int) -> Iterable[tuple[str, Design]]:
    """Each pattern of groups with about as many cases."""
    for name, (pattern, correlation) in PATTERNS.items():
        yield name, Design(round(cases * len(pattern) / sum(pattern)), pattern, correlation)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="What other tools decide about the same models.")
    parser.add_argument("--simulations", type=int, default=400)
    parser.add_argument("--cases", type=int, default=300)
    options = parser.parse_args(arguments)
    named = dict(tools())
    print("| cases a group | tool | false gain | false loss | finds +10 | interval holds | ms |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    times = options.simulations
    for pattern, design in designs(options.cases):
        for name, tally in compared(design, times, named).items():
            shown = [tally.gains / times, tally.losses / times, tally.found / times]
            cells = [f"{share:.1%}" for share in shown]
            cells.append(f"{tally.held / tally.stated:.1%}" if tally.stated else "–")
            cells.append(f"{1_000 * tally.seconds / (2 * times):.2f}")
            print(f"| {pattern} | {name} | " + " | ".join(cells) + " |", flush=True)
    print(f"\nright in {FLOOR - BELOW:.0%}, asked for at least {FLOOR:.0%}:")
    print("| cases a group | passes by its share | passes by the gate's bound |")
    print("| --- | ---: | ---: |")
    for pattern, design in designs(options.cases):
        by_share, by_bound = passed_below(design, times)
        print(f"| {pattern} | {by_share:.1%} | {by_bound:.1%} |")


if __name__ == "__main__":
    main()
