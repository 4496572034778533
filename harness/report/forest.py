"""The forest plot: every rule's estimate, interval and limit, one panel for each scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.canvas import sketch
from harness.report.model import PlotKind, PlotRow, ReportView
from harness.report.svg import COLOURS, clean_svg

_TITLES: dict[PlotKind, str] = {
    "difference": "Difference to the baseline, percentage points",
    "share": "The candidate's own value, %",
    "time": "The candidate's own value, ms",
    "ratio": "Candidate divided by baseline",
}
_MARKERS = {"pass": "o", "fail": "X", "inconclusive": "D", "invalid": "s"}


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
    """The plot as an SVG element fit to stand inside a page, empty where no rule has numbers.

    The same view gives the same text. Colours are classes of `svg.COLOURS`, for the page to set.
    """
    rows = [rule.plot for rule in view.rules if rule.plot is not None]
    panels = [(kind, [row for row in rows if row.kind == kind]) for kind in _TITLES]
    panels = [(kind, own) for kind, own in panels if own]
    if not panels:
        return ""
    height = sum(_HEAD + _FOOT + layout.row * len(rows) for _, rows in panels)
    drawn = sketch(
        layout.width, height, layout.name, lambda figure: _draw(figure, panels, layout, height)
    )
    told = "; ".join(f"{row.label}: {row.numbers}, {row.outcome}" for row in rows)
    return clean_svg(
        drawn,
        prefix=f"forest-{layout.name}",
        title="Estimate, interval and limit of every rule",
        description=told,
    )


def _draw(
    figure: Any, panels: Sequence[tuple[PlotKind, list[PlotRow]]], layout: Layout, height: int
) -> None:
    top = 0
    for kind, rows in panels:
        tall = layout.row * len(rows)
        axes = figure.add_axes(
            (
                layout.left / layout.width,
                1 - (top + _HEAD + tall) / height,
                (layout.width - layout.left - layout.right) / layout.width,
                tall / height,
            )
        )
        _panel(axes, kind, rows, layout)
        top += _HEAD + _FOOT + tall


def _panel(axes: Any, kind: PlotKind, rows: Sequence[PlotRow], layout: Layout) -> None:
    low, high = axis_range(rows)
    axes.set_xlim(low, high)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(COLOURS["line"])
    axes.tick_params(axis="x", colors=COLOURS["muted"], length=3, labelsize=10.5, pad=3)
    axes.locator_params(axis="x", nbins=5 if layout.stacked else 8)
    reference = {"difference": 0.0, "ratio": 1.0}.get(kind)
    if reference is not None and low <= reference <= high:
        for place in range(len(rows)):
            # Not through the words of a stacked row.
            top = place + (0.12 if layout.stacked else -0.5)
            axes.plot([reference] * 2, [top, place + 0.5], color=COLOURS["line"], linewidth=1.2)
    axes.annotate(
        _TITLES[kind],
        (0, 1),
        (-layout.left, 9),
        xycoords="axes fraction",
        textcoords="offset pixels",
        color=COLOURS["muted"],
        fontsize=11.5,
    )
    for place, row in enumerate(rows):
        _row(axes, place, row, layout)


def _row(axes: Any, place: int, row: PlotRow, layout: Layout) -> None:
    low, high = axes.get_xlim()
    # In a stacked row the words take the upper part and the interval the lower.
    y = place + (0.3 if layout.stacked else 0.0)
    half = 0.13 if layout.stacked else 0.34
    colour = COLOURS[row.outcome]
    if row.limit is not None:
        inside = min(max(row.limit, low), high)
        allowed = (inside, high) if row.good_above else (low, inside)
        axes.fill_between(allowed, y - half, y + half, color=COLOURS["allowed"], linewidth=0)
        axes.plot([inside, inside], [y - half, y + half], color=COLOURS["ink"], linewidth=1.6)
    if row.low is not None or row.high is not None:
        ends = (low if row.low is None else row.low, high if row.high is None else row.high)
        ends = (min(ends[0], high), min(ends[1], high))
        axes.plot(ends, (y, y), color=colour, linewidth=2.4, solid_capstyle="butt", zorder=3)
        for end in (row.low, row.high):
            if end is not None and math.isfinite(end):
                cap = half * 0.42
                axes.plot((end, end), (y - cap, y + cap), color=colour, linewidth=2.0, zorder=3)
    marker = _MARKERS[row.outcome] if math.isfinite(row.estimate) else ">"
    axes.plot(
        [min(row.estimate, high)], [y], marker=marker, markersize=9, color=colour,
        markeredgecolor=COLOURS["paper"], markeredgewidth=1.0, linestyle="none", zorder=4,
        clip_on=False,
    )  # fmt: skip
    _words(axes, place, row, layout)


def _words(axes: Any, place: int, row: PlotRow, layout: Layout) -> None:
    beside = {"textcoords": "offset pixels", "annotation_clip": False}
    left = {"xycoords": ("axes fraction", "data"), **beside}
    if layout.stacked:
        lines = (
            (f"{row.outcome.upper()}  {row.label}", 28, row.outcome, 12, "bold"),
            (row.requirement, 13, "muted", 11, "normal"),
            (row.numbers, -2, "ink", 11, "normal"),
        )
        for text, rise, colour, size, weight in lines:
            axes.annotate(text, (0, place), (-layout.left, rise), **left,
                          color=COLOURS[colour], fontsize=size, fontweight=weight)  # fmt: skip
        return
    axes.annotate(row.label, (0, place), (-layout.left, 2), **left,
                  color=COLOURS["ink"], fontsize=13, fontweight="bold")  # fmt: skip
    axes.annotate(row.requirement, (0, place), (-layout.left, -13), **left,
                  color=COLOURS["muted"], fontsize=11.5)  # fmt: skip
    axes.annotate(row.outcome, (1, place), (18, 2), **left,
                  color=COLOURS[row.outcome], fontsize=13, fontweight="bold")  # fmt: skip
    axes.annotate(row.numbers, (1, place), (18, -13), **left,
                  color=COLOURS["ink"], fontsize=11.5)  # fmt: skip


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
