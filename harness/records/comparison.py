"""A comparison: a candidate run against a baseline run, paired by case and repeat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from harness.records.attempt import Attempt, Score
from harness.records.label import Label
from harness.records.latency import LatencySection
from harness.records.leakage import Leakage
from harness.records.metric import SHARE, Metric
from harness.records.run import RunRecord
from harness.records.suite import Message
from harness.records.verdict import EvidenceWarning

# The last three are those of grades, of which no value is a failure.
Change = Literal[
    "new_failure",
    "fixed",
    "still_failing",
    "still_passing",
    "not_comparable",
    "worse",
    "better",
    "same",
]


# What counts once in a metric.
Weigh = Literal["cases", "groups"]


@dataclass(frozen=True, slots=True)
class PairedMetric:
    """One metric's terms, case by case; the four arrays are aligned and one value a case.

    Repeats are already averaged within a case. A metric is sum(num) / sum(den), so a mean has
    `den` 1 throughout. `groups` holds the cluster of each case, `missing` that of each case which a
    side has no score for: it is not among the others, and no bound may forget it. `metric` is what
    the numbers mean. `alone` is the same of every case that the candidate has a score for, without
    the baseline's terms; None where those are the same cases. Where each group counts once, it has
    the means of its cases' terms in one place of the arrays, and `cases` says of how many.
    """

    name: str
    candidate_num: npt.NDArray[np.float64]
    candidate_den: npt.NDArray[np.float64]
    baseline_num: npt.NDArray[np.float64]
    baseline_den: npt.NDArray[np.float64]
    groups: npt.NDArray[np.str_]
    missing: npt.NDArray[np.str_] = field(default_factory=lambda: np.array([], dtype=np.str_))
    metric: Metric = SHARE
    alone: PairedMetric | None = None
    cases: npt.NDArray[np.intp] | None = None

    @property
    def by_groups(self) -> bool:
        """Whether each group counts once, whatever the number of its cases."""
        return self.cases is not None

    @property
    def n(self) -> int:
        """The number of cases."""
        return int(self.groups.size if self.cases is None else self.cases.sum())

    @property
    def is_mean(self) -> bool:
        """Whether the metric is a plain mean over cases."""
        return bool(np.all(self.candidate_den == 1.0) and np.all(self.baseline_den == 1.0))

    @property
    def candidate_value(self) -> float | None:
        """The candidate's metric, or None where its terms sum to nothing."""
        return _share(self.candidate_num, self.candidate_den)

    @property
    def baseline_value(self) -> float | None:
        """The baseline's metric, or None where its terms sum to nothing."""
        return _share(self.baseline_num, self.baseline_den)

    @property
    def gap(self) -> float | None:
        """The candidate's metric minus the baseline's, or None where one of them is."""
        candidate, baseline = self.candidate_value, self.baseline_value
        return None if candidate is None or baseline is None else candidate - baseline


def _share(num: npt.NDArray[np.float64], den: npt.NDArray[np.float64]) -> float | None:
    total = float(den.sum())
    return float(num.sum()) / total if total > 0 else None


@dataclass(frozen=True, slots=True)
class PairedCase:
    """One case and repeat as both sides answered it.

    One that is `excluded` is not comparable although it may have scores on both sides.
    """

    suite: str
    section: str
    case: str
    repeat: int
    group: str
    critical: bool
    tags: tuple[str, ...]
    messages: tuple[Message, ...]
    candidate_attempt: Attempt
    baseline_attempt: Attempt
    candidate_score: Score
    baseline_score: Score
    change: Change
    expect: dict[str, Any] = field(default_factory=dict)
    excluded: bool = False

    @property
    def path(self) -> str:
        """The case's full name `<suite>/<section>/<case>`."""
        return f"{self.suite}/{self.section}/{self.case}"


@dataclass(frozen=True, slots=True)
class ComparisonRecord:
    """Two runs side by side; `problems` are reasons not to trust them, hopefully none.

    `latency` is what a measurement of the two found, where there is one. `merged` names by
    `suite.section` the groups that count as another one, because they ask the same, and which.
    `titles` are the suites' words for metrics, by their full names. `signs` are what sections say
    of how their answers were scored. `candidate_labels` and `baseline_labels` are what people said
    of these answers; `labels_left_out` counts by reason those that do not hold for them. `leakage`
    is what was found of the cases in training data, None where no training data is known. `weigh`
    says what counts once in the metrics. Where cases are asked in looks, `look_of` has the look at
    which each is judged, by its path, also of those that were not asked.
    """

    candidate: RunRecord
    baseline: RunRecord
    metrics: dict[str, PairedMetric]
    cases: tuple[PairedCase, ...]
    problems: tuple[str, ...]
    latency: LatencySection | None = None
    merged: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    signs: tuple[EvidenceWarning, ...] = ()
    candidate_labels: tuple[Label, ...] = ()
    baseline_labels: tuple[Label, ...] = ()
    labels_left_out: Mapping[str, int] = field(default_factory=dict)
    leakage: Leakage | None = None
    weigh: Weigh = "cases"
    look_of: Mapping[str, int] = field(default_factory=dict)
