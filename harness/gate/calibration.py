"""A scorer held against people's labels: how often it is right, by side, and whom it favours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness import stats
from harness.gate.audit import AuditedMetric, Bools, Floats, Side

# From here on a score, or a label, says that the answer is right.
RIGHT = 0.5


@dataclass(frozen=True, slots=True)
class SideCalibration:
    """How a scorer and people agree on one side's labelled answers.

    `confusion` counts answers: right by both, by people alone, by the scorer alone, by neither. Of
    a share there is no interval where fewer than two groups say something about it. Shares are
    of the suite, not of the sample: an answer counts by the chance with which it was drawn.
    """

    target: str
    confusion: tuple[int, int, int, int]
    agreement: stats.Interval | None
    sensitivity: stats.Interval | None
    specificity: stats.Interval | None
    unscored: int

    @property
    def answers(self) -> int:
        """How many answers have a score and a label."""
        return sum(self.confusion)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A metric's calibration on both sides.

    `differential` is what the scorer would say of two models that people find equal: how much more
    it overrates the candidate than the baseline, in the metric's unit. None where fewer than two
    groups are labelled on both sides.
    """

    metric: str
    criterion: str
    sides: tuple[SideCalibration, SideCalibration]
    differential: stats.Interval | None
    groups: int
    raters: int

    @property
    def favours(self) -> str:
        """The target that the scorer favours for certain; empty where that is open."""
        found = self.differential
        if found is None or found.low <= 0.0 <= found.high:
            return ""
        return self.sides[0 if found.low > 0.0 else 1].target


def calibrate(
    metric: str, people: AuditedMetric, targets: tuple[str, str], criterion: str, alpha: float
) -> Calibration:
    """The calibration of the metric's scorer on the labelled answers of both targets."""
    sides = (people.candidate, people.baseline)
    return Calibration(
        metric,
        criterion,
        (
            _of_side(targets[0], people, sides[0], alpha),
            _of_side(targets[1], people, sides[1], alpha),
        ),
        _differential(people, alpha),
        people.labelled,
        len(people.raters),
    )


def _of_side(target: str, people: AuditedMetric, side: Side, alpha: float) -> SideCalibration:
    used = side.known & side.scored
    said, truth = side.scores[used] >= RIGHT, side.labels[used] >= RIGHT
    groups, weights = people.groups[used], people.weights[used]

    def share(hits: Bools, among: Bools) -> stats.Interval | None:
        return _share((hits & among) * weights, among * weights, groups, alpha)

    both = np.ones(said.size, dtype=bool)
    return SideCalibration(
        target,
        _counts(said, truth),
        share(said == truth, both),
        share(said, truth),
        share(~said, ~truth),
        int((side.known & ~side.scored).sum()),
    )


def _counts(said: Bools, truth: Bools) -> tuple[int, int, int, int]:
    cells = (said & truth, ~said & truth, said & ~truth, ~said & ~truth)
    both, people, scorer, neither = (int(cell.sum()) for cell in cells)
    return both, people, scorer, neither


def _share(
    num: Floats, den: Floats, groups: npt.NDArray[np.str_], alpha: float
) -> stats.Interval | None:
    some = den > 0.0
    if np.unique(groups[some]).size < 2:
        return None
    return stats.ratio_of_sums(num[some], den[some], groups[some], alpha=alpha)


def _differential(people: AuditedMetric, alpha: float) -> stats.Interval | None:
    ours, theirs = people.candidate, people.baseline
    used = ours.known & theirs.known & ours.scored & theirs.scored
    groups, weights = people.groups[used], people.weights[used]
    if np.unique(groups).size < 2:
        return None
    # (score - label) of one side minus that of the other, halved so that both terms are shares.
    found = stats.paired_difference_of_ratios(
        weights * (ours.scores[used] + theirs.labels[used]) / 2.0,
        weights,
        weights * (theirs.scores[used] + ours.labels[used]) / 2.0,
        weights,
        groups,
        alpha=alpha,
    )
    return stats.Interval(
        2.0 * people.span * found.estimate,
        2.0 * people.span * found.low,
        2.0 * people.span * found.high,
        found.p_value,
        found.n,
        found.groups,
    )
