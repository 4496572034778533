"""Paired differences between two arms that answered the same cases."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.stats.clusters import (
    Clusters,
    Floats,
    check_alpha,
    participation,
    read_clusters,
    read_values,
    same_length,
    variance_known_by,
)
from harness.stats.exact import NEGLIGIBLE, Precision, share_lower, share_upper, t_quantile, unseen
from harness.stats.interval import Interval
from harness.stats.inversion import invert
from harness.stats.means import check_terms
from harness.stats.resample import Draws, bootstrap, nothing


def paired_difference(
    candidate: npt.ArrayLike,
    baseline: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    seed: int = 0,
) -> Interval:
    """The mean of candidate minus baseline with its bounds, cases clustered by group.

    The bounds are those of `paired_difference_of_ratios` with every denominator 1.

    Raises:
        ValueError: lengths differ, no value, NaN or infinity, one group only, alpha out of range.
    """
    ours, theirs = read_values(candidate, "candidate"), read_values(baseline, "baseline")
    same_length(candidate=ours, baseline=theirs, groups=np.asarray(groups))
    one = np.ones_like(ours)
    return paired_difference_of_ratios(ours, one, theirs, one, groups, alpha=alpha, seed=seed)


def paired_difference_of_ratios(
    c_num: npt.ArrayLike,
    c_den: npt.ArrayLike,
    b_num: npt.ArrayLike,
    b_den: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    seed: int = 0,
) -> Interval:
    """sum(c_num) / sum(c_den) - sum(b_num) / sum(b_den) with its bounds, clustered by group.

    What the candidate wins on some cases and loses on others are two shares. Each has its
    Clopper-Pearson bounds at the sample size that its cluster-robust variance is worth (1 -
    alpha**(1/groups) where there is no such case), and the two are joined into bounds of their
    difference. The result is the widest of these bounds, Student's t on the cluster-robust
    variance, and the expanded percentile of a bootstrap over groups; swapping the arms negates
    it. Where every case's ratio lies in [0, 1] the difference stays in [-1, 1].

    Raises:
        ValueError: lengths differ, no value, NaN or infinity, a negative den, num without den, all
            den 0 in an arm, one group only, alpha out of range.

    Source: Zou & Donner 2008, Statistics in Medicine 27, and Newcombe 1998, same journal 17, for
    joining bounds; Cameron & Miller 2015 for the variance; Miller 2024, "Adding error bars to
    evals", for pairing and clustering.
    """
    check_alpha(alpha)
    terms = _Terms.read(c_num, c_den, b_num, b_den)
    same_length(cases=terms.c_num, groups=np.asarray(groups))
    clusters = read_clusters(groups, terms.c_num.size)
    estimate = terms.candidate - terms.baseline
    bounded, reach = terms.range()
    scale = reach * terms.weight()
    changes = terms.changes() * clusters.n
    won = _Side.of(np.maximum(changes, 0.0), scale, clusters)
    lost = _Side.of(np.maximum(-changes, 0.0), scale, clusters)
    influence = clusters.total(terms.influence())
    deviation = math.sqrt(clusters.count / (clusters.count - 1.0) * np.square(influence).sum())
    together = _correlation(won.residuals, lost.residuals)
    seen = deviation**2 > NEGLIGIBLE
    draws = _draws(terms, clusters, seed, reach) if seen else nothing(clusters.count)

    def bounds(level: float) -> tuple[float, float]:
        spread = t_quantile(level, clusters.count - 1) * deviation
        down = _joined(won.fall(level), lost.rise(level), together)
        up = _joined(lost.fall(level), won.rise(level), together)
        low = min(estimate - max(down, spread), draws.lower(level))
        high = max(estimate + max(up, spread), draws.upper(level))
        return (max(-1.0, low), min(1.0, high)) if bounded else (low, high)

    return invert(estimate, bounds, 0.0, clusters, alpha)


@dataclass(frozen=True, slots=True)
class _Terms:
    """Both arms' terms, one a case."""

    c_num: Floats
    c_den: Floats
    b_num: Floats
    b_den: Floats

    @classmethod
    def read(
        cls, c_num: npt.ArrayLike, c_den: npt.ArrayLike, b_num: npt.ArrayLike, b_den: npt.ArrayLike
    ) -> _Terms:
        """The terms, once they are known to make two ratios."""
        given = {"c_num": c_num, "c_den": c_den, "b_num": b_num, "b_den": b_den}
        read = {name: read_values(values, name) for name, values in given.items()}
        same_length(**read)
        check_terms(read["c_num"], read["c_den"], "c_den")
        check_terms(read["b_num"], read["b_den"], "b_den")
        return cls(**read)

    @property
    def candidate(self) -> float:
        return float(self.c_num.sum() / self.c_den.sum())

    @property
    def baseline(self) -> float:
        return float(self.b_num.sum() / self.b_den.sum())

    def swapped(self) -> _Terms:
        return _Terms(self.b_num, self.b_den, self.c_num, self.c_den)

    def changes(self) -> Floats:
        """Each case's share in the difference, which they sum to; 0 where the arms agree."""
        num: Floats = self.c_num - self.b_num
        den: Floats = self.c_den - self.b_den
        by_candidate: Floats = (num - self.baseline * den) / self.c_den.sum()
        by_baseline: Floats = (num - self.candidate * den) / self.b_den.sum()
        return (by_candidate + by_baseline) / 2.0

    def influence(self) -> Floats:
        """What each case adds to the difference's sampling error, to first order."""
        ours: Floats = (self.c_num - self.candidate * self.c_den) / self.c_den.sum()
        theirs: Floats = (self.b_num - self.baseline * self.b_den) / self.b_den.sum()
        return ours - theirs

    def range(self) -> tuple[bool, float]:
        """Whether every ratio lies in [0, 1], and how far apart two of them can be."""
        shares = np.concatenate(
            [
                self.c_num[self.c_den > 0] / self.c_den[self.c_den > 0],
                self.b_num[self.b_den > 0] / self.b_den[self.b_den > 0],
            ]
        )
        least, most = float(shares.min()), float(shares.max())
        if least >= 0.0 and most <= 1.0:
            return True, 1.0
        return False, most - least if most > least else abs(most)

    def weight(self) -> float:
        """How much one case can move the difference, over 1/n: 1 for a mean.

        It is the heaviest case going from right to wrong. What it weighs when wrong (in F1 half
        as much) is taken from the wrong cases there are, and to be the same where there are none.
        """
        num = np.concatenate([self.c_num, self.b_num])
        den = np.concatenate([self.c_den, self.b_den])
        right = float(den.max())
        wrong = float(den[(num == 0.0) & (den > 0.0)].max(initial=0.0)) or right
        ratio = min(max(self.candidate, 0.0), max(self.baseline, 0.0), 1.0)
        moved = right - ratio * (right - wrong)
        largest = max(moved * self.c_den.size / min(self.c_den.sum(), self.b_den.sum()), 0.0)
        return float(max(largest, self.c_den.size * np.abs(self.changes()).max() / self.range()[1]))


