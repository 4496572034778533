"""Drawings over time: the verdicts of a suite's gates, and the values of one metric."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby, pairwise
from typing import Literal

from harness.records.rule import kind_of
from harness.records.verdict import OUTCOMES, Decision, Outcome
from harness.report.forest import MARKERS
from harness.report.formats import unit_named
from harness.report.history_text import Course, HistoryContent, Mark, between, worst
from harness.report.rules import good_above
from harness.svg import Colour, Drawing
from harness.svg_axes import (
    Scale,
    draw_bottom_axis,
    draw_left_axis,
    even_ticks,
    padded,
    time_labels,
    time_range,
    time_ticks,
)
from harness.visible_text import one_line

LANES: tuple[Decision, ...] = ("PROMOTE", "INCONCLUSIVE", "BLOCK", "INVALID")
_ROWS, _ROW_HEIGHT = 5, 15
_LETTER = 6.6  # a letter's width, about
_BELOW, _ABOVE = 40, 10
_OVER = 3  # how far a label reaches beyond its mark
_MOST = 24  # letters of a label


@dataclass(frozen=True, slots=True)
class TimeLayout:
    """Sizes in CSS pixels; `height` is that of the axes alone."""

    name: str
    width: int
    height: int
    left: int
    right: int
    marker: float
    ticks: int


WIDE = TimeLayout("wide", 1060, 210, left=108, right=24, marker=8.0, ticks=9)
NARROW = TimeLayout("narrow", 340, 180, left=52, right=14, marker=6.5, ticks=4)
LAYOUTS = (WIDE, NARROW)


@dataclass(frozen=True, slots=True)
class _Label:
    """A mark's label; it ends at its mark if `turned`, and `row` is −1 where none is free."""

    mark: Mark
    text: str
    x: float
    row: int
    turned: bool


@dataclass(frozen=True)
class Frame:
    """The axis of time of all gates at one size, the same in every drawing of a page."""

    content: HistoryContent
    layout: TimeLayout

    @cached_property
    def range(self) -> tuple[datetime, datetime]:
        """The ends of the axis of time."""
        moments = (gate.record.at for gate in self.content.gates)
        return time_range([*moments, *(mark.at for mark in self.content.marks)])

    @cached_property
    def time(self) -> Scale:
        """The scale of moments in seconds since 1970."""
        low, high = (end.timestamp() for end in self.range)
        return Scale(low, high, self.layout.left, self.layout.width - self.layout.right)

    def across(self, moment: datetime) -> float:
        """The pixel of a moment."""
        return self.time(moment.timestamp())

    @property
    def top(self) -> float:
        """The upper end of the axes, below the labels of the marks."""
        return _ABOVE + _ROW_HEIGHT * (1 + max((each.row for each in self._labels), default=-1))

    @property
    def bottom(self) -> float:
        """The lower end of the axes."""
        return self.top + self.layout.height

    def new_drawing(self) -> Drawing:
        """A drawing as high as the axes and the labels of their marks."""
        return Drawing(self.layout.width, self.bottom + _BELOW)

    def draw_time_axis(self, drawing: Drawing) -> None:
        """Draw the axis of time with the labels that fit into the drawing."""
        ticks = time_ticks(*self.range, self.layout.ticks)
        kept, free = [], 0.0
        for tick, label in zip(ticks, time_labels(ticks), strict=True):
            half, x = _LETTER * max(map(len, label.split("\n"))) / 2, self.across(tick)
            # Days are not evenly spread: the 31st is beside the 1st.
            if free <= x - half and x + half <= self.layout.width:
                kept.append((tick.timestamp(), label))
                free = x + half
        draw_bottom_axis(drawing, self.time, self.bottom, kept)

    @cached_property
    def _labels(self) -> list[_Label]:
        """The label of each mark, in the lowest row that is free there."""
        ends = [float("-inf")] * _ROWS
        placed = []
        for mark in self.content.marks:
            label = one_line(mark.label, _MOST)
            text = f"▲ {label}" if mark.is_promotion else label
            x, wide = self.across(mark.at), _LETTER * len(text) + 4
            turned = x + wide > self.layout.width
            begin = x - wide + _OVER if turned else x - _OVER
            row = next((row for row, taken in enumerate(ends) if taken <= begin), -1)
            if row >= 0:
                ends[row] = begin + wide
            placed.append(_Label(mark, text, x, row, turned))
        return placed

    def draw_marks(self, drawing: Drawing) -> None:
        """Draw a line at each change of the suite and, above those, at each promotion."""
        for label in sorted(self._labels, key=lambda label: label.mark.is_promotion):
            promotion, x = label.mark.is_promotion, label.x
            colour: Colour = "candidate" if promotion else "muted"
            ends, dash = [(x, self.top), (x, self.bottom)], "" if promotion else "2.4 3.6"
            drawing.line(ends, colour, 1.2, dash=dash)
            at = (x + _OVER if label.turned else x - _OVER, self.top - 5 - _ROW_HEIGHT * label.row)
            if label.row >= 0:
                anchor: Literal["start", "end"] = "end" if label.turned else "start"
                drawing.text(label.text, at, colour, 11, anchor=anchor, whole=label.mark.label)


