"""How often an audited metric is wrong, and what the scorer saves, in simulations.

`python -m benchmarks.audit_quality` prints the tables; `--simulations 400` is quicker. Every kind
of data has a candidate exactly at its margin, so that each promotion is a false one.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy

from harness.review.looks import allocate
from harness.stats.audited import Audit
from harness.stats.bootstrap import chance_at_most_zero

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ALPHA = 0.05
PROMISED = ALPHA + 0.01
_AT_ONCE = 400_000  # groups simulated at a time
_MEASURED = 10  # simulations of a kind whose widths are measured


@dataclass(frozen=True, slots=True)
class Judge:
    """A scorer: how often it takes right for right and wrong for wrong, by side."""

    candidate: tuple[float, float]
    baseline: tuple[float, float]

    @property
    def name(self) -> str:
        """The shares in words."""
        ours, theirs = (f"{one:g}/{other:g}" for one, other in (self.candidate, self.baseline))
        return f"judge {ours}" if ours == theirs else f"judge {ours} of the candidate, {theirs}"


JUDGES = (
    Judge((0.99, 0.99), (0.99, 0.99)),
    Judge((0.95, 0.95), (0.95, 0.95)),
    Judge((0.9, 0.9), (0.9, 0.9)),
    Judge((0.8, 0.7), (0.8, 0.7)),
    Judge((0.6, 0.6), (0.6, 0.6)),
    Judge((0.95, 0.75), (0.95, 0.95)),  # takes the candidate's wrong answers for right
    Judge((0.99, 0.79), (0.79, 0.99)),  # favours the candidate in both
    Judge((0.9, 0.7), (0.9, 0.9)),
    Judge((0.75, 0.95), (0.95, 0.95)),  # favours the baseline
    Judge((0.6, 0.8), (0.8, 0.6)),
)
SIZES = ((15, 60), (15, 400), (40, 200), (100, 400), (400, 2000))


@dataclass(frozen=True, slots=True)
class Draw:
    """Simulated groups, arrays (simulations, groups): sums of labels and scores, and sizes."""

    labels: Floats
    scores: Floats
    sizes: Floats


Drawing = Callable[[np.random.Generator, Judge, tuple[int, int]], Draw]


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of suite and people: how its groups are drawn, and what is true of it.

    With `often`, groups on which the scorer sees a change are labelled four times as often, each by
    a coin of its own. With `audit` they are drawn as `harness review --audit` does, and one in
    twenty is worth a look for another reason.
    """

    name: str
    draw: Drawing
    truth: float
    sampling: Literal["even", "often", "audit"] = "even"


@dataclass(frozen=True, slots=True)
class Shares:
    """In which share of cases the candidate loses and wins, and how right the baseline is."""

    right: float
    loss: float
    win: float


def binary(
    shares: Shares, sizes: tuple[tuple[int, float], ...] = ((1, 1.0),), raters: int = 0
) -> Drawing:
    """Groups whose cases share their fate in four of five; raters err in one answer of ten."""
    outcomes = [shares.right - shares.loss, shares.loss, shares.win]

    def draw(rng: np.random.Generator, judge: Judge, shape: tuple[int, int]) -> Draw:
        size = rng.choice([one for one, _ in sizes], p=[share for _, share in sizes], size=shape)
        fate = np.searchsorted(np.cumsum(outcomes), rng.random(shape), side="right")
        alike = rng.random(shape) < 0.8
        counts, left, rest = [], size, 1.0
        for number, chance in enumerate(outcomes):
            drawn = rng.binomial(left, chance / rest)
            left, rest = left - drawn, rest - chance
            counts.append(np.where(alike, size * (fate == number), drawn))
        both, lost, won = counts
        ours, theirs = both + won, both + lost
        score = _marks(rng, ours, size, judge.candidate) - _marks(rng, theirs, size, judge.baseline)
        label = ours - theirs
        if raters:
            given = [
                _marks(rng, ours, size, (0.9, 0.9)) - _marks(rng, theirs, size, (0.9, 0.9))
                for _ in range(raters)
            ]
            label = np.mean(given, axis=0)
        return Draw(label.astype(float), score.astype(float), size.astype(float))

    return draw


