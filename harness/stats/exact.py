"""Bounds of a share in [0, 1] that stay honest at its edges."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

NEGLIGIBLE = 1e-24  # a variance below this is rounding


@dataclass(frozen=True, slots=True)
class Precision:
    """What is known of an estimate's precision, in terms of sample sizes.

    `variance` is the cluster-robust one of the estimate, `spread` the variance of one case.
    `floor` is the effective number of groups: the sample size if all cases of a group stood or
    fell together. `cases` is the effective number of cases, and `events` that of the groups in
    which the rarer side of the outcome was seen: the variance is known no better than they tell.
    `binary` says that a case is wholly one thing or the other, and weighs what others weigh.
    """

    variance: float
    spread: float
    floor: float
    cases: float
    events: float
    binary: bool

    @property
    def seen(self) -> bool:
        """Whether the cases differ by more than rounding."""
        return self.variance > NEGLIGIBLE

    def size(self, alpha: float, share: float) -> float:
        """The size of the binomial sample that tells as much about this share.

        A variance told by few groups is itself uncertain: it is discounted by the squared ratio
        of normal to t quantile. The result never falls below `floor`, nor, for binary cases,
        exceeds `cases`.

        Source: Korn & Graubard 1998, Survey Methodology 24.
        """
        cap = self.cases if self.binary else math.inf
        return max(self.floor, min(self._worth(alpha, share * (1.0 - share)), cap))

    def looks(self, alpha: float) -> float:
        """How many independent looks at the outcome the cases are, between `floor` and `cases`."""
        return max(self.floor, min(self._worth(alpha, self.spread), self.cases))

    def _worth(self, alpha: float, variance: float) -> float:
        """How many independent cases of this variance give the estimate's own, discounted."""
        if not self.seen or self.events <= 1.0:
            return 0.0
        known = (z_quantile(alpha) / t_quantile(alpha, self.events - 1.0)) ** 2
        return known * variance / self.variance


def share_lower(share: float, precision: Precision, alpha: float) -> float:
    """The one-sided lower bound of Clopper & Pearson 1934 at the effective sample size."""
    size = precision.size(alpha, share)
    hits = share * size
    if hits <= 0.0:
        return 0.0
    return min(share, float(special.betaincinv(hits, size - hits + 1.0, alpha)))


def share_upper(share: float, precision: Precision, alpha: float) -> float:
    """The one-sided upper bound; for a share of 0 it is 1 - alpha**(1/floor)."""
    size = precision.size(alpha, share)
    hits = share * size
    if hits >= size:
        return 1.0
    return max(share, float(special.betaincinv(hits + 1.0, size - hits, 1.0 - alpha)))


def unseen(alpha: float, size: float) -> float:
    """The largest share that `size` draws may all have missed at level alpha: "rule of three".

    Source: Hanley & Lippman-Hand 1983, JAMA 249.
    """
    return float(-math.expm1(math.log(alpha) / size))


def z_quantile(alpha: float) -> float:
    """The normal deviate that is exceeded with probability alpha."""
    return float(-special.ndtri(alpha))


def t_quantile(alpha: float, freedom: float) -> float:
    """Student's deviate that is exceeded with probability alpha."""
    return float(-special.stdtrit(freedom, alpha))


def expanded_level(alpha: float, groups: int) -> float:
    """The level at which percentiles of a bootstrap over `groups` groups must be read.

    A bootstrap's spread is too small by sqrt((G - 1) / G) and its tails are normal, not t;
    reading it further out mends both.

    Source: Hesterberg 2015, The American Statistician 69, expanded percentile interval.
    """
    factor = math.sqrt(groups / (groups - 1.0))
    return float(special.ndtr(-factor * t_quantile(alpha, groups - 1.0)))