def render_verdicts(frame: Frame) -> str:
    """Every gate in the lane of its verdict, over time, as an SVG."""
    layout, drawing = frame.layout, frame.new_drawing()
    lanes = Scale(-0.5, len(LANES) - 0.5, frame.top, frame.bottom)
    frame.draw_marks(drawing)
    for place, lane in enumerate(LANES):
        y, colour = lanes(place), OUTCOMES[lane]
        drawing.line([(frame.time.start, y), (frame.time.end, y)], "line", 0.8)
        if layout is WIDE:
            drawing.text(lane, (layout.left - 8, y + 4), colour, 11, anchor="end", bold=True)
        else:  # On a narrow page there is no room beside the lanes.
            drawing.text(lane, (4, y - 13), colour, 11, bold=True)
        for gate in frame.content.gates:
            if gate.record.verdict == lane:
                at = (frame.across(gate.record.at), y)
                drawing.marker(MARKERS[colour], at, layout.marker + 2, colour, edge_width=0.8)
    frame.draw_time_axis(drawing)
    description = "; ".join(
        f"{gate.when}: {one_line(gate.record.candidate, 60)} {gate.record.verdict}"
        for gate in reversed(frame.content.gates)
    )
    return drawing.render(f"verdicts-{layout.name}", "Verdicts over time", description)