def _marks(
    rng: np.random.Generator, right: Floats, size: Floats, rates: tuple[float, float]
) -> Floats:
    """How many of a group's answers are taken for right."""
    found = rng.binomial(right.astype(int), rates[0])
    return np.asarray(found + rng.binomial((size - right).astype(int), 1.0 - rates[1]))


def graded(falls: float, rises: float) -> Drawing:
    """Grades in quarters that fall or rise by one; the judge's lie off by its rates of error."""

    def draw(rng: np.random.Generator, judge: Judge, shape: tuple[int, int]) -> Draw:
        theirs = rng.choice([0.25, 0.5, 0.75], size=shape)
        step = rng.random(shape)
        ours = theirs + np.where(step < falls, -0.25, np.where(step < falls + rises, 0.25, 0.0))

        def read(grade: Floats, rates: tuple[float, float]) -> Floats:
            bias, spread = (rates[0] - rates[1]) / 2.0, (2.0 - sum(rates)) / 2.0
            return np.clip(grade + bias + rng.normal(0.0, spread, shape), 0.0, 1.0)

        score = read(ours, judge.candidate) - read(theirs, judge.baseline)
        return Draw(ours - theirs, score, np.ones(shape))

    return draw


FAMILIES = (
    Family("few changes", binary(Shares(0.85, 0.05, 0.01)), -0.04),
    Family("many changes", binary(Shares(0.6, 0.2, 0.1)), -0.1),
    Family("groups of 1 to 8", binary(Shares(0.8, 0.12, 0.04), ((1, 0.5), (3, 0.3), (8, 0.2))),
           -0.08),
    Family("one noisy rater", binary(Shares(0.8, 0.12, 0.02), raters=1), -0.08),
    Family("three noisy raters", binary(Shares(0.8, 0.12, 0.02), raters=3), -0.08),
    Family("graded", graded(0.25, 0.05), -0.05),
    Family("drawn where a change shows", binary(Shares(0.8, 0.12, 0.04)), -0.08,
           "often"),
    Family("few changes, by review --audit", binary(Shares(0.85, 0.05, 0.01)), -0.04, "audit"),
    Family("many changes, by review --audit", binary(Shares(0.6, 0.2, 0.1)), -0.1, "audit"),
    Family("groups of 1 to 8, by review --audit",
           binary(Shares(0.8, 0.12, 0.04), ((1, 0.5), (3, 0.3), (8, 0.2))), -0.08, "audit"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """A family under one judge, with so many groups and so many of them labelled."""

    family: Family
    judge: Judge
    labelled: int
    groups: int

    @property
    def name(self) -> str:
        """All of it in words."""
        return f"{self.family.name}; {self.judge.name}; {self.labelled} of {self.groups} groups"


class Bare(Audit):
    """An audit without the worst groups there can be: narrow, and it promises too much."""

    def chance(self, value: float | Floats) -> Floats:
        """The chance that random weights of the groups at hand give a mean of at most `value`."""
        total = self.sizes.sum(axis=-1, keepdims=True)
        believed = (self.share * self.weights * self.sizes).sum(axis=-1, keepdims=True) / total
        above = self.scores - self.scores.sum(axis=-1, keepdims=True) / total * self.sizes
        terms = self.weights * (self.labels - value * self.sizes - self.share * above)
        return chance_at_most_zero(terms + believed * above)


@dataclass(frozen=True, slots=True)
class Found:
    """What the simulations of a kind came to; widths are over those of the labels alone.

    The `bare` ones are those of the interval without the worst groups.
    """

    kind: Kind
    promoted: float
    blocked: float
    naive: float
    width: float
    ideal: float
    bare_promoted: float
    bare_width: float


def audit_of(rng: np.random.Generator, kind: Kind, draws: int) -> Audit:
    """So many simulated audits of the kind, not yet tuned."""
    found = kind.family.draw(rng, kind.judge, (draws, kind.groups))
    share = kind.labelled / kind.groups
    if kind.family.sampling == "audit":
        weights = audit_weights(rng, found.scores != 0.0, kind.labelled)
    elif kind.family.sampling == "often":
        often = np.where(found.scores != 0.0, 4.0, 1.0)
        chance = np.minimum(1.0, often * share * kind.groups / often.sum(axis=1, keepdims=True))
        drawn = rng.random(chance.shape) < chance
        weights = np.where(drawn, 1.0 / chance, 0.0)
    else:  # the groups are in random order
        weights = np.broadcast_to(
            (np.arange(kind.groups) < kind.labelled).astype(float), found.labels.shape
        )
    return Audit(found.labels, found.scores, found.sizes, weights, -1.0, 1.0)


def audit_weights(rng: np.random.Generator, changed: Bools, labelled: int) -> Floats:
    """One over the chance of each group that an audit draws, 0 of others."""
    worth = changed | (rng.random(changed.shape) < 0.05)
    key = rng.random(changed.shape)
    weights = np.zeros(changed.shape)
    for row, own in enumerate(worth):
        sorts = np.flatnonzero(own), np.flatnonzero(~own)
        counts = allocate(sorts[0].size, sorts[1].size, labelled)
        for places, count in zip(sorts, counts, strict=True):
            drawn = places[np.argsort(key[row, places])[:count]]
            weights[row, drawn] = places.size / max(count, 1)
    return weights


def measure(rng: np.random.Generator, kind: Kind, simulations: int) -> Found:
    """The kind's rates of false verdicts, and its widths."""
    truth = kind.family.truth
    promoted = blocked = naive = bare = done = 0
    widths: list[tuple[float, ...]] = []
    correlations = []
    while done < simulations:
        draws = min(simulations - done, max(1, _AT_ONCE // kind.groups))
        audit = audit_of(rng, kind, draws)
        tuned, turned = audit.tuned(), mirrored(audit).tuned()
        promoted += int((tuned.chance(truth) < ALPHA).sum())
        blocked += int((turned.chance(-truth) < ALPHA).sum())
        bare += int((bared(tuned).chance(truth) < ALPHA).sum())
        naive += int((naive_chance(audit, truth) < ALPHA).sum())
        correlations.append(correlation(audit, truth))
        if not widths:
            widths = [_widths(tuned, turned, at) for at in range(min(draws, _MEASURED))]
        done += draws
    audited, alone, bare_audited, bare_alone = np.mean(widths, axis=0)
    rest = kind.groups - kind.labelled
    explained = float(np.mean(correlations)) ** 2 * rest / (rest + kind.labelled)
    return Found(
        kind, promoted / done, blocked / done, naive / done, audited / alone,
        math.sqrt(1.0 - explained), bare / done, bare_audited / max(bare_alone, 1e-9),
    )  # fmt: skip


def _widths(lower: Audit, upper: Audit, at: int) -> tuple[float, ...]:
    """The widths of one simulation: audited and by labels alone, and both without worst groups."""
    pairs = [(one(lower, at, share), one(upper, at, share)) for share in (None, 0.0)]
    bare = [(bared(ours), bared(other)) for ours, other in pairs]
    return tuple(width(*pair) for pair in (*pairs, *bare))


def bared(audit: Audit) -> Audit:
    """The audit without the worst groups."""
    return Bare(
        audit.labels, audit.scores, audit.sizes, audit.weights, audit.low, audit.high, audit.share
    )


def mirrored(audit: Audit) -> Audit:
    """The audit of the upper bound."""
    return Audit(-audit.labels, -audit.scores, audit.sizes, audit.weights, -1.0, 1.0)


def one(audit: Audit, at: int, share: float | None = None) -> Audit:
    """One simulation's audit."""
    own = audit.share if isinstance(audit.share, float) else audit.share[at]
    return Audit(
        audit.labels[at],
        audit.scores[at],
        audit.sizes[at],
        audit.weights[at],
        audit.low,
        audit.high,
        own if share is None else share,
    )


def width(lower: Audit, upper: Audit) -> float:
    """How far the bounds lie apart."""
    return -upper.bound(1.0, ALPHA) - lower.bound(1.0, ALPHA)


def naive_chance(audit: Audit, truth: float) -> Floats:
    """The p-value of a loss of at most the margin by the scorer's word, by the normal law."""
    terms = audit.scores - truth * audit.sizes
    spread = np.sqrt(np.square(terms - terms.mean(axis=1, keepdims=True)).sum(axis=1))
    return np.asarray(scipy.special.ndtr(-terms.sum(axis=1) / np.maximum(spread, 1e-9)))


def correlation(audit: Audit, truth: float) -> float:
    """How far people's and the scorer's differences of groups go together, from -1 to 1."""
    level = audit.scores.sum() / audit.sizes.sum()
    label, score = audit.labels - truth * audit.sizes, audit.scores - level * audit.sizes
    return float(np.corrcoef(label.ravel(), score.ravel())[0, 1])


def kinds() -> Iterator[Kind]:
    """Every kind, the small ones first."""
    for (labelled, groups), family, judge in itertools.product(SIZES, FAMILIES, JUDGES):
        yield Kind(family, judge, labelled, groups)


def report(found: list[Found], simulations: int, seconds: float) -> Iterator[str]:
    """The tables in Markdown."""
    yield "| labelled | kinds | most false promotions | most false blocks | naive judge's | width |"
    yield "| --- | ---: | ---: | ---: | ---: | --- |"
    for labelled, groups in SIZES:
        rows = [one for one in found if (one.kind.labelled, one.kind.groups) == (labelled, groups)]
        if rows:
            over = sorted(one.width / one.ideal for one in rows)
            widths = [one.width for one in rows]
            yield (
                f"| {labelled} of {groups} | {len(rows)} | {_most(rows, 'promoted')} | "
                f"{_most(rows, 'blocked')} | {_most(rows, 'naive')} | {min(widths):.2f} to "
                f"{max(widths):.2f} of labels alone; {over[len(over) // 2]:.2f} (median), "
                f"{over[-1]:.2f} (most) of the ideal |"
            )
    for title, key in (
        ("Most false promotions", lambda one: one.promoted),
        ("Widest beside the ideal", lambda one: one.width / one.ideal),
    ):
        yield ""
        yield f"{title}:"
        yield ""
        yield "| kind | promoted | naive judge's | width | ideal |"
        yield "| --- | ---: | ---: | ---: | ---: |"
        for one in sorted(found, key=key, reverse=True)[:8]:
            yield (
                f"| {one.kind.name} | {100 * one.promoted:.1f} % | {100 * one.naive:.1f} % | "
                f"{one.width:.2f} | {one.ideal:.2f} |"
            )
    noise = 2.33 * math.sqrt(PROMISED * (1 - PROMISED) / simulations)
    beyond = sum(one.promoted > PROMISED for one in found)
    certain = sum(one.promoted > PROMISED + noise for one in found)
    close = sum(one.width <= 1.15 * one.ideal for one in found)
    wide = sum(one.width > 1.05 for one in found)
    yield ""
    yield f"{len(found)} kinds of {simulations} simulations at alpha {ALPHA:g}, {seconds:.0f} s."
    yield (
        f"False promotions beyond {100 * PROMISED:g} %: {beyond} kinds, beyond what chance makes "
        f"of that: {certain}."
    )
    yield f"At most 1.15 times the ideal width: {close} kinds of {len(found)}."
    yield f"Wider than 1.05 times the labels alone: {wide} kinds."
    bare = sum(one.bare_width <= 1.15 * one.ideal for one in found)
    wrong = sum(one.bare_promoted > PROMISED for one in found)
    yield (
        f"Without the worst groups: at most 1.15 times the ideal in {bare} kinds, false promotions "
        f"beyond {100 * PROMISED:g} % in {wrong}, at most {_most(found, 'bare_promoted')}."
    )


def _most(rows: list[Found], key: str) -> str:
    return f"{100 * max(getattr(one, key) for one in rows):.1f} %"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=4000)
    parser.add_argument("--labelled", type=int, help="only kinds with so many labelled groups")
    parser.add_argument("--sampling", choices=["even", "often", "audit"], help="only kinds of this")
    parser.add_argument("--family", help="only kinds whose name begins so, as `few changes`")
    given = parser.parse_args()
    began, found = time.perf_counter(), []
    for number, kind in enumerate(kinds()):
        if (
            given.labelled in (None, kind.labelled)
            and given.sampling in (None, kind.family.sampling)
            and kind.family.name.startswith(given.family or "")
        ):
            rng = np.random.default_rng([2026, number])
            found.append(measure(rng, kind, given.simulations))
            print(".", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)
    print("\n".join(report(found, given.simulations, time.perf_counter() - began)))


if __name__ == "__main__":
    main()
