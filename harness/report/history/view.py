"""The view of a history that every file of it is written from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TypeVar

from harness.records.history import HeldGate, History
from harness.records.past_gate import Values, instant
from harness.records.rule import kind_of
from harness.records.verdict import Decision, Outcome, RuleResult
from harness.report import numbers
from harness.report.history.model import Course, GateRow, HistoryView, Mark, Point, Row
from harness.report.model import PlotKind
from harness.report.rules import SYMBOLS, build_rule, formats, unit_of
from harness.report.text import anchor, one_line

OUTCOMES: dict[Decision, Outcome] = {
    "PROMOTE": "pass",
    "BLOCK": "fail",
    "INCONCLUSIVE": "inconclusive",
    "INVALID": "invalid",
}
_WORST: tuple[Outcome | None, ...] = ("invalid", "fail", "inconclusive", "pass", None)
SCALES: dict[PlotKind, float] = {"share": 100.0, "time": 1000.0}
Judged = TypeVar("Judged", Row, RuleResult)
_NAME, _METRIC, _REASON, _DIGEST = 60, 120, 300, 8


def build_history(history: History) -> HistoryView:
    """Everything that a page on the history shows."""
    gates = history.gates
    changed = [False, *(old.suite_version != new.suite_version for old, new in pairwise(gates))]
    rows = [_gate_row(gate, new) for gate, new in zip(gates, changed, strict=True)]
    courses = (_course(metric, gates) for metric in history.metrics())
    first, last = rows[0].created, rows[-1].created
    alphas = sorted({gate.alpha for gate in gates})
    return HistoryView(
        suite=one_line(history.suite, _NAME),
        gates=tuple(reversed(rows)),
        courses=tuple(courses),
        marks=tuple(sorted(_marks(gates), key=lambda mark: mark.at)),
        versions=len({gate.suite_version for gate in gates}),
        span=first if first == last else f"{first} to {last}",
        confidence=" or ".join(f"{100 * (1 - 2 * alpha):g}%" for alpha in reversed(alphas)),
    )


def _marks(gates: Sequence[HeldGate]) -> Iterator[Mark]:
    for gate in gates:
        for promotion in gate.promotions:
            yield Mark(instant(promotion.sealed), one_line(promotion.name, 24), True)
    for old, new in pairwise(gates):
        if old.suite_version != new.suite_version:
            yield Mark(between(old.at, new.at), "suite changed", False)


def between(early: datetime, late: datetime) -> datetime:
    """The middle of two moments."""
    return early + (late - early) / 2


def _gate_row(gate: HeldGate, changed: bool) -> GateRow:
    outcome = OUTCOMES[gate.verdict]
    return GateRow(
        at=gate.at,
        created=_when(gate),
        candidate=one_line(gate.candidate, _NAME),
        baseline=one_line(gate.baseline, _NAME),
        verdict=gate.verdict,
        outcome=outcome,
        symbol=SYMBOLS[outcome],
        reason=one_line(gate.reason, _REASON),
        promoted=tuple(
            f"{one_line(made.name, _NAME)}, {numbers.moment(made.sealed)}"
            for made in gate.promotions
        ),
        version=_short(gate.suite_version),
        changed=changed,
    )


def _when(gate: HeldGate) -> str:
    return f"{gate.at:%Y-%m-%d %H:%M} UTC"


def _short(version: str) -> str:
    return one_line(version.removeprefix("sha256:"))[:_DIGEST]


def _course(metric: str, gates: Sequence[HeldGate]) -> Course:
    own = [gate for gate in gates if metric in gate.metrics or gate.rules_on(metric)]
    changed = [False, *(old.suite_version != new.suite_version for old, new in pairwise(own))]
    groups = [_rows(metric, gate, new) for gate, new in zip(own, changed, strict=True)]
    last = _worst(groups[-1])
    points = tuple(filter(None, (_point(metric, gate) for gate in own)))
    return Course(
        name=one_line(metric, _METRIC),
        anchor=anchor(metric, 0).replace("case-", "metric-", 1),
        kind=unit_of(metric),
        points=points,
        rows=tuple(row for rows in reversed(groups) for row in rows),
        last=last,
        latest=_latest(last),
        gates=len(own),
    )


def _worst(told: Sequence[Judged]) -> Judged:
    """Of several rules on a metric the one that came out worst, which speaks for all."""
    return min(told, key=lambda one: _WORST.index(one.outcome))


def _latest(last: Row) -> str:
    told = "" if last.outcome is None else f", {last.outcome}"
    if last.value == numbers.NONE:
        return f"no value at the latest gate{told}"
    return f"{last.value} at the latest gate, the baseline {last.baseline}{told}"


def _rows(metric: str, gate: HeldGate, changed: bool) -> list[Row]:
    """A row for each rule on the metric; the first says whether the suite is a new one."""
    rules = gate.rules_on(metric)
    if not rules:
        return [_row(metric, gate, None, changed)]
    return [_row(metric, gate, rule, changed and not place) for place, rule in enumerate(rules)]


def _row(metric: str, gate: HeldGate, rule: RuleResult | None, changed: bool) -> Row:
    form = formats(unit_of(metric))
    values = gate.metrics.get(metric, Values())
    shown = None if rule is None else build_rule(rule)
    return Row(
        created=_when(gate),
        candidate=one_line(gate.candidate, _NAME),
        baseline_name=one_line(gate.baseline, _NAME),
        value=form(values.candidate) if shown is None else shown.candidate,
        baseline=form(values.baseline) if shown is None else shown.baseline,
        requirement="no rule" if shown is None else shown.requirement,
        estimate=numbers.NONE if shown is None else shown.estimate,
        interval="" if shown is None else shown.interval,
        limit=numbers.NONE if shown is None else shown.limit,
        outcome=None if shown is None else shown.outcome,
        symbol="" if shown is None else shown.symbol,
        version=_short(gate.suite_version),
        changed=changed,
    )


def _point(metric: str, gate: HeldGate) -> Point | None:
    values = gate.metrics.get(metric)
    if values is None or values.candidate is None:
        return None
    scale = SCALES[unit_of(metric)]
    rules = gate.rules_on(metric)
    rule = _worst(rules) if rules else None
    low, high, limit = (None, None, None) if rule is None else _bounds(rule, values.baseline, scale)
    return Point(
        at=gate.at,
        version=gate.suite_version,
        value=scale * values.candidate,
        baseline=None if values.baseline is None else scale * values.baseline,
        low=low,
        high=high,
        limit=limit,
        good_above=rule is None or kind_of(rule).good_above(rule),
        outcome=None if rule is None else rule.outcome,
        promoted=bool(gate.promotions),
    )


def _bounds(rule: RuleResult, baseline: float | None, scale: float) -> list[float | None]:
    """Where the ends of a rule's interval and its limit lie on the axis of the metric's values."""
    found = []
    for bound in (rule.ci_low, rule.ci_high, rule.limit):
        placed = kind_of(rule).in_value(bound, baseline)
        found.append(None if placed is None else scale * placed)
    return found