def render_course(frame: Frame, place: int) -> str:
    """The course of a metric over time as an SVG, empty where no gate has a value of it."""
    course = frame.content.courses[place]
    points = points_of(course)
    if not points:
        return ""
    share, tick_unit = course.unit == "share", unit_named(course.unit).tick
    low, high = _value_range(points, share=share)
    up = Scale(low, high, frame.bottom, frame.top)
    ticks = [tick for tick in even_ticks(low, high, 6) if not share or 0 <= tick <= 100]
    drawing = frame.new_drawing()
    cells = list(zip(points, *_stretches(points, frame), strict=True))
    for point, left, right in cells:
        if point.limit is not None:
            limit = up.pixel(point.limit)
            ends = (up.end, limit) if point.good_above else (limit, up.start)
            drawing.box(left, ends[0], right, ends[1], "allowed")
    labels = [(tick, f"{tick:g}{tick_unit}") for tick in ticks]
    draw_left_axis(drawing, up, frame.time, labels)
    frame.draw_marks(drawing)
    for point, left, right in cells:
        if point.limit is not None:
            limit = up.pixel(point.limit)
            drawing.line([(left, limit), (right, limit)], "ink", 1.4)
        if point.baseline is not None:
            level = up(point.baseline)
            drawing.line([(left, level), (right, level)], "baseline", 1.6, dash="8 3.2")
    for _, run in groupby(points, key=lambda point: point.version):
        joined = [(frame.across(point.at), up(point.value)) for point in run]
        if len(joined) > 1:
            drawing.line(joined, "muted", 1.1)
    for point in points:
        _draw_point(drawing, frame.across(point.at), up, point, frame.layout.marker)
    frame.draw_time_axis(drawing)
    description = f"{course.latest}; the table below has all numbers"
    name = f"course-{place}-{frame.layout.name}"
    return drawing.render(name, f"{course.name} over time", description)


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """A metric at one gate, on the scale of its axis.

    `low`, `high` and `limit` are those of the rule that came out worst; a rule on a difference or
    a ratio is set off from the baseline's value. `outcome` is None where no rule is on it.
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


def points_of(course: Course) -> list[CoursePoint]:
    """The course's points by time, without gates that have no value."""
    unit, points = unit_named(course.unit), []
    for gate in (each.record for each in course.gates):
        values, rule = gate.metrics.get(course.metric), worst(gate.rules_on(course.metric))
        if values is None or values.candidate is None:
            continue
        bounds: Iterable[float | None] = (None, None, None)
        if rule is not None:
            kind, ends = kind_of(rule), (rule.ci_low, rule.ci_high, rule.limit)
            bounds = (kind.in_value(end, values.baseline) for end in ends)
        low, high, limit = map(unit.scaled, bounds)
        points.append(
            CoursePoint(
                at=gate.at,
                version=gate.suite_version,
                value=unit.factor * values.candidate,
                baseline=unit.scaled(values.baseline),
                low=low,
                high=high,
                limit=limit,
                good_above=rule is None or good_above(rule),
                outcome=None if rule is None else rule.outcome,
                promoted=bool(gate.promotions),
            )
        )
    return points


def _stretches(points: Sequence[CoursePoint], frame: Frame) -> tuple[list[float], list[float]]:
    """Where the time that is nearer to each point than to any other begins and ends, in pixels."""
    middles = [between(early.at, late.at) for early, late in pairwise(points)]
    begin, end = frame.range
    pixels = [frame.across(moment) for moment in (begin, *middles, end)]
    return pixels[:-1], pixels[1:]


def _draw_point(drawing: Drawing, x: float, up: Scale, point: CoursePoint, size: float) -> None:
    colour = point.outcome or "muted"
    y = up(point.value)
    if point.low is not None and point.high is not None:
        drawing.line([(x, up.pixel(point.low)), (x, up.pixel(point.high))], colour, 1.8)
        # Set off from the baseline's value, an interval may go beyond what the metric can be.
        for bound in (one for one in (point.low, point.high) if up.low <= one <= up.high):
            ends = [(x - size / 2, up(bound)), (x + size / 2, up(bound))]
            drawing.line(ends, colour, 1.6)
    if point.promoted:
        drawing.ring((x, y), size + 7, "candidate", 1.6)
    if point.outcome:
        drawing.marker(MARKERS[point.outcome], (x, y), size, colour, edge_width=0.8)
    else:
        drawing.marker("circle", (x, y), size / 2, colour, edge_width=0.8)


def _value_range(points: Sequence[CoursePoint], *, share: bool) -> tuple[float, float]:
    """The ends of the axis of values: everything drawn, with room on both sides."""
    seen = [
        bound
        for point in points
        for bound in (point.value, point.baseline, point.low, point.high, point.limit)
        if bound is not None
    ]
    low, high = padded(seen, 0.1, 20.0 if share else 0.4 * abs(max(seen)) or 1.0)
    if share and max(low, -4.0) < min(high, 104.0):
        return max(low, -4.0), min(high, 104.0)
    return max(low, 0.0) if min(seen) >= 0 else low, high
