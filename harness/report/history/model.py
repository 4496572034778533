"""What a page on a suite's history shows, as display-ready strings and plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from harness.records.verdict import Decision, Outcome
from harness.report.model import PlotKind


@dataclass(frozen=True, slots=True)
class Point:
    """A metric at one gate, on the scale of its axis.

    `low`, `high` and `limit` are those of the rule that came out worst; a rule on a difference or
    a ratio is set off from the baseline's value. `outcome` is empty where no rule is on it.
    """

    at: datetime
    version: str
    value: float
    baseline: float | None
    low: float | None
    high: float | None
    limit: float | None
    good_above: bool
    outcome: Outcome | None
    promoted: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One rule on a metric at one gate, or the metric alone where no rule is on it."""

    created: str
    candidate: str
    baseline_name: str
    value: str
    baseline: str
    requirement: str
    estimate: str
    interval: str
    limit: str
    outcome: Outcome | None
    symbol: str
    version: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Course:
    """A metric over all gates that have it: the points by time, the rows the newest first.

    `last` is the row of the latest gate, of several rules the one that came out worst.
    """

    name: str
    anchor: str
    kind: PlotKind
    points: tuple[Point, ...]
    rows: tuple[Row, ...]
    last: Row
    latest: str
    gates: int


@dataclass(frozen=True, slots=True)
class GateRow:
    """One gate in the list of all."""

    at: datetime
    created: str
    candidate: str
    baseline: str
    verdict: Decision
    outcome: Outcome
    symbol: str
    reason: str
    promoted: tuple[str, ...]
    version: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment that is marked in every drawing: a promotion, or a change of the suite."""

    at: datetime
    label: str
    is_promotion: bool


@dataclass(frozen=True, slots=True)
class HistoryView:
    """The whole page; `gates` has the newest first."""

    suite: str
    gates: tuple[GateRow, ...]
    courses: tuple[Course, ...]
    marks: tuple[Mark, ...]
    versions: int
    span: str
    confidence: str
