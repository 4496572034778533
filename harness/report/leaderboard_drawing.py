"""The drawing of several candidates' differences to the baseline."""

from __future__ import annotations

from collections.abc import Mapping

from harness.records.leaderboard import PairedDifference
from harness.report import formats
from harness.report.forest import Layout, Panel, Row, draw_panels, value_range
from harness.report.leaderboard_content import (
    Differences,
    Direction,
    LeaderboardContent,
    difference_words,
)
from harness.svg import Colour, Marker
from harness.svg_axes import even_ticks
from harness.visible_text import one_line

# By direction, so that none is recognised by its colour alone.
_MARKERS: dict[Direction, Marker] = {"better": "up", "worse": "down", "": "circle"}
_COLOURS: dict[Direction, Colour] = {"better": "pass", "worse": "fail", "": "muted"}

GAP_LAYOUTS = (
    Layout("wide", 1060, left=250, right=250, row=24, half=6, head=30, indent=14, letters=34),
    Layout(
        "narrow", 340, left=12, right=12, row=40, half=4, head=28, indent=4, stacked=True, most=5
    ),
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
        [_gap_panel(content, unit, metrics, layout) for unit, metrics in panels.items()], layout
    )
    entries = content.leaderboard.entries
    description = "; ".join(
        f"{one_line(name, 200)}: "
        + ", ".join(
            f"{one_line(entry.name, 60)} {_gap_words(found)}"
            for entry, found in zip(entries, differences, strict=True)
        )
        for name, differences in content.metrics.items()
    )
    return drawing.render(f"gaps-{layout.name}", "Difference to the baseline", description)


def _gap_words(found: PairedDifference | None) -> str:
    _, difference, interval = difference_words(found)
    return f"{difference} ({interval})" if interval else difference


def _gap_panel(
    content: LeaderboardContent, name: str, metrics: Mapping[str, Differences], layout: Layout
) -> Panel:
    unit = formats.unit_named(name)
    rows: list[Row] = []
    for metric, differences in metrics.items():
        for place, found in enumerate(differences):
            entry, direction = content.leaderboard.entries[place], content.direction(found)
            numbers = (found.low, found.estimate, found.high) if found else (None, None, None)
            low, estimate, high = map(unit.scaled, numbers)
            title, head = one_line(entry.name, 60), one_line(metric, 200) if not place else ""
            colour, marker = _COLOURS[direction], _MARKERS[direction]
            words = _gap_words(found)
            rows.append(Row(title, words, low, estimate, high, colour, marker, head=head))
    ends = value_range([e for row in rows for e in (row.low, row.high)], "difference", name)
    ticks = even_ticks(*ends, layout.most)
    labels = (f"{tick:+g}".replace("-", "−") if tick else "0" for tick in ticks)
    title = f"Difference to the baseline, {unit.difference_axis}"
    return Panel(title, rows, ends, zip(ticks, labels, strict=True), 0.0)