@dataclass(frozen=True, slots=True)
class _Side:
    """What one arm wins from the other: `share` of the largest amount `scale` that it could."""

    share: float
    scale: float
    precision: Precision
    residuals: Floats

    @classmethod
    def of(cls, amounts: Floats, scale: float, clusters: Clusters) -> _Side:
        """The side made of each case's amount, in [0, scale]."""
        parts = amounts / scale
        share = float(parts.mean())
        sizes = clusters.total(np.ones_like(parts))
        won = clusters.total(parts)
        residuals = (won - share * sizes) / clusters.n
        precision = Precision(
            variance=clusters.count / (clusters.count - 1.0) * float(np.square(residuals).sum()),
            spread=float(parts.var()),
            floor=participation(sizes),
            cases=float(clusters.n),
            events=min(participation(won), 1.0 + variance_known_by(residuals)),
            binary=bool(np.isin(parts, (0.0, 1.0)).all()),
        )
        return cls(share, scale, precision, residuals)

    def fall(self, level: float) -> float:
        """How far the share's lower bound is below it, on the scale of the difference."""
        return self.scale * (self.share - share_lower(self.share, self.precision, level))

    def rise(self, level: float) -> float:
        """How far the upper bound is above; at least what unseen cases may still do."""
        gap = unseen(level, self.precision.looks(level)) * (1.0 - self.share)
        return self.scale * max(share_upper(self.share, self.precision, level) - self.share, gap)


def _joined(fall: float, rise: float, correlation: float) -> float:
    """The distance of a difference's bound, from those of its two parts."""
    return math.sqrt(fall**2 + rise**2 - 2.0 * correlation * fall * rise)


def _correlation(won: Floats, lost: Floats) -> float:
    """How wins and losses vary together over groups; a positive one would narrow and is not used.

    Few groups tell it badly, and only overstating the spread is safe.
    """
    size = float(np.square(won).sum() * np.square(lost).sum())
    return max(-1.0, min(0.0, float((won * lost).sum()) / math.sqrt(size))) if size > 0 else 0.0


def _draws(terms: _Terms, clusters: Clusters, seed: int, scale: float) -> Draws:
    """Bootstrap values of the difference; swapped arms give the same values negated."""

    def totals(arms: _Terms) -> Floats:
        columns = (arms.c_num, arms.c_den, arms.b_num, arms.b_den)
        return np.column_stack([clusters.total(column) for column in columns])

    def statistic(sums: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3])

    def ordered(sums: Floats) -> list[float]:
        rounded = np.round(sums / scale, 10)
        return list(rounded[np.lexsort(rounded.T)].ravel())

    straight, swapped = totals(terms), totals(terms.swapped())
    first, second = ordered(straight), ordered(swapped)
    if first >= second:
        found = bootstrap(straight, statistic, seed, scale)
        if first > second:
            return found
        # The arms cannot be told apart, so neither may the two tails.
        both = np.sort(np.concatenate([found.values, -found.values]))
        return Draws(both, clusters.count)
    found = bootstrap(swapped, statistic, seed, scale)
    return Draws(-found.values[::-1], clusters.count)
