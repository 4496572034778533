"""The forest plot: every rule's estimate, interval and limit, one panel for each scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.records.verdict import Outcome
from harness.report.model import PlotKind, PlotRow, ReportView
from harness.svg import Drawing, Marker
from harness.svg_axes import Scale, draw_bottom_axis, even_ticks, plain_labels

_TITLES: dict[PlotKind, str] = {
    "difference": "Difference to the baseline, percentage points",
    "share": "The candidate's own value, %",
    "time": "The candidate's own value, ms",
    "ratio": "Candidate divided by baseline",
}
# Told apart without colour too.
MARKERS: dict[Outcome, Marker] = {
    "pass": "circle",
    "fail": "cross",
    "inconclusive": "diamond",
    "invalid": "square",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes in CSS pixels. A stacked layout writes each rule's words above its line."""

    name: str
    width: int
    left: int
    right: int
    row: int
    stacked: bool


WIDE = Layout("wide", width=1060, left=330, right=290, row=42, stacked=False)
NARROW = Layout("narrow", width=340, left=14, right=14, row=84, stacked=True)

_HEAD, _FOOT = 30, 34


def render_forest(view: ReportView, layout: Layout = WIDE) -> str:
    """The plot as an SVG element fit to stand inside a page, empty where no rule has numbers."""
    rows = [rule.plot for rule in view.rules if rule.plot is not None]
    panels = [(kind, [row for row in rows if row.kind == kind]) for kind in _TITLES]
    panels = [(kind, own) for kind, own in panels if own]
    if not panels:
        return ""
    height = sum(_HEAD + _FOOT + layout.row * len(own) for _, own in panels)
    drawing = Drawing(layout.width, height)
    top = 0
    for kind, own in panels:
        _draw_panel(drawing, kind, own, layout, top)
        top += _HEAD + _FOOT + layout.row * len(own)
    told = "; ".join(f"{row.label}: {row.numbers}, {row.outcome}" for row in rows)
    title = "Estimate, interval and limit of every rule"
    return drawing.render(f"forest-{layout.name}", title, told, "forest")


def _draw_panel(
    drawing: Drawing, kind: PlotKind, rows: Sequence[PlotRow], layout: Layout, top: int
) -> None:
    low, high = axis_range(rows)
    scale = Scale(low, high, layout.left, layout.width - layout.right)
    first, last = top + _HEAD, top + _HEAD + layout.row * len(rows)
    drawing.text(_TITLES[kind], (0, first - 9), "muted", 11.5)
    reference = {"difference": 0.0, "ratio": 1.0}.get(kind)
    for place, row in enumerate(rows):
        middle = first + layout.row * (place + 0.5)
        if reference is not None and low <= reference <= high:
            # Not through the words of a stacked row.
            above = middle + layout.row * (0.12 if layout.stacked else -0.5)
            x = scale(reference)
            drawing.line([(x, above), (x, middle + layout.row / 2)], "line", 1.2)
        # In a stacked row the words take the upper part and the interval the lower.
        _draw_interval(drawing, scale, row, middle + 0.3 * layout.row * layout.stacked, layout)
        _write_words(drawing, row, middle, layout)
    ticks = even_ticks(low, high, 5 if layout.stacked else 8)
    draw_bottom_axis(drawing, scale, last, zip(ticks, plain_labels(ticks), strict=True), 10.5)


def _draw_interval(drawing: Drawing, scale: Scale, row: PlotRow, y: float, layout: Layout) -> None:
    half = layout.row * (0.13 if layout.stacked else 0.34)
    if row.limit is not None:
        limit = scale.pixel(row.limit)
        ends = (limit, scale.end) if row.good_above else (scale.start, limit)
        drawing.box(ends[0], y - half, ends[1], y + half, "allowed")
        drawing.line([(limit, y - half), (limit, y + half)], "ink", 1.6)
    if row.low is not None or row.high is not None:
        low = scale.start if row.low is None else scale.pixel(row.low)
        high = scale.end if row.high is None else scale.pixel(row.high)
        drawing.line([(low, y), (high, y)], row.outcome, 2.4)
        for end in (row.low, row.high):
            if end is not None and math.isfinite(end):
                x, cap = scale.pixel(end), half * 0.42
                drawing.line([(x, y - cap), (x, y + cap)], row.outcome, 2.0)
    marker = MARKERS[row.outcome] if math.isfinite(row.estimate) else "right"
    drawing.marker(marker, (scale.pixel(row.estimate), y), 9, row.outcome)


def _write_words(drawing: Drawing, row: PlotRow, middle: float, layout: Layout) -> None:
    if layout.stacked:
        title = f"{row.outcome.upper()}  {row.label}"
        drawing.text(title, (0, middle - 28), row.outcome, 12, bold=True)
        drawing.text(row.requirement, (0, middle - 13), "muted", 11)
        drawing.text(row.numbers, (0, middle + 2), "ink", 11)
        return
    right = layout.width - layout.right + 18
    drawing.text(row.label, (0, middle - 2), "ink", 13, bold=True)
    drawing.text(row.requirement, (0, middle + 13), "muted", 11.5)
    drawing.text(row.outcome, (right, middle - 2), row.outcome, 13, bold=True)
    drawing.text(row.numbers, (right, middle + 13), "ink", 11.5)


def axis_range(rows: Sequence[PlotRow]) -> tuple[float, float]:
    """The ends of a panel's axis: everything drawn in it with room on both sides."""
    kind = rows[0].kind
    seen = [row.estimate for row in rows]
    seen += [v for row in rows for v in (row.low, row.high, row.limit) if v is not None]
    seen += {"difference": [0.0], "ratio": [1.0]}.get(kind, [])
    seen = [value for value in seen if math.isfinite(value)] or [0.0]
    low, high = min(seen), max(seen)
    floor = {"difference": 4.0, "share": 10.0, "ratio": 0.2}.get(kind, abs(high) * 0.2 or 1.0)
    room = max(0.08 * (high - low), (floor - (high - low)) / 2)
    low, high = low - room, high + room
    if kind == "share":
        # A value at the very edge needs room for its marker.
        return max(low, -3.0), min(high, 103.0)
    if kind == "difference":
        return max(low, -104.0), min(high, 104.0)
    return (max(low, 0.0) if min(seen) >= 0 else low), high
