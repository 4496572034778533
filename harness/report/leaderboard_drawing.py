"""Every candidate's difference to the baseline, metric by metric, on one scale."""

from __future__ import annotations

from collections.abc import Mapping

from harness.records.leaderboard import PairedDifference
from harness.report.forest import Layout, Panel, Row, draw_panels, value_range
from harness.report.formats import unit_named
from harness.report.leaderboard_text import (
    Direction,
    LeaderboardContent,
    difference_words,
    interval_words,
)
from harness.report.text import one_line
from harness.svg import Colour, Marker
from harness.svg_axes import even_ticks

Differences = tuple[PairedDifference | None, ...]

# By direction, so that none is recognised by its colour alone.
_MARKERS: dict[Direction, Marker] = {"better": "up", "worse": "down", "": "circle"}
_COLOURS: dict[Direction, Colour] = {"better": "pass", "worse": "fail", "": "muted"}

WIDE = Layout("wide", 1060, left=250, right=250, row=24, half=6, head=30, indent=14)
NARROW = Layout(
    "narrow", 340, left=12, right=12, row=40, half=5, head=28, indent=4, stacked=True, most=5
)


def render_gaps(content: LeaderboardContent, layout: Layout) -> str:
    """The drawing as an SVG, empty where no difference could be computed."""
    known = (one for each in content.metrics.values() for one in each if one is not None)
    if all(one.estimate is None for one in known):
        return ""
    # By unit, because two units share no scale.
    panels: dict[str, dict[str, Differences]] = {}
    for name, differences in content.metrics.items():
        unit = next(found.metric.unit for found in differences if found is not None)
        panels.setdefault(unit, {})[name] = differences
    drawing = draw_panels(
        [_panel(content, unit, metrics, layout) for unit, metrics in panels.items()], layout
    )
    entries = content.leaderboard.entries
    description = "; ".join(
        f"{one_line(name, 200)}: "
        + ", ".join(
            f"{one_line(entry.name, 60)} {_words(found)}"
            for entry, found in zip(entries, differences, strict=True)
        )
        for name, differences in content.metrics.items()
    )
    return drawing.render(f"gaps-{layout.name}", "Difference to the baseline", description)


def _words(found: PairedDifference | None) -> str:
    span = interval_words(found)
    return f"{difference_words(found)} ({span})" if span else difference_words(found)


def _panel(
    content: LeaderboardContent, name: str, metrics: Mapping[str, Differences], layout: Layout
) -> Panel:
    unit = unit_named(name)
    rows: list[Row] = []
    for metric, differences in metrics.items():
        head = one_line(metric)[:48]
        for entry, found in zip(content.leaderboard.entries, differences, strict=True):
            title, direction = one_line(entry.name, 60)[:34], content.direction(found)
            rows.append(_row(title, direction, found, unit.factor, head))
            head = ""
    low, high = value_range([end for row in rows for end in row.ends or ()], "difference", name)
    ticks = even_ticks(low, high, layout.most)
    labels = (f"{tick:+g}".replace("-", "−") if tick else "0" for tick in ticks)
    title = f"Difference to the baseline, {unit.difference_axis}"
    return Panel(title, rows, (low, high), zip(ticks, labels, strict=True), 0.0)


def _row(
    title: str, direction: Direction, found: PairedDifference | None, factor: float, head: str
) -> Row:
    ends, estimate = None, None
    if found and found.estimate is not None and found.low is not None and found.high is not None:
        ends, estimate = (factor * found.low, factor * found.high), factor * found.estimate
    colour, marker = _COLOURS[direction], _MARKERS[direction]
    return Row(title, _words(found), ends, estimate, colour, marker, head=head)
