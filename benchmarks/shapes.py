"""Shapes of data whose truth is known, and how often the gate's bounds pass it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from harness.gate.stopping import LOOKS, look_levels
from harness.stats.inference import share_chance
from harness.stats.paired import Arms, ratio_chance

ALPHA = 0.05

Floats = npt.NDArray[np.float64]
Random = np.random.Generator
Terms = tuple[Floats, Floats]  # num and den of each group
# one value a case, for a shape
Draw = Callable[[Random, tuple[int, ...]], Floats]
# the shares of simulations whose lower bound lies above the truth, whose upper bound below
Misses = tuple[float, float]
Index = slice | npt.NDArray[np.intp]  # which groups are in


@dataclass(frozen=True, slots=True)
class Design:
    """How many groups there are, how large, over and over, and how alike their cases are.

    With `looks` the bounds are held against the truth at each look, at the levels of a gate that
    ends early; groups are added in an order drawn once.
    """

    groups: int
    pattern: tuple[int, ...]
    correlation: float
    words: str = ""
    looks: bool = False

    def missed(self, chances: Callable[[Index], Floats]) -> float:
        """The share of simulations in which a bound passes the truth, at any look.

        `chances` is given which groups are in, and says for each simulation at which level the
        bound reaches the truth.
        """
        if not self.looks:
            return float((chances(slice(None)) < ALPHA).mean())
        order = np.random.default_rng(self.groups).permutation(self.groups)
        look_of = 1 + np.arange(self.groups) * LOOKS // self.groups
        found = np.zeros(1, dtype=np.bool_)
        for look, level in enumerate(look_levels(ALPHA), 1):
            found = found | (chances(order[look_of <= look]) < level)
        return float(found.mean())

    @property
    def sizes(self) -> Floats:
        """The number of cases in each group, shape (groups,)."""
        return np.resize(np.array(self.pattern, dtype=np.float64), self.groups)

    @property
    def largest(self) -> int:
        """The number of cases in the largest group."""
        return int(self.sizes.max())

    def cases(self, random: Random, simulations: int, draw: Draw) -> Floats:
        """One value a case, shape (simulations, groups, largest); 0 beyond a group's size.

        Each case has its group's value with probability sqrt(correlation), else one of its own, so
        that two cases of a group are correlated by `correlation`.
        """
        shape = (simulations, self.groups, self.largest)
        values = draw(random, shape)
        if self.correlation > 0.0 and self.largest > 1:
            common = draw(random, (simulations, self.groups, 1))
            alike = random.random(shape) < np.sqrt(self.correlation)
            values = np.where(alike, common, values)
        return np.where(np.arange(self.largest) < self.sizes[:, None], values, 0.0)

    def __str__(self) -> str:
        """The sizes and the correlation, in words."""
        sizes = self.words or "/".join(map(str, dict.fromkeys(self.pattern)))
        return f"{self.groups} groups of {sizes}, correlation {self.correlation:g}"


@dataclass(frozen=True, slots=True)
class PairedBinary:
    """Right or wrong in both arms: `won` are the cases won, `loss + won` those lost."""

    accuracy: float
    loss: float
    won: float

    def misses(self, random: Random, design: Design, simulations: int) -> Misses:
        """How often the bounds of the difference pass it."""

        def outcomes(random: Random, shape: tuple[int, ...]) -> Floats:
            u = random.random(shape)
            bounds = [u < self.loss + self.won, u < self.accuracy, u < self.accuracy + self.won]
            return np.select(bounds, [_LOST, _BOTH, _WON], _NEITHER)

        kind = design.cases(random, simulations, outcomes)
        candidate = np.isin(kind, (_BOTH, _WON)).astype(np.float64)
        baseline = np.isin(kind, (_BOTH, _LOST)).astype(np.float64)
        return _difference(candidate, baseline, design, -self.loss)


_LOST, _BOTH, _WON, _NEITHER = 1.0, 2.0, 3.0, 4.0  # 0 is no case


@dataclass(frozen=True, slots=True)
class PairedGraded:
    """Graded scores, of which only their change matters to a paired difference."""

    change: Draw
    truth: float

    def misses(self, random: Random, design: Design, simulations: int) -> Misses:
        """How often the bounds of the difference pass it."""
        change = design.cases(random, simulations, self.change)
        return _changed(change, design, self.truth)


def _changed(change: Floats, design: Design, truth: float) -> Misses:
    """The misses where the candidate loses what is negative and the baseline what is positive."""
    there = np.arange(design.largest) < design.sizes[:, None]
    candidate = np.where(there, 1.0 + np.minimum(change, 0.0), 0.0)
    baseline = np.where(there, 1.0 - np.maximum(change, 0.0), 0.0)
    return _difference(candidate, baseline, design, truth)


def _difference(candidate: Floats, baseline: Floats, design: Design, truth: float) -> Misses:
    ours, theirs = candidate.sum(axis=-1), baseline.sum(axis=-1)
    sizes = np.broadcast_to(design.sizes, ours.shape)
    return _held(design, (ours, sizes), (theirs, sizes), sizes, truth)


@dataclass(frozen=True, slots=True)
class Informative:
    """Right or wrong, where the largest groups lose more often than the others."""

    largest: float
    others: float

    def misses(self, random: Random, design: Design, simulations: int) -> Misses:
        """How often the bounds of the difference pass it."""
        share = np.where(design.sizes == design.largest, self.largest, self.others)
        u = design.cases(random, simulations, lambda r, shape: r.uniform(1e-9, 1.0, shape))
        lost = (u > 0.0) & (u < share[:, None])
        truth = -float((share * design.sizes).sum() / design.sizes.sum())
        return _changed(-lost.astype(np.float64), design, truth)


@dataclass(frozen=True, slots=True)
class Sized:
    """Right or wrong, in groups whose sizes are drawn: many of one case, few of as many as 20.

    A group of one case loses `small` of its cases, one of 20 `large`, and one in between by the
    logarithm of its size. Weighed are groups or cases, and so is the truth.
    """

    small: float
    large: float
    weigh: Literal["groups", "cases"]

    def misses(self, random: Random, design: Design, simulations: int) -> Misses:
        """How often the bounds of the difference pass it."""
        counts = np.arange(1, design.largest + 1)
        chances = counts**-1.5 / (counts**-1.5).sum()
        shares = self.small + (self.large - self.small) * np.log(counts) / np.log(counts[-1])
        sizes = random.choice(counts, p=chances, size=(simulations, design.groups))
        u = design.cases(random, simulations, lambda r, shape: r.uniform(1e-9, 1.0, shape))
        there = np.arange(design.largest) < sizes[..., None]
        lost = (there & (u < shares[sizes - 1][..., None])).sum(axis=-1, dtype=np.float64)
        if self.weigh == "groups":
            once = np.ones_like(lost)
            truth = -float((chances * shares).sum())
            return _held(design, (once - lost / sizes, once), (once, once), once, truth)
        truth = -float((chances * shares * counts).sum() / (chances * counts).sum())
        whole = sizes.astype(np.float64)
        return _held(design, (whole - lost, whole), (whole, whole), whole, truth)


def _held(design: Design, ours: Terms, theirs: Terms, weights: Floats, truth: float) -> Misses:
    """How often the bounds of a difference of ratios pass it.

    The worst group weighs as much as the heaviest one that is in.
    """

    def chances(arm: Terms, other: Terms, value: float, index: Index) -> Floats:
        seen = [(num[..., index], den[..., index]) for num, den in (arm, other)]
        weight = weights[..., index].max(axis=-1)
        return Arms.with_a_lost_group(seen[0], seen[1], weight).chance(value)

    return (
        design.missed(lambda index: chances(ours, theirs, truth, index)),
        design.missed(lambda index: chances(theirs, ours, -truth, index)),
    )


@dataclass(frozen=True, slots=True)
class OneShare:
    """One arm's share of right answers."""

    accuracy: float

    def misses(self, random: Random, design: Design, simulations: int) -> Misses:
        """How often the bounds of the mean pass it."""
        right = design.cases(random, simulations, self._right)
        return _one_arm(right.sum(axis=-1), design, self.accuracy)

    def _right(self, random: Random, shape: tuple[int, ...]) -> Floats:
        return (random.random(shape) < self.accuracy).astype(np.float64)


