"""Power: the smallest distance from a limit that a suite of a given size detects.

A suite detects a distance if a candidate whose truth lies that far on the good side of a rule's
limit passes the rule four times out of five. The sample that is worse than all but one in five is
the groups at hand, weighted to be as unlucky; the distance is how far the bound of that sample
lies below the truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from harness.stats.bootstrap import chance_at_most_zero, lower_bound, tilt, with_group
from harness.stats.clusters import (
    Floats,
    check_alpha,
    read_clusters,
    read_shares,
    read_terms,
    same_length,
)
from harness.stats.inference import heaviest

USUAL = 0.8
_MOST_GROUPS = 1e7
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Spread:
    """How groups spread about a ratio of sums, whatever their number.

    Group i adds `above[i]` to the numerator and `size[i]` to the denominator, in parts of a usual
    group, and makes up the share `share[i]` of all groups; `lost` is what the worst group there
    can be adds to both. `groups` is how many there are.
    """

    above: Floats
    size: Floats
    share: Floats
    lost: tuple[float, float]
    groups: int

    @classmethod
    def of_no_change(
        cls,
        c_num: npt.ArrayLike,
        c_den: npt.ArrayLike,
        b_num: npt.ArrayLike,
        b_den: npt.ArrayLike,
        groups: npt.ArrayLike,
    ) -> Spread:
        """The spread of the paired difference about none, were the arms equal on the whole.

        It is that of the groups about their own difference, each taken both ways.

        Raises:
            ValueError: as `paired_difference_of_ratios`.
        """
        ours = read_terms(c_num, c_den, "c_num", "c_den")
        theirs = read_terms(b_num, b_den, "b_num", "b_den")
        same_length(c_num=ours[0], b_num=theirs[0], groups=np.asarray(groups))
        clusters = read_clusters(groups, ours[0].size)
        num, den = np.concatenate([ours[0], theirs[0]]), np.concatenate([ours[1], theirs[1]])
        level = num.sum() / den.sum()
        usual = den.sum() / (2.0 * clusters.count)
        size = clusters.total((ours[1] + theirs[1]) / 2.0) / usual
        change = clusters.total(ours[0] - theirs[0] - level * (ours[1] - theirs[1])) / usual
        above = change - change.mean() * size  # sizes are 1 on average
        worst = clusters.largest * heaviest(den) / usual
        lost = -worst, worst
        half = np.full(2 * clusters.count, 0.5 / clusters.count)
        return cls(np.append(above, -above), np.append(size, size), half, lost, clusters.count)

    @classmethod
    def of_value(cls, num: npt.ArrayLike, den: npt.ArrayLike, groups: npt.ArrayLike) -> Spread:
        """The spread of sum(num) / sum(den) as it is seen.

        Raises:
            ValueError: as `ratio_of_sums`.
        """
        top, bottom = read_terms(num, den, "num", "den")
        same_length(num=top, groups=np.asarray(groups))
        clusters = read_clusters(groups, top.size)
        usual = bottom.sum() / clusters.count
        above, size = clusters.total(top) / usual, clusters.total(bottom) / usual
        lost = 0.0, clusters.largest * heaviest(bottom) / usual
        share = np.full(clusters.count, 1.0 / clusters.count)
        return cls(above, size, share, lost, clusters.count)

    @classmethod
    def of_ratio(
        cls, candidate: npt.ArrayLike, baseline: npt.ArrayLike, groups: npt.ArrayLike
    ) -> Spread:
        """The spread of mean(baseline) / mean(candidate), values in [0, 1].

        Raises:
            ValueError: as `paired_ratio` with a ceiling of 1.
        """
        ours, theirs = read_shares(candidate, "candidate"), read_shares(baseline, "baseline")
        same_length(candidate=ours, baseline=theirs, groups=np.asarray(groups))
        for name, arm in (("candidate", ours), ("baseline", theirs)):
            if not arm.any():
                raise ValueError(f"the {name}'s mean is 0: the ratio says nothing")
        clusters = read_clusters(groups, ours.size)
        usual = ours.sum() / clusters.count
        above, size = clusters.total(theirs) / usual, clusters.total(ours) / usual
        share = np.full(clusters.count, 1.0 / clusters.count)
        return cls(above, size, share, (0.0, clusters.largest / usual), clusters.count)

    @classmethod
    def planned(cls, sizes: npt.ArrayLike, discordance: float) -> Spread:
        """The spread of a difference if that share of the groups changed, as many each way.

        `sizes` (groups,) are their numbers of cases, which change together.

        Raises:
            ValueError: fewer than two groups, a size of 0, a discordance outside [0, 1].
        """
        half = _share(discordance, "discordance") / 2.0
        changes = {1.0: half, 0.0: 1.0 - discordance, -1.0: half}
        return cls._planned(sizes, changes, lost=-1.0)

    @classmethod
    def planned_value(cls, sizes: npt.ArrayLike, value: float) -> Spread:
        """The spread of one arm's mean if that share of the groups were right, others all wrong.

        Raises:
            ValueError: fewer than two groups, a size of 0, a value outside [0, 1].
        """
        right = _share(value, "value")
        return cls._planned(sizes, {1.0: right, 0.0: 1.0 - right}, lost=0.0)

    @classmethod
    def _planned(cls, sizes: npt.ArrayLike, outcomes: dict[float, float], lost: float) -> Spread:
        """The spread of groups whose cases all have one of the outcomes, given with its share."""
        size = np.asarray(sizes, dtype=np.float64)
        if size.ndim != 1 or size.size < 2 or size.min() <= 0.0:
            raise ValueError("sizes must be the numbers of cases of at least two groups")
        outcomes = {outcome: share for outcome, share in outcomes.items() if share > 0.0}
        size = size / size.mean()
        worst = float(size.max())
        shares = np.array(list(outcomes.values())) / size.size
        return cls(
            above=np.outer(list(outcomes), size).ravel(),
            size=np.tile(size, len(outcomes)),
            share=np.repeat(shares, size.size),
            lost=(lost * worst, worst),
            groups=size.size,
        )

    @property
    def centre(self) -> float:
        """The ratio itself."""
        return float((self.share * self.above).sum() / (self.share * self.size).sum())

    @property
    def _least(self) -> float:
        """The least ratio of any group."""
        known = self.size > 0.0
        return float((self.above[known] / self.size[known]).min())

    def detectable(self, alpha: float = 0.05, *, groups: float | None = None) -> float:
        """How far above a limit the truth must be for the lower bound to reach it, in that share.

        `groups` is their number, if not that of the groups at hand.

        Raises:
            ValueError: alpha out of range.
        """
        check_alpha(alpha)
        counts = self.share * (self.groups if groups is None else groups)
        unlucky = counts * self._unlucky(counts, 1.0 - USUAL)
        above, size = with_group(self.above, self.lost[0]), with_group(self.size, self.lost[1])
        weights = with_group(unlucky, 1.0)
        worst = min(self.lost[0] / self.lost[1], self._least)

        def chance(value: float) -> float:
            return float(chance_at_most_zero(above - value * size, weights))

        return self.centre - lower_bound(chance, worst, self.centre, alpha)

    def groups_needed(self, margin: float, alpha: float = 0.05) -> int | None:
        """The fewest groups that detect a distance of `margin`; None beyond ten million.

        Raises:
            ValueError: a margin of 0 or less, alpha out of range.
        """
        if margin <= 0.0:
            raise ValueError(f"no number of groups shows a distance of {margin:g}")

        def excess(log_groups: float) -> float:
            groups = math.exp(log_groups)
            return self.detectable(alpha, groups=groups) - margin

        least, most = math.log(2.0), math.log(_MOST_GROUPS)
        if excess(most) > 0.0:
            return None
        if excess(least) <= 0.0:
            return 2
        return math.ceil(math.exp(scipy.optimize.brentq(excess, least, most, xtol=1e-4)) - 1e-2)

    def _unlucky(self, counts: Floats, chance: float) -> Floats:
        """Weights that turn the groups into an unlucky sample, one with that probability."""
        moved = self.above - self.centre * self.size
        if not (self.share * np.abs(moved) > _ROUNDING).any():
            return np.ones_like(counts)

        def terms(value: float) -> Floats:
            return np.asarray(self.above - value * self.size)

        value = lower_bound(
            lambda value: float(chance_at_most_zero(terms(value), counts)),
            self._least,
            self.centre,
            chance,
        )
        s = np.nan_to_num(tilt(terms(value), counts))
        weights = 1.0 / (1.0 - s * terms(value))
        return np.asarray(weights * counts.sum() / (weights * counts).sum())


def _share(value: float, name: str) -> float:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} must lie between 0 and 1, got {value:g}")
    return value
