"""How often a rule over many slices names a slice falsely, and how often it finds what was lost.

Run `python -m benchmarks.radar_quality`. Each cell draws slices whose truth is known: every slice
that is not forgotten lies exactly at its margin, where a false alarm is most likely. Beside the
step-down p-values of `harness.stats.joint_bounds` stand Bonferroni's and Holm's corrections of the
same p-values. The exit code is 1 where more false alarms are seen than alpha + 1 point explains.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy

from harness.stats import Slice, holm, joint_bounds, lost_p_values

ALPHA = 0.05
MOST_FALSE = ALPHA + 0.01
DRAWS = 1_000
WON = 0.02
METHODS = ("step-down", "Holm", "Bonferroni")
_NONE = np.array([], dtype=np.str_)

# Slices of cases of their own; of cases with three tags each; of several metrics on the same
# cases, whose latent quality is alike by so much.
Structure = Literal["apart", "tags", "alike 0.5", "alike 0.9"]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class World:
    """Slices of so many groups, of which the first ones lost `beyond` more than the margin."""

    slices: int
    groups: int
    structure: Structure
    forgotten: int
    margin: float = 0.1
    beyond: float = 0.2

    def draw(self, rng: np.random.Generator) -> list[Slice]:
        """One sample; a case is lost, won or neither, and its baseline accordingly."""
        if self.structure == "tags":
            return self._tagged(rng)
        lost = self.margin + WON + self.beyond * (np.arange(self.slices) < self.forgotten)
        normal = rng.standard_normal((self.slices, self.groups))
        prefix = [f"{place}/" for place in range(self.slices)]
        if self.structure.startswith("alike"):
            alike = float(self.structure.removeprefix("alike "))
            common = rng.standard_normal(self.groups)
            normal = np.sqrt(alike) * common + np.sqrt(1 - alike) * normal
            prefix = [""] * self.slices
        u = scipy.special.ndtr(normal)
        return [
            _slice(u[place], lost[place], self.margin, prefix[place], range(self.groups))
            for place in range(self.slices)
        ]

    def _tagged(self, rng: np.random.Generator) -> list[Slice]:
        cases = self.slices * self.groups // 3
        u = rng.random(cases)
        tags = np.argsort(rng.random((cases, self.slices)), axis=1)[:, :3]
        found = []
        for place in range(self.slices):
            own = np.flatnonzero((tags == place).any(axis=1))
            found.append(_slice(u[own], self.margin + WON, self.margin, "", own))
        return found


def _slice(
    u: Floats, lost: float, margin: float, prefix: str, groups: Sequence[int] | npt.NDArray[np.intp]
) -> Slice:
    one = np.ones(u.size)
    ours, theirs = (u >= lost).astype(np.float64), (u <= 1.0 - WON).astype(np.float64)
    names = np.array([f"{prefix}{group}" for group in groups], dtype=np.str_)
    return Slice(ours, one, theirs, one, names, _NONE, -margin)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Shares of simulations with a false name, and of forgotten slices that were named."""

    world: World
    false: tuple[float, ...]
    power: tuple[float, ...]
    simulations: int


def simulate(world: World, simulations: int, seed: int = 0) -> Outcome:
    """The error and the power of each method in one cell."""
    rng = np.random.default_rng([seed, world.slices, world.groups, world.forgotten])
    false, found = np.zeros(len(METHODS)), np.zeros(len(METHODS))
    for _ in range(simulations):
        alone, adjusted = lost_p_values(world.draw(rng), draws=DRAWS)
        for place, p_values in enumerate((adjusted, holm(alone), alone * alone.size)):
            named = p_values <= ALPHA
            false[place] += named[world.forgotten :].any()
            found[place] += named[: world.forgotten].sum() / max(world.forgotten, 1)
    return Outcome(world, tuple(false / simulations), tuple(found / simulations), simulations)


def joint_misses(world: World, simulations: int, seed: int = 1) -> tuple[float, float]:
    """How often any joint lower bound is above the truth, and any upper one below it."""
    rng = np.random.default_rng([seed, world.slices, world.groups, world.forgotten])
    truth = -world.margin - world.beyond * (np.arange(world.slices) < world.forgotten)
    missed = np.zeros(2)
    for _ in range(simulations):
        found = joint_bounds(world.draw(rng), alpha=ALPHA, draws=DRAWS)
        missed += (
            any(one.low > true for one, true in zip(found, truth, strict=True)),
            any(one.high < true for one, true in zip(found, truth, strict=True)),
        )
    low, high = missed / simulations
    return float(low), float(high)


def worlds() -> Iterator[World]:
    """Every cell; one of 60 slices takes a third of the simulations."""
    structures: tuple[Structure, ...] = ("apart", "tags", "alike 0.5", "alike 0.9")
    for slices, structure in product((5, 20, 60), structures):
        for forgotten in (0, 1, slices // 2):
            if structure != "tags" or not forgotten:
                yield World(slices, 60, structure, forgotten)


def allowed(simulations: int) -> float:
    """The most false alarms that chance makes of the promise, 99.9 times in 100."""
    return float(scipy.stats.binom.ppf(0.999, simulations, MOST_FALSE) / simulations)


def main() -> int:
    """Print the tables; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=600)
    parser.add_argument("--joint", type=int, default=100, help="simulations of joint bounds")
    count, joint = (parsed := parser.parse_args()).simulations, parsed.joint
    start = time.perf_counter()
    broken = 0
    methods = " | ".join(METHODS)
    print(f"| slices | structure | forgotten | false names: {methods} | found: {methods} |")
    print(f"| ---: | --- | ---: |{' ---: |' * 6}")
    with ProcessPoolExecutor(max_workers=2) as pool:
        cells = list(worlds())
        counts = [count if world.slices < 60 else count // 3 for world in cells]
        for found in pool.map(simulate, cells, counts):
            world = found.world
            rates = " | ".join(f"{100 * rate:.1f} %" for rate in found.false)
            powers = " | ".join(
                f"{100 * rate:.1f} %" if world.forgotten else "–" for rate in found.power
            )
            head = f"{world.slices} | {world.structure} | {world.forgotten}"
            print(f"| {head} | {rates} | {powers} |", flush=True)
            broken += found.false[0] > allowed(found.simulations)
    for structure in ("apart", "alike 0.9"):
        low, high = joint_misses(World(20, 60, structure, 1), joint)
        print(f"\nJoint bounds, 20 slices {structure}: a lower one missed the truth in "
              f"{100 * low:.1f} % of {joint}, an upper one in {100 * high:.1f} %.")  # fmt: skip
        broken += max(low, high) > allowed(joint)
    seconds = time.perf_counter() - start
    print(f"\n{len(cells)} cells of {count} simulations (60 slices: {count // 3}) at alpha "
          f"{ALPHA:g}, {seconds:.0f} s. Broken promises: {broken}.")  # fmt: skip
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