@dataclass(frozen=True, slots=True)
class OneGraded:
    """One arm's mean of graded scores."""

    scores: Draw
    truth: float

    def misses(self, random: Random, design: Design, simulations: int) -> Misses:
        """How often the bounds of the mean pass it."""
        scores = design.cases(random, simulations, self.scores)
        return _one_arm(scores.sum(axis=-1), design, self.truth)


def _one_arm(sums: Floats, design: Design, truth: float) -> Misses:
    sizes = np.broadcast_to(design.sizes, sums.shape)

    def chances(values: Floats, value: float, index: Index) -> Floats:
        seen = sizes[..., index]
        return share_chance(values[..., index], seen, float(seen.max()), value)

    return (
        design.missed(lambda index: chances(sums, truth, index)),
        design.missed(lambda index: chances(sizes - sums, 1.0 - truth, index)),
    )


@dataclass(frozen=True, slots=True)
class Refusals:
    """F1 of refusing, due in one of `one_in` groups; an arm is (recall, false alarms)."""

    candidate: tuple[float, float]
    baseline: tuple[float, float]
    one_in: int = 2

    def misses(self, random: Random, design: Design, simulations: int) -> Misses:
        """How often the bounds of the difference of F1 pass it."""
        due = (np.arange(design.groups) % self.one_in == 0)[None, :, None]

        def terms(arm: tuple[float, float]) -> Terms:
            u = design.cases(random, simulations, lambda r, shape: r.uniform(1e-9, 1.0, shape))
            refused = (u > 0.0) & np.where(due, u < arm[0], u < arm[1])
            hits, errors = (refused & due).sum(axis=-1), ((refused ^ due) & (u > 0.0)).sum(axis=-1)
            return 2.0 * hits, 2.0 * hits + errors

        weight = design.sizes[:: self.one_in].sum() / design.sizes.sum()
        truth = _f1(*self.candidate, weight) - _f1(*self.baseline, weight)
        ours, theirs = terms(self.candidate), terms(self.baseline)
        weights = np.broadcast_to(2.0 * design.sizes, ours[0].shape)
        return _held(design, ours, theirs, weights, truth)


