"""One metric's terms on both sides, by case or by group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from harness.records.attempt import Term
from harness.records.comparison import PairedCase, PairedMetric, Weigh
from harness.records.metric import Metric


def paired_metric(
    name: str, metric: Metric, pairs: Sequence[PairedCase], weigh: Weigh = "cases"
) -> PairedMetric | None:
    """One metric's terms on the cases of its section; None where no case has a term.

    They are averaged over the repeats of each case, and over each group where groups are weighed.

    A case with a repeat that could not be scored on both sides has no terms and is missing. What it
    says of the candidate alone, as far as that was scored, is kept apart.
    """
    rows: defaultdict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
    own: defaultdict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
    groups: dict[str, str] = {}
    missing: dict[str, str] = {}
    without_own: dict[str, str] = {}
    for pair in pairs:
        ours = pair.candidate_score.terms.get(metric.name)
        other = pair.baseline_score.terms.get(metric.name)
        if ours is not None or other is not None:
            own[pair.case].append((*_numbers(ours), 0.0, 0.0))
        groups[pair.case] = pair.group
        if pair.change == "not_comparable":
            if _concerns(pair, metric.name):
                missing[pair.case] = pair.group
                if pair.excluded or pair.candidate_score.status != "scored":
                    without_own[pair.case] = pair.group
        elif ours is not None or other is not None:
            rows[pair.case].append((*_numbers(ours), *_numbers(other)))
    paired = _weighed(_terms(name, metric, rows, groups, missing), weigh)
    if paired is None or missing.keys() == without_own.keys():
        return paired
    return replace(paired, alone=_weighed(_terms(name, metric, own, groups, without_own), weigh))


def _weighed(metric: PairedMetric | None, weigh: Weigh) -> PairedMetric | None:
    """The metric with each group's terms averaged, where groups are weighed.

    Groups are then independent values of one size, whatever their cases are. A group of which a
    case is missing has no mean that is known, so all of it is missing.
    """
    if metric is None or weigh == "cases":
        return metric
    labels, index, counts = np.unique(metric.groups, return_inverse=True, return_counts=True)
    lacking = np.unique(metric.missing)
    kept = ~np.isin(labels, lacking)
    if not kept.any():
        return None

    def mean(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray((np.bincount(index, weights=values) / counts)[kept])

    return PairedMetric(
        name=metric.name,
        candidate_num=mean(metric.candidate_num),
        candidate_den=mean(metric.candidate_den),
        baseline_num=mean(metric.baseline_num),
        baseline_den=mean(metric.baseline_den),
        groups=labels[kept],
        missing=lacking,
        metric=metric.metric,
        cases=counts[kept],
    )


def _terms(
    name: str,
    metric: Metric,
    rows: Mapping[str, Sequence[tuple[float, float, float, float]]],
    groups: Mapping[str, str],
    missing: Mapping[str, str],
) -> PairedMetric | None:
    """The means of each case's rows (candidate num and den, baseline num and den); None if none."""
    known = [case for case in rows if case not in missing]
    if not known:
        return None
    means = np.array([np.mean(rows[case], axis=0) for case in known], dtype=np.float64)
    return PairedMetric(
        name=name,
        candidate_num=means[:, 0],
        candidate_den=means[:, 1],
        baseline_num=means[:, 2],
        baseline_den=means[:, 3],
        groups=np.array([groups[case] for case in known], dtype=np.str_),
        missing=np.array(list(missing.values()), dtype=np.str_),
        metric=metric,
    )


def _concerns(pair: PairedCase, metric: str) -> bool:
    """Whether a case says something about a metric, as far as one side's score tells."""
    both = (pair.candidate_score, pair.baseline_score)
    scored = [score for score in both if score.status == "scored"]
    return not scored or any(metric in score.terms for score in scored)


def _numbers(term: Term | None) -> tuple[float, float]:
    return (term.num, term.den) if term is not None else (0.0, 0.0)
