"""The paired ratio of two arms' means, for times and other positive data."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.stats.bounds import lower_bound, two_sided, with_group
from harness.stats.clusters import (
    Floats,
    check_alpha,
    filled,
    read_clusters,
    read_values,
    same_length,
    with_missing,
)
from harness.stats.interval import Interval
from harness.stats.tilting import chance_at_most_zero

# How far out an unseen group may lie, beyond the most extreme one seen: with few groups farther.
# 30 is the least round number that held alpha on the lognormal times of the benchmark.
_FARTHER = 30.0


def paired_ratio(
    candidate: npt.ArrayLike,
    baseline: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    ceiling: float | None = None,
    missing: npt.ArrayLike | None = None,
) -> Interval:
    """mean(candidate) / mean(baseline) with its bounds, cases clustered by group.

    `harness.stats.bounds` says what the bounds are. With a `ceiling` the worst group there can be
    is as large as the largest, and has the ceiling in one arm and 0 in the other; so has a case
    that is `missing` a value, given by its group. Times have no ceiling, hence no worst group, and
    no bound holds for all of them: one is put 1 + 30 / groups times as far out as the most extreme
    that was seen, and at least where the ratio is half or twice that of the means. That held alpha
    for lognormal times (`benchmarks/gate_quality.py`), and does not where a rare stall makes the
    mean. `p_value` is against 1.

    Raises:
        ValueError: lengths differ, no value, a negative one or one above the ceiling, an arm whose
            mean is 0, missing cases without a ceiling, one group only, alpha out of range.
    """
    check_alpha(alpha)
    ours, theirs = _read(candidate, "candidate", ceiling), _read(baseline, "baseline", ceiling)
    same_length(candidate=ours, baseline=theirs, groups=np.asarray(groups))
    labels = with_missing(groups, missing)
    if ceiling is None and labels.size > ours.size:
        raise ValueError("cases without a value bound no ratio that has no ceiling")
    clusters = read_clusters(labels, labels.size)
    # In units of the means, so that no size of the values is lost to rounding.
    scales = float(ours.mean()), float(theirs.mean())
    arms = ours / scales[0], theirs / scales[1]
    most = (0.0, 0.0) if ceiling is None else (ceiling / scales[0], ceiling / scales[1])

    def bound(top: int, bottom: int) -> tuple[float, float]:
        """The lower bound of an arm over the other, in units of the ratio, and the p-value at 1."""
        over = clusters.total(filled(arms[top], clusters.n, 0.0))
        under = clusters.total(filled(arms[bottom], clusters.n, most[bottom]))
        worst = None if ceiling is None else most[bottom] * clusters.largest

        def chance(ratio: float) -> float:
            return float(ratio_chance(over, under, ratio, worst))

        return lower_bound(chance, 0.0, 1.0, alpha), chance(scales[bottom] / scales[top])

    low, rising = bound(0, 1)
    inverse, falling = bound(1, 0)
    estimate = scales[0] / scales[1]
    return Interval(
        estimate=estimate,
        low=low * estimate,
        high=estimate / inverse if inverse > 0.0 else np.inf,
        p_value=two_sided(rising, falling),
        n=ours.size,
        groups=np.unique(np.asarray(groups)).size,
    )


def _read(values: npt.ArrayLike, name: str, ceiling: float | None) -> Floats:
    array = read_values(values, name)
    if array.min() < 0.0:
        raise ValueError(f"{name} holds a negative value: a ratio needs values of at least 0")
    if ceiling is not None and array.max() > ceiling:
        raise ValueError(f"{name} holds {array.max():g}, above the ceiling {ceiling:g}")
    if not array.any():
        raise ValueError(f"the {name}'s mean is 0: the ratio says nothing")
    return array


def ratio_chance(top: Floats, bottom: Floats, ratio: float, most: float | None = None) -> Floats:
    """The chance that random weights give top over bottom at most `ratio`, (…, groups) to (…).

    One more group is the worst there can be: it has `most` below and nothing above, or, without a
    most, lies as far out as `paired_ratio` says.
    """
    terms = np.asarray(top - ratio * bottom)
    if most is not None:
        return chance_at_most_zero(with_group(terms, -ratio * most))
    halved = np.asarray(top.mean(axis=-1) / 2.0 - ratio * bottom.mean(axis=-1))
    farther = (1.0 + _FARTHER / terms.shape[-1]) * terms.min(axis=-1)
    return chance_at_most_zero(with_group(terms, np.minimum(halved, farther)))