def _f1(recall: float, alarms: float, due: float) -> float:
    """F1 where that share of the cases is due a refusal."""
    hits, errors = due * recall, due * (1.0 - recall) + (1.0 - due) * alarms
    return 2.0 * hits / (2.0 * hits + errors)


@dataclass(frozen=True, slots=True)
class Times:
    """Lognormal times; the candidate's are the baseline's by 1.1 and by lognormal noise."""

    spread: float
    noise: float

    def misses(self, random: Random, design: Design, simulations: int) -> Misses:
        """How often the bounds of the ratio pass it."""
        baseline = design.cases(
            random, simulations, lambda r, shape: r.lognormal(0.0, self.spread, shape)
        )
        noise = design.cases(
            random,
            simulations,
            lambda r, shape: r.lognormal(-(self.noise**2) / 2.0, self.noise, shape),
        )
        ours, theirs = (1.1 * baseline * noise).sum(axis=-1), baseline.sum(axis=-1)
        return _ratio(design, ours, theirs, 1.1)


@dataclass(frozen=True, slots=True)
class Shares:
    """The ratio of two arms' shares of right answers, which are at most 1."""

    candidate: float
    baseline: float

    def misses(self, random: Random, design: Design, simulations: int) -> Misses:
        """How often the bounds of the ratio pass it."""
        # One draw for both arms, so that they are right on the same cases.
        u = design.cases(random, simulations, lambda r, shape: r.uniform(1e-9, 1.0, shape))
        ours, theirs = (
            ((u > 0.0) & (u < share)).sum(axis=-1, dtype=np.float64)
            for share in (self.candidate, self.baseline)
        )
        return _ratio(design, ours, theirs, self.candidate / self.baseline, bounded=True)


def _ratio(
    design: Design, ours: Floats, theirs: Floats, truth: float, *, bounded: bool = False
) -> Misses:
    def chances(top: Floats, bottom: Floats, ratio: float, index: Index) -> Floats:
        most = float(design.sizes[index].max()) if bounded else None
        return ratio_chance(top[..., index], bottom[..., index], ratio, most)

    return (
        design.missed(lambda index: chances(ours, theirs, truth, index)),
        design.missed(lambda index: chances(theirs, ours, 1 / truth, index)),
    )


@dataclass(frozen=True, slots=True)
class Thirds:
    """A change: every case loses about a third, and this share loses all."""

    total: float

    def __call__(self, random: Random, shape: tuple[int, ...]) -> Floats:
        """The changes."""
        third = -0.3 - 0.05 * random.random(shape)
        return np.where(random.random(shape) < self.total, -1.0, third)

    @property
    def truth(self) -> float:
        """The mean change."""
        return -0.325 * (1.0 - self.total) - self.total


def rare(random: Random, shape: tuple[int, ...]) -> Floats:
    """A change: a hundredth on average, and in 3 % of cases all; the mean is RARE."""
    return np.where(random.random(shape) < 0.03, -1.0, -0.02 * random.random(shape))


RARE = -0.03 - 0.97 * 0.01


def quarters(random: Random, shape: tuple[int, ...]) -> Floats:
    """A change between scores with many ties; the mean is 0."""
    ours, theirs = (np.round(4 * random.beta(2, 1, shape)) / 4 for _ in range(2))
    return np.asarray(ours - theirs)


def floored(random: Random, shape: tuple[int, ...]) -> Floats:
    """A change between scores of which many are 0; the mean is FLOORED."""
    ours, theirs = (np.clip(random.normal(at, 0.2, shape), 0, 1) for at in (0.1, 0.2))
    return np.asarray(ours - theirs)


def _clipped(mean: float) -> float:
    return float(norm(mean, 0.2).expect(lambda x: np.clip(x, 0, 1)))


FLOORED = _clipped(0.1) - _clipped(0.2)


def low_scores(random: Random, shape: tuple[int, ...]) -> Floats:
    """Graded scores of which many are 0; the mean is LOW_SCORES."""
    return np.clip(random.normal(0.1, 0.2, shape), 0.0, 1.0)


LOW_SCORES = _clipped(0.1)
