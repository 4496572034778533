"""Inter-rater agreement beyond chance: Krippendorff's alpha."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from harness.stats.clusters import Floats, check_alpha

Level = Literal["nominal", "ordinal", "interval", "ratio"]

_DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Agreement:
    """Krippendorff's alpha between two one-sided bounds: 1 is agreement, 0 is chance.

    `units` counts those that at least two raters rated, `raters` those who rated any of them.
    """

    estimate: float
    low: float
    high: float
    units: int
    raters: int


def krippendorff_alpha(
    ratings: npt.ArrayLike, *, level: Level, alpha: float = 0.05, seed: int = 0
) -> Agreement:
    """Krippendorff's alpha of ratings of shape (raters, units), NaN where a rater gave none.

    The bounds are quantiles of alpha over 4,000 random weightings of the units, at level `alpha`
    each, as `harness.stats.bootstrap` has them: for the lower one with one more unit on which the
    raters are split as far as ratings were seen to go, for the upper one with one more on which
    they agree. So perfect agreement on few units leaves doubt. Values that nobody gave are not
    thought of: where the far end of a scale is rare, 10 units make the upper bound too low in 10 %
    of samples at alpha 0.05. A unit with a single rating says nothing and is left out.

    Raises:
        ValueError: another shape or level, infinity, a negative rating on the ratio level, fewer
            than two raters or two units with two ratings, all ratings equal, alpha out of range.

    Source: Krippendorff 2018, Content Analysis, chapter 12; Hayes & Krippendorff 2007,
    Communication Methods and Measures 1, for resampling units.
    """
    check_alpha(alpha)
    paired = _read(ratings, level)
    values, place = np.unique(paired[~np.isnan(paired)], return_inverse=True)
    if values.size < 2:
        raise ValueError("agreement cannot be computed: all ratings are the same value")
    counts = np.zeros((paired.shape[1], values.size))
    np.add.at(counts, (np.nonzero(~np.isnan(paired))[1], place), 1.0)
    # Imported late: only grading needs it, and every command imports the statistics.
    import krippendorff

    estimate = float(
        krippendorff.alpha(value_counts=counts, value_domain=values, level_of_measurement=level)
    )
    draw = np.random.default_rng(seed)
    weights = draw.standard_exponential((_DRAWS, len(counts) + 1))
    weights *= weights.shape[1] / weights.sum(axis=1, keepdims=True)
    worst, best = _extremes(counts, values, level)
    low = np.quantile(weighted_alpha(worst, values, weights, level), alpha)
    high = np.quantile(weighted_alpha(best, values, weights, level), 1.0 - alpha)
    return Agreement(
        estimate=estimate,
        low=min(float(low), estimate),
        high=max(float(high), estimate),
        units=len(counts),
        raters=int((~np.isnan(paired)).any(axis=1).sum()),
    )


def weighted_alpha(counts: Floats, values: Floats, weights: Floats, level: Level) -> Floats:
    """Krippendorff's alpha where a unit stands for many, or for a part of one, shape (draws,).

    `counts` (units, values) says how often each of the ascending `values` (values,) was given to
    a unit, at least two in all; `weights` (draws, units) how many units each stands for.
    """
    given = weights @ counts
    total = given.sum(axis=1)
    share = weights / (counts.sum(axis=1) - 1.0)
    if level == "ordinal":
        # Distances in ranks depend on how often values were given, so they differ in each draw.
        ranks = np.cumsum(given, axis=1) - given / 2.0
        ranks -= total[:, None] / 2.0
        in_units = counts.sum(axis=1) * (np.square(ranks) @ counts.T) - np.square(ranks @ counts.T)
        seen = 2.0 * (share * in_units).sum(axis=1)
        chance = 2.0 * (
            total * (given * np.square(ranks)).sum(axis=1) - np.square((given * ranks).sum(axis=1))
        )
    else:
        distance = _distances(values, level)
        seen = share @ ((counts @ distance) * counts).sum(axis=1)
        chance = ((given @ distance) * given).sum(axis=1)
    return np.asarray(1.0 - (total - 1.0) * seen / chance)


def _read(ratings: npt.ArrayLike, level: Level) -> Floats:
    """The ratings of the units with at least two raters."""
    array = np.asarray(ratings, dtype=np.float64)
    if level not in get_args(Level):
        raise ValueError(f"level must be one of {', '.join(get_args(Level))}, got {level}")
    if array.ndim != 2:
        raise ValueError(f"ratings must be (raters, units), got {array.ndim} dimensions")
    if np.isinf(array).any():
        raise ValueError("ratings hold infinity: NaN stands for a rating that was not given")
    if level == "ratio" and (array < 0.0).any():
        raise ValueError("ratings on the ratio level must not be negative")
    if len(array) < 2:
        raise ValueError(f"agreement needs two raters, got {len(array)}")
    paired: Floats = array[:, (~np.isnan(array)).sum(axis=0) >= 2]
    if not paired.shape[1]:
        raise ValueError("agreement cannot be computed: no unit was rated twice")
    if paired.shape[1] == 1:
        raise ValueError("only one unit was rated twice: there is nothing to tell its spread from")
    return paired


def _distances(values: Floats, level: Level) -> Floats:
    """The squared distance of each value to each other, shape (values, values)."""
    one, other = values[:, None], values[None, :]
    if level == "nominal":
        return np.asarray(one != other, dtype=np.float64)
    gap = one - other
    if level == "ratio":
        gap = np.divide(gap, one + other, out=np.zeros_like(gap), where=one + other != 0.0)
    return np.asarray(np.square(gap))


def _extremes(counts: Floats, values: Floats, level: Level) -> tuple[Floats, Floats]:
    """The units and a worst one, and the units and a best one, by what they do to alpha."""
    sizes = counts.sum(axis=1)
    # As many ratings as the unit that a rating is in has on average, like `Clusters.size`.
    size = int(np.ceil(np.square(sizes).sum() / sizes.sum()))
    order = np.argsort(-counts.sum(axis=0), kind="stable")
    ends = np.array([0, values.size - 1])
    if level == "nominal":
        splits = [np.resize(order[:size], size)]
    else:
        splits = [np.resize(ends, size), np.resize(ends[::-1], size)]
    unanimous = [np.full(size, one) for one in (*ends, order[-1])]

    def joined(places: npt.NDArray[np.intp]) -> Floats:
        unit = np.bincount(places, minlength=values.size).astype(np.float64)
        return np.vstack([counts, unit])

    def level_of(units: Floats) -> float:
        return float(weighted_alpha(units, values, np.ones((1, len(units))), level)[0])

    return min(map(joined, splits), key=level_of), max(map(joined, unanimous), key=level_of)
