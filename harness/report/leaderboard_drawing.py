"""Every candidate's difference to the baseline, metric by metric, on one scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.records.leaderboard import PairedDifference
from harness.report.formats import UNITS, Unit, unit_named
from harness.report.leaderboard_text import (
    Direction,
    LeaderboardContent,
    difference_words,
    interval_words,
)
from harness.report.text import one_line
from harness.svg import Colour, Drawing, Marker
from harness.svg_axes import Scale, draw_bottom_axis, even_ticks

Differences = tuple[PairedDifference | None, ...]

_TITLE = "Difference to the baseline"
# By direction, so that none is recognised by its colour alone.
_MARKERS: dict[Direction, Marker] = {"better": "up", "worse": "down", "": "circle"}
_COLOURS: dict[Direction, Colour] = {"better": "pass", "worse": "fail", "": "muted"}


@dataclass(frozen=True, slots=True)
class GapLayout:
    """Sizes in CSS pixels; a `row` is one candidate, a `head` the metric above it.

    An interval lies `drop` below the middle of its row.
    """

    name: str
    width: int
    left: int
    right: int
    row: int
    head: int
    most: int
    drop: int


WIDE = GapLayout("wide", 1060, left=250, right=250, row=24, head=30, most=8, drop=0)
NARROW = GapLayout("narrow", 340, left=12, right=12, row=40, head=28, most=5, drop=8)
_TOP, _BOTTOM = 30, 30


def render_gaps(content: LeaderboardContent, layout: GapLayout) -> str:
    """The drawing as an SVG, empty where no difference could be computed."""
    panels = _panels(content.metrics)
    if not panels:
        return ""
    rows = len(content.leaderboard.entries) * layout.row + layout.head
    height = sum(_TOP + _BOTTOM + rows * len(metrics) for metrics in panels.values())
    drawing = Drawing(layout.width, height)
    top = float(_TOP)
    for unit, metrics in panels.items():
        _draw_panel(drawing, content, unit_named(unit), metrics, layout, top)
        top += _TOP + _BOTTOM + rows * len(metrics)
    entries = content.leaderboard.entries
    description = "; ".join(
        f"{one_line(name, 200)}: "
        + ", ".join(
            f"{one_line(entry.name, 60)} {difference_words(found)} ({interval_words(found)})"
            for entry, found in zip(entries, differences, strict=True)
        )
        for name, differences in content.metrics.items()
    )
    return drawing.render(f"gaps-{layout.name}", _TITLE, description)


def _panels(metrics: Mapping[str, Differences]) -> dict[str, dict[str, Differences]]:
    """The metrics by their unit, because two units share no scale; those without numbers last."""
    panels: dict[str, dict[str, Differences]] = {}
    for name, differences in metrics.items():
        unit = next(found.metric.unit for found in differences if found is not None)
        panels.setdefault(unit, {})[name] = differences
    known = (one for each in metrics.values() for one in each if one and one.estimate is not None)
    return panels if any(known) else {}


def _draw_panel(
    drawing: Drawing,
    content: LeaderboardContent,
    unit: Unit,
    metrics: Mapping[str, Differences],
    layout: GapLayout,
    top: float,
) -> None:
    entries = content.leaderboard.entries
    height = len(metrics) * (layout.head + layout.row * len(entries))
    scale = _scale(unit, metrics.values(), layout)
    title = f"Difference to the baseline, {unit.difference_axis}"
    drawing.text(title, (0, top - 14), "muted", 11.5)
    drawing.line([(scale(0.0), top), (scale(0.0), top + height)], "line", 1.2)
    y = top
    for name, differences in metrics.items():
        drawing.text(one_line(name)[:48], (0, y + layout.head / 2 + 8), "ink", 12.5, bold=True)
        y += layout.head
        for entry, found in zip(entries, differences, strict=True):
            middle = y + layout.row / 2
            _write_words(drawing, scale, entry.name, found, middle, layout)
            _draw_gap(drawing, scale, unit, found, content.direction(found), middle + layout.drop)
            y += layout.row
    ticks = even_ticks(scale.low, scale.high, layout.most)
    labels = [f"{tick:+g}".replace("-", "−") if tick else "0" for tick in ticks]
    draw_bottom_axis(drawing, scale, top + height, zip(ticks, labels, strict=True), 10.5)


def _scale(unit: Unit, metrics: Iterable[Differences], layout: GapLayout) -> Scale:
    found = [one for differences in metrics for one in differences if one is not None]
    ends = [unit.factor * end for one in found for end in (one.low, one.high) if end is not None]
    low, high = min(0.0, *ends), max(0.0, *ends)
    share = unit is UNITS["share"]
    floor = 4.0 if share else 0.2 * max(abs(low), abs(high)) or 1.0
    room = max(0.06 * (high - low), (floor - (high - low)) / 2)
    low, high = low - room, high + room
    if share:
        low, high = max(low, -104.0), min(high, 104.0)
    return Scale(low, high, layout.left, layout.width - layout.right)


def _write_words(
    drawing: Drawing,
    scale: Scale,
    name: str,
    found: PairedDifference | None,
    middle: float,
    layout: GapLayout,
) -> None:
    label, span = one_line(name, 60)[:34], interval_words(found)
    description = f"{difference_words(found)} ({span})" if span else difference_words(found)
    if layout is WIDE:
        drawing.text(label, (14, middle + 4), "ink", 11.5)
        drawing.text(description, (scale.end + 18, middle + 4), "muted", 11)
    else:
        drawing.text(label, (4, middle - 4), "ink", 11.5)
        drawing.text(description, (scale.end, middle - 4), "muted", 10, anchor="end")


def _draw_gap(
    drawing: Drawing,
    scale: Scale,
    unit: Unit,
    found: PairedDifference | None,
    direction: Direction,
    y: float,
) -> None:
    if found is None or found.estimate is None or found.low is None or found.high is None:
        return
    colour = _COLOURS[direction]
    ends = [(scale.pixel(unit.factor * end), y) for end in (found.low, found.high)]
    drawing.line(ends, colour, 2.2)
    at = (scale.pixel(unit.factor * found.estimate), y)
    drawing.marker(_MARKERS[direction], at, 8, colour, edge_width=0.8)
