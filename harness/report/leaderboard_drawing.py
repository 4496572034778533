"""Every candidate's difference to the baseline, metric by metric, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.lineup.model import Gap, LineupView, MetricCell
from harness.svg import Colour, Drawing, Marker
from harness.svg_axes import Scale, draw_bottom_axis, even_ticks

_TITLE = "Difference to the baseline, percentage points"
# By direction, so that none is told by its colour alone.
_MARKERS: dict[str, Marker] = {"better": "up", "worse": "down", "": "circle"}
_COLOURS: dict[str, Colour] = {"better": "pass", "worse": "fail", "": "muted"}


@dataclass(frozen=True, slots=True)
class GapLayout:
    """Sizes in CSS pixels; a `row` is one candidate, a `head` the metric above it."""

    name: str
    width: int
    left: int
    right: int
    row: int
    head: int
    most: int


WIDE = GapLayout("wide", 1060, left=250, right=250, row=24, head=30, most=8)
NARROW = GapLayout("narrow", 340, left=12, right=12, row=40, head=28, most=5)
_TOP, _BOTTOM = 30, 30


def render_gaps(view: LineupView, layout: GapLayout) -> str:
    """The drawing as an SVG, empty where no difference could be computed."""
    gaps = [cell.gap for row in view.metrics for cell in row.cells if cell.gap is not None]
    if not gaps:
        return ""
    inner = sum(layout.head + layout.row * len(row.cells) for row in view.metrics)
    drawing = Drawing(layout.width, _TOP + inner + _BOTTOM)
    scale = _scale(gaps, layout)
    drawing.text(_TITLE, (0, _TOP - 14), "muted", 11.5)
    zero = scale(0.0)
    drawing.line([(zero, _TOP), (zero, _TOP + inner)], "line", 1.2)
    y = float(_TOP)
    for row in view.metrics:
        drawing.text(row.name[:48], (0, y + layout.head / 2 + 8), "ink", 12.5, bold=True)
        y += layout.head
        for one, cell in zip(view.contenders, row.cells, strict=True):
            _draw_cell(drawing, scale, one.name, cell, y + layout.row / 2, layout)
            y += layout.row
    ticks = even_ticks(scale.low, scale.high, layout.most)
    labels = [f"{tick:+g}".replace("-", "−") if tick else "0" for tick in ticks]
    draw_bottom_axis(drawing, scale, _TOP + inner, zip(ticks, labels, strict=True), 10.5)
    told = "; ".join(
        f"{row.name}: "
        + ", ".join(
            f"{one.name} {cell.difference} ({cell.interval})"
            for one, cell in zip(view.contenders, row.cells, strict=True)
        )
        for row in view.metrics
    )
    return drawing.render(f"gaps-{layout.name}", _TITLE, told)


def _scale(gaps: Sequence[Gap], layout: GapLayout) -> Scale:
    low = min(0.0, *(gap.low for gap in gaps))
    high = max(0.0, *(gap.high for gap in gaps))
    room = max(0.06 * (high - low), (4.0 - (high - low)) / 2)
    low, high = max(low - room, -104.0), min(high + room, 104.0)
    return Scale(low, high, layout.left, layout.width - layout.right)


def _draw_cell(
    drawing: Drawing, scale: Scale, name: str, cell: MetricCell, middle: float, layout: GapLayout
) -> None:
    told = f"{cell.difference} ({cell.interval})" if cell.interval else cell.difference
    if layout is WIDE:
        y = middle
        drawing.text(name[:34], (14, y + 4), "ink", 11.5)
        drawing.text(told, (scale.end + 18, y + 4), "muted", 11)
    else:
        y = middle + 8
        drawing.text(name[:34], (4, middle - 4), "ink", 11.5)
        drawing.text(told, (scale.end, middle - 4), "muted", 10, anchor="end")
    if cell.gap is None:
        return
    colour = _COLOURS[cell.direction]
    drawing.line([(scale.pixel(cell.gap.low), y), (scale.pixel(cell.gap.high), y)], colour, 2.2)
    at = (scale.pixel(cell.gap.estimate), y)
    drawing.marker(_MARKERS[cell.direction], at, 8, colour, edge_width=0.8)
