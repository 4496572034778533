"""The history of a suite for reports: its gates, and each metric's values over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from harness.records.history import HeldGate, History, Values, instant
from harness.records.verdict import OUTCOMES, Outcome, RuleResult
from harness.report import formats
from harness.report.content import confidence
from harness.report.rules import (
    WORST_FIRST,
    completed,
    headline,
    numbers_of,
    own_value,
    unit_of,
)
from harness.report.text import anchor
from harness.visible_text import one_line

_DIGEST = 8


@dataclass(frozen=True, slots=True)
class GateOfSuite:
    """A gate; `changed` says that the suite is another one than at the gate before."""

    record: HeldGate
    changed: bool

    @property
    def when(self) -> str:
        """When the verdict was given."""
        return f"{self.record.at:%Y-%m-%d %H:%M} UTC"

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, with a rule's numbers as reports have them."""
        told = self.record.reason
        rule = next((rule for rule in self.record.rules if rule.reason == told), None)
        if rule is None or rule.estimate is None or rule.outcome != self.outcome:
            return one_line(told, 300)
        return f"{headline(rule).rstrip('.')}: {numbers_of(completed(rule))}"

    @property
    def version(self) -> str:
        """The beginning of the suite's digest."""
        return one_line(self.record.suite_version.removeprefix("sha256:"))[:_DIGEST]

    @property
    def outcome(self) -> Outcome:
        """The verdict as the outcome of a rule, for its colour and mark."""
        return OUTCOMES[self.record.verdict]


@dataclass(frozen=True, slots=True)
class CourseRow:
    """One rule on a metric at one gate, or the metric alone where no rule is on it."""

    gate: GateOfSuite
    metric: str
    rule: RuleResult | None
    changed: bool

    @property
    def values(self) -> tuple[str, str]:
        """The candidate's and the baseline's value."""
        if self.rule is not None:
            rule = self.rule
            return own_value(rule, rule.candidate), own_value(rule, rule.baseline)
        found = self.gate.record.metrics.get(self.metric, Values())
        form = formats.unit_named(unit_of(self.metric, found.definition)).value
        return form(found.candidate), form(found.baseline)


@dataclass(frozen=True)
class Course:
    """A metric over all gates that have it, the oldest first."""

    metric: str
    gates: tuple[GateOfSuite, ...]

    @property
    def name(self) -> str:
        """The metric's name, cut where it is very long."""
        return one_line(self.metric, 120)

    @property
    def unit(self) -> str:
        """The unit of the metric's values, as it is defined at the latest gate that has one."""
        values = (gate.record.metrics.get(self.metric) for gate in reversed(self.gates))
        definition = next((found.definition for found in values if found is not None), None)
        return unit_of(self.metric, definition)

    @property
    def anchor(self) -> str:
        """The id of the metric's part of a page."""
        return anchor(self.metric, 0).replace("case-", "metric-", 1)

    @cached_property
    def rows(self) -> tuple[CourseRow, ...]:
        """A row for each rule at each gate, the newest gate first."""
        return tuple(row for gate in reversed(self.gates) for row in self._rows_at(gate))

    @cached_property
    def last(self) -> CourseRow:
        """The row of the latest gate, of several rules the one that came out worst."""
        rows = self._rows_at(self.gates[-1])
        rule = worst([row.rule for row in rows if row.rule is not None])
        return next(row for row in rows if row.rule is rule)

    @property
    def latest(self) -> str:
        """The metric's values at the latest gate, in words."""
        ours, theirs = self.last.values
        outcome = "" if self.last.rule is None else f", {self.last.rule.outcome}"
        if ours == formats.NONE:
            return f"no value at the latest gate{outcome}"
        return f"{ours} at the latest gate, the baseline {theirs}{outcome}"

    def _rows_at(self, gate: GateOfSuite) -> list[CourseRow]:
        # The first says whether the suite is a new one.
        rules: Iterable[RuleResult | None] = map(completed, gate.record.rules_on(self.metric))
        return [
            CourseRow(gate, self.metric, rule, gate.changed and not place)
            for place, rule in enumerate(list(rules) or [None])
        ]


def worst(rules: Sequence[RuleResult]) -> RuleResult | None:
    """Of several rules on a metric the one that came out worst, which speaks for all."""
    return min(rules, key=lambda rule: WORST_FIRST.index(rule.outcome), default=None)


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment that is marked in every drawing: a promotion, or a change of the suite."""

    at: datetime
    label: str
    is_promotion: bool


@dataclass(frozen=True)
class HistoryContent:
    """A history, arranged once for all formats."""

    history: History

    @cached_property
    def gates(self) -> tuple[GateOfSuite, ...]:
        """The gates, the newest first."""
        return tuple(reversed(_with_changes(self.history.gates)))

    @cached_property
    def courses(self) -> tuple[Course, ...]:
        """Each metric's course."""
        held = {
            metric: [g for g in self.history.gates if metric in g.metrics or g.rules_on(metric)]
            for metric in self.history.metrics()
        }
        return tuple(Course(metric, _with_changes(gates)) for metric, gates in held.items())

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """What is marked in every drawing, in the order of time."""
        gates = self.history.gates
        marks = [
            Mark(instant(promotion.sealed), one_line(promotion.name, 200), True)
            for gate in gates
            for promotion in gate.promotions
        ]
        marks += [
            Mark(between(old.at, new.at), "suite changed", False)
            for old, new in pairwise(gates)
            if old.suite_version != new.suite_version
        ]
        return tuple(sorted(marks, key=lambda mark: mark.at))

    @property
    def versions(self) -> int:
        """How many versions of the suite there are."""
        return len({gate.suite_version for gate in self.history.gates})

    @property
    def span(self) -> str:
        """From the first gate to the last."""
        first, last = self.gates[-1].when, self.gates[0].when
        return first if first == last else f"{first} to {last}"

    @property
    def confidence(self) -> str:
        """The confidence of the intervals."""
        alphas = sorted({gate.alpha for gate in self.history.gates}, reverse=True)
        return " or ".join(map(confidence, alphas))


def _with_changes(gates: Sequence[HeldGate]) -> tuple[GateOfSuite, ...]:
    changed = [False, *(old.suite_version != new.suite_version for old, new in pairwise(gates))]
    return tuple(GateOfSuite(gate, new) for gate, new in zip(gates, changed, strict=True))


def between(early: datetime, late: datetime) -> datetime:
    """The middle of two moments."""
    return early + (late - early) / 2
