"""How far the people agree who labelled the same answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.records.label import Label
from harness.stats.agreement import Agreement, Level, krippendorff_alpha

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ratings:
    """The labels of one criterion as a table: its answers by raters, shares of the scale.

    `table` has the shape (raters, answers), NaN where a rater gave no value. `first` is one label
    of each answer.
    """

    raters: tuple[str, ...]
    first: tuple[Label, ...]
    table: Floats


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An answer to which people gave different values; `spread` is a share of the scale."""

    label: Label
    values: dict[str, float]
    spread: float


def ratings_of(labels: Sequence[Label]) -> Ratings:
    """The table of the labels of one criterion, without what was given again or not told."""
    told = [label for label in labels if label.value is not None and not label.again]
    raters = tuple(sorted({label.rater for label in told}))
    units: dict[tuple[object, ...], Label] = {}
    for label in told:
        units.setdefault((*label.of_answer, label.answer), label)
    places = {unit: place for place, unit in enumerate(units)}
    table = np.full((len(raters), len(units)), np.nan)
    for label in told:
        share = label.share
        assert share is not None
        table[raters.index(label.rater), places[(*label.of_answer, label.answer)]] = share
    return Ratings(raters, tuple(units.values()), table)


def agreement_of(ratings: Ratings, level: Level, *, alpha: float = 0.05) -> Agreement | None:
    """Krippendorff's alpha with its bounds; None where it cannot be told.

    That is so where fewer than two answers have two raters, or all values are the same.
    """
    try:
        return krippendorff_alpha(ratings.table, level=level, alpha=alpha)
    except ValueError:
        return None


def distances(ratings: Ratings) -> dict[str, float]:
    """Each rater's mean distance from the mean of the others on the same answers, from 0 to 1.

    Whoever shares no answer with anyone is left out.
    """
    table = ratings.table
    given = ~np.isnan(table)
    total = np.nansum(table, axis=0) if table.size else np.zeros(table.shape[1])
    count = given.sum(axis=0)
    found = {}
    for rater, row, own in zip(ratings.raters, table, given, strict=True):
        shared = own & (count >= 2)
        if shared.any():
            others = (total[shared] - row[shared]) / (count[shared] - 1)
            found[rater] = float(np.abs(row[shared] - others).mean())
    return found


def disagreements(ratings: Ratings) -> list[Disagreement]:
    """The answers with different values, the widest apart first."""
    found = []
    for label, column in zip(ratings.first, ratings.table.T, strict=True):
        given = {
            rater: float(value)
            for rater, value in zip(ratings.raters, column, strict=True)
            if not np.isnan(value)
        }
        spread = max(given.values()) - min(given.values())
        if spread > 0.0:
            low, high = label.scale
            values = {rater: low + value * (high - low) for rater, value in given.items()}
            found.append(Disagreement(label, values, spread))
    return sorted(found, key=lambda each: -each.spread)


def repeated(labels: Sequence[Label]) -> dict[str, tuple[int, int]]:
    """For each rater who labelled answers again: how many got the same value, and of how many."""
    first = {
        (*label.of_answer, label.answer, label.criterion, label.rater): label.value
        for label in labels
        if not label.again
    }
    counts: defaultdict[str, list[bool]] = defaultdict(list)
    for label in labels:
        key = (*label.of_answer, label.answer, label.criterion, label.rater)
        if label.again and key in first:
            counts[label.rater].append(first[key] == label.value)
    return {rater: (sum(same), len(same)) for rater, same in counts.items()}
