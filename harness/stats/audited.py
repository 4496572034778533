"""Scores corrected by people's labels: what the scorer gets wrong is inside the bounds.

The scorer's scores of all groups are a control variate for the labels of a random sample of them:
each labelled group counts with its label minus a share of how far the scorer's score lies above
the scorer's mean. Whatever the scorer does, the mean of that is the mean of the labels, so that no
assumption on the scorer is needed; the better it agrees with people, the less is left to vary.

Sources: Angelopoulos et al. 2023, "Prediction-powered inference", Science 382; Angelopoulos, Duchi
& Zrnic 2024, "PPI++", for the share; Zrnic & Candès 2024, "Cross-prediction-powered inference",
for choosing it on other groups than those it is used on; `harness.stats.bootstrap` for the bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy

from harness.stats.bootstrap import chance_at_most_zero, lower_bound, two_sided, with_group
from harness.stats.clusters import Floats, check_alpha, read_clusters, read_shares, same_length
from harness.stats.inference import Interval

_FOLDS = 5
_SHARES = np.linspace(0.0, 1.0, 21)

Bools = npt.NDArray[np.bool_]


def audited_difference(
    candidate: npt.ArrayLike,
    baseline: npt.ArrayLike,
    groups: npt.ArrayLike,
    candidate_labels: npt.ArrayLike,
    baseline_labels: npt.ArrayLike,
    labelled: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    unknown: npt.ArrayLike | None = None,
    missing: int = 0,
    alpha: float = 0.05,
) -> Interval:
    """The mean of candidate minus baseline as people would label all cases, with its bounds.

    All arrays have one value a case, scores and labels from 0 to 1. Labels are read where
    `labelled` is true; a group is labelled as a whole or not at all. `weights` are one over the
    chance with which a case's group came into the sample, in any unit. Where `unknown` is true
    a labelled case has no label after all: the lower bound takes it for lost, the upper one for
    won, and so for `missing` cases more that nothing at all is known of.

    Raises:
        ValueError: lengths differ, no value, one outside [0, 1], fewer than two labelled groups, a
            group labelled in part, a weight that is not positive, alpha out of range.
    """
    labels = [
        _read_labels(each, labelled, unknown, name)
        for each, name in (
            (candidate_labels, "candidate_labels"),
            (baseline_labels, "baseline_labels"),
        )
    ]
    scores = read_shares(candidate, "candidate") - read_shares(baseline, "baseline")
    sample = _Sample(groups, labelled, weights, unknown)
    return _interval(scores, labels[0] - labels[1], sample, (-1.0, 1.0), missing, alpha)


def audited_mean(
    values: npt.ArrayLike,
    groups: npt.ArrayLike,
    labels: npt.ArrayLike,
    labelled: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    unknown: npt.ArrayLike | None = None,
    missing: int = 0,
    alpha: float = 0.05,
) -> Interval:
    """The mean of one arm's values as people would label all cases, with its bounds.

    The arguments are those of `audited_difference`.

    Raises:
        ValueError: as `audited_difference`.
    """
    known = _read_labels(labels, labelled, unknown, "labels")
    sample = _Sample(groups, labelled, weights, unknown)
    return _interval(read_shares(values, "values"), known, sample, (0.0, 1.0), missing, alpha)


@dataclass(frozen=True, slots=True)
class _Sample:
    """Which cases were drawn, as they were given."""

    groups: npt.ArrayLike
    labelled: npt.ArrayLike
    weights: npt.ArrayLike | None
    unknown: npt.ArrayLike | None


def _interval(
    scores: Floats,
    labels: Floats,
    sample: _Sample,
    ends: tuple[float, float],
    missing: int,
    alpha: float,
) -> Interval:
    check_alpha(alpha)
    n = scores.size
    drawn = np.asarray(sample.labelled, dtype=bool)
    unknown = np.zeros(n, bool) if sample.unknown is None else np.asarray(sample.unknown, bool)
    weights = np.ones(n) if sample.weights is None else np.asarray(sample.weights, np.float64)
    same_length(
        scores=scores, labels=labels, labelled=drawn, unknown=unknown, weights=weights,
        groups=np.asarray(sample.groups),
    )  # fmt: skip
    clusters = read_clusters(sample.groups, n)
    one = np.ones(n)
    sizes, inside = clusters.total(one), clusters.total(np.where(drawn, one, 0.0))
    if ((inside > 0.0) & (inside < sizes)).any():
        raise ValueError("a group is labelled in part: label all of its cases, or none")
    if (inside > 0.0).sum() < 2:
        raise ValueError("fewer than two groups are labelled, so their spread is unknown")
    if not (weights[drawn] > 0.0).all() or not np.isfinite(weights[drawn]).all():
        raise ValueError("a weight is not positive")
    by_group = clusters.total(np.where(drawn, weights, 0.0)) / sizes
    hidden = drawn & unknown
    open_ = clusters.total(np.where(hidden, 1.0, 0.0))
    known = clusters.total(np.where(drawn & ~unknown, labels, 0.0))
    low, high = ends
    summed = clusters.total(scores)
    lower = Audit(known + low * open_, summed, sizes, by_group, low, high).tuned()
    upper = Audit(-known - high * open_, -summed, sizes, by_group, -high, -low).tuned()
    estimate = _estimate(lower, known, sizes - open_, summed)
    share = missing / (n + missing)

    def without(value: float, worst: float) -> float:
        """The value among the cases that are not missing, where those that are have the worst."""
        return (value - share * worst) / (1.0 - share)

    def with_missing(value: float, worst: float) -> float:
        return (1.0 - share) * value + share * worst

    falling, rising = lower.bound(estimate, alpha), upper.bound(-estimate, alpha)
    chances = (lower.chance(without(0.0, low)), upper.chance(without(0.0, -high)))
    return Interval(
        estimate=estimate,
        low=with_missing(falling, low),
        high=-with_missing(rising, -high),
        p_value=two_sided(*map(float, chances)) if low < 0.0 else float(estimate <= 0.0),
        n=n,
        groups=clusters.count,
    )


def _estimate(audit: Audit, known: Floats, sizes: Floats, scores: Floats) -> float:
    """The estimate from the labels that are known, within the ends."""
    weights = audit.weights
    if not (weights * sizes).any():
        raise ValueError("no case has a label")
    mean = scores.sum() / audit.sizes.sum()
    # Where a part of a group's labels is unknown, the scores of that part say nothing here.
    part = np.divide(sizes, audit.sizes)
    above = part * (scores - mean * audit.sizes)
    found = (weights * (known - audit.share * above)).sum() / (weights * sizes).sum()
    return float(np.clip(found, audit.low, audit.high))


@dataclass(frozen=True, slots=True)
class Audit:
    """Labels and scores summed over each group, arrays (…, groups), a case's from `low` to `high`.

    `weights` are 0 where a group has no labels. `share` is how much of the scores is believed, by
    group; none until the audit is tuned.
    """

    labels: Floats
    scores: Floats
    sizes: Floats
    weights: Floats
    low: float
    high: float
    share: Floats | float = 0.0

    def tuned(self, alpha: float = 0.05) -> Audit:
        """The audit with the share for each group that makes the bounds narrow on other groups.

        The labelled groups are dealt out to five folds in their order, and each fold's share comes
        from the other four: chosen on labels that it is then held against, it would take chance
        for agreement. What an unseen group could add to the bounds grows with the share, so that
        few labels leave it at 0. Where every group is labelled the scores have nothing to add.
        """
        labelled = self.weights > 0.0
        fold = np.cumsum(labelled, axis=-1) % _FOLDS
        share = np.zeros(self.weights.shape)
        for number in range(_FOLDS):
            own = labelled & (fold == number)
            found = self._narrowest(np.where(own, 0.0, self.weights), alpha)
            share = np.where(own, found[..., None], share)
        return replace(self, share=np.where(labelled.all(axis=-1, keepdims=True), 0.0, share))

    def _narrowest(self, weights: Floats, alpha: float) -> Floats:
        """The share with the narrowest bounds for labels of these weights, (…, groups) to (…)."""
        weighted = _sum(weights * self.sizes)
        known = np.maximum(weighted, np.finfo(float).tiny)
        label = weights * (self.labels - _sum(weights * self.labels) / known * self.sizes)
        above = self._above()
        score = weights * above - weighted / _sum(self.sizes) * above
        moments = [_sum(one * other) for one, other in ((label, label), (label, score))]
        moments.append(_sum(np.square(score)))
        variance = moments[0] - 2.0 * _SHARES * moments[1] + np.square(_SHARES) * moments[2]
        largest = weights.max(axis=-1, keepdims=True) * self.sizes.max(axis=-1, keepdims=True)
        beyond = self._most() - _sum(self.scores) / _sum(self.sizes)
        unseen = ((self.high - self.low) / 2.0 + _SHARES * beyond) * largest
        z = scipy.special.ndtri(1.0 - alpha)
        width = unseen + z * np.sqrt(np.maximum(variance, 0.0) + np.square(unseen))
        return np.asarray(_SHARES[width.argmin(axis=-1)])

    def _above(self) -> Floats:
        """How far each group's scores lie above the mean of all."""
        return np.asarray(self.scores - _sum(self.scores) / _sum(self.sizes) * self.sizes)

    def _most(self) -> Floats:
        """The highest score of a group. All are known, also of the groups without labels."""
        return np.asarray((self.scores / self.sizes).max(axis=-1, keepdims=True))

    def chance(self, value: float | Floats) -> Floats:
        """The chance that random weights of the groups give a mean of labels of at most `value`.

        Two groups more are the worst there can be: a labelled one, all lost though the scorer likes
        it as much as any, and one more of which the scorer says lost. Each is as large as the
        largest.
        """
        weighted = _sum(self.weights * self.sizes)
        believed = _sum(self.share * self.weights * self.sizes) / weighted
        above = self._above()
        terms = self.weights * (self.labels - value * self.sizes - self.share * above)
        terms = terms + believed * weighted / _sum(self.sizes) * above
        mean = (_sum(self.scores) / _sum(self.sizes))[..., 0]
        largest = self.sizes.max(axis=-1)
        lost = np.squeeze(np.asarray(value), axis=-1) if np.ndim(value) else value
        worst = self.low - lost - believed[..., 0] * (self._most()[..., 0] - mean)
        terms = with_group(terms, self.weights.max(axis=-1) * largest * worst)
        part = (believed * weighted / _sum(self.sizes))[..., 0]
        return chance_at_most_zero(with_group(terms, part * largest * (self.low - mean)))

    def bound(self, estimate: float, alpha: float) -> float:
        """The lower bound of the mean of labels, of arrays (groups,)."""
        return lower_bound(lambda value: float(self.chance(value)), self.low, estimate, alpha)


def _sum(values: Floats) -> Floats:
    return np.asarray(values.sum(axis=-1, keepdims=True))


def _read_labels(
    labels: npt.ArrayLike, labelled: npt.ArrayLike, unknown: npt.ArrayLike | None, name: str
) -> Floats:
    """The labels where there are any, 0 elsewhere."""
    read = np.asarray(labelled, dtype=bool)
    if unknown is not None:
        read = read & ~np.asarray(unknown, dtype=bool)
    given = np.asarray(labels, dtype=np.float64)
    if given.shape != read.shape:
        raise ValueError(f"{name} and labelled differ in length")
    return read_shares(np.where(read, given, 0.0), name)
