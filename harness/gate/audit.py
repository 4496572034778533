"""A metric as people would score it: the scorer's scores of all cases, and labels of some."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness import stats
from harness.gate.differences import scaled, value_range
from harness.labels.weights import group_weights
from harness.records.attempt import Attempt, Score
from harness.records.comparison import ComparisonRecord, PairedCase, PairedMetric
from harness.records.label import PREFERRED, PREFERRED_OVER, Label

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Words = defaultdict[tuple[str, int], list[Label]]  # by case and repeat

NO_MEAN = "people's labels audit a metric that is a mean over cases, such as accuracy"
# Where the scorer has no score of an answer. Any would do: labels say what the answer is worth.
_NO_SCORE = 0.5


@dataclass(frozen=True, slots=True)
class Side:
    """One side's scores and labels from 0 to 1, one value a case; 0 where it has no label.

    `known` says where it has a label, `scored` where it has a score of its own.
    """

    scores: Floats
    labels: Floats
    known: Bools
    scored: Bools


@dataclass(frozen=True, slots=True)
class AuditedMetric:
    """A metric's scores and labels, one value a case.

    `drawn` are the cases of groups that came into the sample, `unknown` those of them that lack a
    label, and `weights` one over the chance of coming into it. `missing` counts the cases without
    an answer. `raters` names who gave the `given` labels.
    A value of the metric is `low` and a share of the `span`.
    """

    candidate: Side
    baseline: Side
    groups: npt.NDArray[np.str_]
    drawn: Bools
    unknown: Bools
    weights: Floats
    missing: int
    given: int
    raters: frozenset[str]
    low: float
    span: float

    @property
    def sizes(self) -> Counter[str]:
        """The number of cases in each group."""
        return Counter(map(str, self.groups))

    @property
    def labelled(self) -> int:
        """The number of groups that came into the sample."""
        return int(np.unique(self.groups[self.drawn]).size)

    def difference(self, alpha: float) -> stats.Interval:
        """Candidate minus baseline as people would label all cases, in the metric's unit.

        Raises:
            ValueError: fewer than two groups are labelled.
        """
        found = stats.audited_difference(
            self.candidate.scores,
            self.baseline.scores,
            self.groups,
            self.candidate.labels,
            self.baseline.labels,
            self.drawn,
            weights=self.weights,
            unknown=self.unknown,
            missing=self.missing,
            alpha=alpha,
        )
        return scaled(found, self.span, 0.0)

    def value(self, alpha: float) -> stats.Interval:
        """The candidate's value as people would label all cases, in the metric's unit.

        Raises:
            ValueError: fewer than two groups are labelled.
        """
        found = stats.audited_mean(
            self.candidate.scores,
            self.groups,
            self.candidate.labels,
            self.drawn,
            weights=self.weights,
            unknown=self.unknown,
            missing=self.missing,
            alpha=alpha,
        )
        return scaled(found, self.span, self.low)


@dataclass(frozen=True, slots=True)
class _Case:
    """One case, its repeats averaged: scores and labels of both sides, None where there is none."""

    group: str
    scores: tuple[float | None, float | None]
    labels: tuple[float | None, float | None]


def audited(
    comparison: ComparisonRecord,
    metric: PairedMetric,
    criterion: str,
    cap: float | None = None,
    *,
    alone: bool = False,
) -> AuditedMetric:
    """The metric with the labels by that criterion; `alone` where the candidate's are enough.

    Raises:
        ValueError: the metric is no mean over cases, has no bounds and there is no cap, or no case
            has an answer.
    """
    suite, section, name = metric.name.split(".", 2)
    ends = value_range(metric.metric, cap)
    used = _used(comparison, (suite, section), criterion, alone=alone)
    words = (_by_answer(used[0]), _by_answer(used[1]))
    cases, missing, group_of = [], 0, {}
    for repeats in _by_case(comparison.cases, (suite, section)):
        group_of[repeats[0].case] = repeats[0].group
        if not _concerns(repeats, name):
            continue
        if all(_answered(one, alone=alone) for one in repeats):
            cases.append(_case(repeats, name, words, ends))
        else:
            missing += 1
    if not cases:
        raise ValueError("no case has an answer")
    groups = np.array([case.group for case in cases], dtype=np.str_)
    everyone = [label for side in used for label in side]
    weight = group_weights((one for one in everyone if one.case in group_of), group_of)
    weights = np.array([weight.get(case.group, 0.0) for case in cases])
    lacking = [case.labels[0] is None or (not alone and case.labels[1] is None) for case in cases]
    return AuditedMetric(
        _side(cases, 0),
        _side(cases, 1),
        groups,
        weights > 0.0,
        (weights > 0.0) & np.array(lacking),
        weights,
        missing,
        len(everyone),
        frozenset(label.rater for label in everyone),
        ends[0],
        ends[1] - ends[0],
    )


def _used(
    comparison: ComparisonRecord, place: tuple[str, str], criterion: str, *, alone: bool
) -> tuple[list[Label], list[Label]]:
    """The labels of each side's answers by that criterion.

    A preference is that for the candidate's answer over the baseline's; the baseline's own answer
    is a tie with itself, wherever somebody chose.
    """
    if criterion == PREFERRED:
        criterion = f"{PREFERRED_OVER}{comparison.baseline.header.target}"
    ours, theirs = (
        [one for one in side if one.place == place and one.criterion == criterion]
        for side in (comparison.candidate_labels, comparison.baseline_labels)
    )
    if criterion.startswith(PREFERRED_OVER):
        theirs = [one.model_copy(update={"value": 0.5, "scale": (0.0, 1.0)}) for one in ours]
    return ours, [] if alone else theirs


def _by_answer(labels: Iterable[Label]) -> Words:
    found: Words = defaultdict(list)
    for label in labels:
        found[label.case, label.repeat].append(label)
    return found


def _by_case(cases: Iterable[PairedCase], place: tuple[str, str]) -> Iterable[Sequence[PairedCase]]:
    found: defaultdict[str, list[PairedCase]] = defaultdict(list)
    for case in cases:
        if (case.suite, case.section) == place:
            found[case.case].append(case)
    return found.values()


def _concerns(repeats: Sequence[PairedCase], name: str) -> bool:
    """Whether the case says something about the metric, as far as its scores tell.

    Raises:
        ValueError: it says it with another weight than others.
    """
    scores = [each for one in repeats for each in (one.candidate_score, one.baseline_score)]
    scored = [score for score in scores if score.status == "scored"]
    weights = {score.terms[name].den if name in score.terms else 0.0 for score in scored}
    if not weights <= {0.0, 1.0} or len(weights) > 1:
        raise ValueError(NO_MEAN)
    return weights != {0.0}


def _answered(case: PairedCase, *, alone: bool) -> bool:
    sides = (case.candidate_attempt,) if alone else (case.candidate_attempt, case.baseline_attempt)
    return not case.excluded and all(has_text(attempt) for attempt in sides)


def has_text(attempt: Attempt) -> bool:
    """Whether there is an answer that people can label."""
    return attempt.status == "answered" and bool((attempt.text or "").strip())


def _case(
    repeats: Sequence[PairedCase],
    name: str,
    words: tuple[Words, Words],
    ends: tuple[float, float],
) -> _Case:
    given = [[side[one.case, one.repeat] for one in repeats] for side in words]
    return _Case(
        repeats[0].group,
        (
            _score([one.candidate_score for one in repeats], name, ends),
            _score([one.baseline_score for one in repeats], name, ends),
        ),
        (_label(given[0]), _label(given[1])),
    )


def _score(scores: Sequence[Score], name: str, ends: tuple[float, float]) -> float | None:
    """The mean of the repeats' values as a share of the range; None where one has no score."""
    if any(name not in score.terms for score in scores):
        return None
    values = np.clip([score.terms[name].num for score in scores], *ends)
    return float((values.mean() - ends[0]) / (ends[1] - ends[0]))


def _label(answers: Sequence[Sequence[Label]]) -> float | None:
    """The mean over answers of what their raters say; None where no rater can tell."""
    said = [{label.rater: label.share for label in answer} for answer in answers]
    told = [[share for share in each.values() if share is not None] for each in said]
    means = [float(np.mean(one)) for one in told if one]
    return float(np.mean(means)) if means else None


def _side(cases: Sequence[_Case], side: int) -> Side:
    return Side(
        np.array([_either(case.scores, side) for case in cases]),
        np.array([case.labels[side] or 0.0 for case in cases]),
        np.array([case.labels[side] is not None for case in cases]),
        np.array([case.scores[side] is not None for case in cases]),
    )


def _either(scores: tuple[float | None, float | None], side: int) -> float:
    """The side's score; no score where either side has none, so that they do not differ."""
    own = scores[side]
    return _NO_SCORE if own is None or None in scores else own
