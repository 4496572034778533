"""The drawing of ratios: each metric's interval, one, the limit, and the control's interval."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import inf, isfinite
from typing import Any

from harness.records.verdict import Outcome
from harness.report.canvas import sketch
from harness.report.forest import NARROW, WIDE, Layout
from harness.report.latency.axes import log_ticks, set_ticks
from harness.report.latency.model import Extent, LoadView, RatioRow
from harness.report.svg import COLOURS, clean_svg

_MARKERS: dict[Outcome | None, str] = {
    "pass": "o", "fail": "X", "inconclusive": "D", "invalid": "s", None: "o",
}  # fmt: skip
_HEAD, _FOOT = 30, 26
SIZES = (
    Layout(WIDE.name, width=WIDE.width, left=200, right=210, row=32, stacked=False),
    Layout(NARROW.name, width=NARROW.width, left=16, right=20, row=50, stacked=True),
)


def render_ratios(load: LoadView, place: int, layout: Layout) -> str:
    """The ratios of a load as an SVG, empty where there are none."""
    rows = load.ratios
    if not rows:
        return ""
    prefix = f"ratios-{place}-{layout.name}"
    height = _HEAD + _FOOT + layout.row * len(rows)
    return clean_svg(
        sketch(layout.width, height, prefix, partial(_draw, load=load, layout=layout)),
        prefix=prefix,
        title=f"Candidate divided by baseline. {load.title}",
        description="; ".join(f"{row.label}: {row.numbers}" for row in rows),
        css="drawing",
    )


def _draw(figure: Any, load: LoadView, layout: Layout) -> None:
    rows = load.ratios
    height = _HEAD + _FOOT + layout.row * len(rows)
    axes = figure.add_axes(
        (
            layout.left / layout.width,
            _FOOT / height,
            (layout.width - layout.left - layout.right) / layout.width,
            layout.row * len(rows) / height,
        )
    )
    low, high = ratio_range(rows)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(COLOURS["line"])
    axes.tick_params(axis="x", colors=COLOURS["muted"], length=3, labelsize=11, pad=3)
    ticks = ratio_ticks(low, high, 5 if layout.stacked else 9)
    set_ticks(axes.xaxis, ticks, [f"{tick:.4g}×" for tick in ticks])
    axes.annotate(
        "Candidate divided by baseline", (0, 1), (-layout.left, 9), xycoords="axes fraction",
        textcoords="offset pixels", color=COLOURS["muted"], fontsize=11.5,
    )  # fmt: skip
    for place, row in enumerate(rows):
        _row(axes, place, row, layout, load.trusted)


def _row(axes: Any, place: int, row: RatioRow, layout: Layout, trusted: bool) -> None:
    low, _ = axes.get_xlim()
    y = place + (0.16 if layout.stacked else -0.04)
    half = 0.24 if layout.stacked else 0.42
    axes.plot([1.0, 1.0], [y - half, y + half], color=COLOURS["line"], linewidth=1.4, zorder=1)
    if row.limit is not None:
        axes.fill_between((low, row.limit), y - half, y + half, color=COLOURS["allowed"], zorder=0)
        edge = [row.limit, row.limit]
        axes.plot(edge, [y - half, y + half], color=COLOURS["ink"], linewidth=1.6, zorder=2)
    under = y + (0.13 if layout.stacked else 0.24)
    _interval(axes, row.control, under, "control", 1.6)
    outcome: Outcome | None = row.outcome if trusted or row.limit is None else "invalid"
    colour = outcome or "ink"
    _interval(axes, row.ratio, y, colour, 2.4)
    _estimate(axes, row, y, colour, _MARKERS[outcome])
    _words(axes, place, row, layout)


def _estimate(axes: Any, row: RatioRow, y: float, colour: str, marker: str) -> None:
    low, high = axes.get_xlim()
    if row.ratio.estimate == inf:
        marker = ">"
    inside, edge = COLOURS[colour], COLOURS["paper"]
    if not row.certifiable:
        inside, edge = edge, inside
    axes.plot(
        [min(max(row.ratio.estimate, low), high)], [y], marker=marker,
        markersize=6.5 if row.limit is None else 8.5, color=inside, markeredgecolor=edge,
        markeredgewidth=1.0 if row.certifiable else 1.6, linestyle="none", zorder=5, clip_on=False,
    )  # fmt: skip


def _interval(axes: Any, found: Extent, y: float, colour: str, width: float) -> None:
    low, high = axes.get_xlim()
    ends = [min(max(end, low), high) for end in (found.low, found.high)]
    axes.plot(ends, [y, y], color=COLOURS[colour], linewidth=width, solid_capstyle="butt", zorder=3)
    if found.high == inf:
        axes.plot(
            [high], [y], marker=">", markersize=3 * width**0.5 + 2, color=COLOURS[colour],
            markeredgewidth=0, linestyle="none", zorder=4, clip_on=False,
        )  # fmt: skip


def _words(axes: Any, place: int, row: RatioRow, layout: Layout) -> None:
    beside = {"textcoords": "offset pixels", "annotation_clip": False}
    across = {"xycoords": ("axes fraction", "data"), **beside}
    weight = "normal" if row.limit is None else "bold"
    rise = 12 if layout.stacked else -4
    axes.annotate(row.label, (0, place), (-layout.left, rise), **across,
                  color=COLOURS["ink"], fontsize=12, fontweight=weight)  # fmt: skip
    start, side = (layout.right, "right") if layout.stacked else (22, "left")
    axes.annotate(row.numbers, (1, place), (start, rise), **across, ha=side,
                  color=COLOURS["ink"], fontsize=11.5)  # fmt: skip


def ratio_range(rows: Sequence[RatioRow]) -> tuple[float, float]:
    """The ends of the axis: one, the limits and all that is finite, with room on both sides."""
    spans = [span for row in rows for span in (row.ratio, row.control)]
    seen = [1.0, *(row.limit for row in rows if row.limit is not None)]
    seen += [end for span in spans for end in (span.low, span.estimate, span.high)]
    seen = [value for value in seen if isfinite(value) and value > 0.0]
    low, high = min(seen), max(seen)
    room = max((high / low) ** 0.07, 1.02)
    return min(low / room, 0.9), max(high * room, 1.12)


def ratio_ticks(low: float, high: float, most: int) -> list[float]:
    """Round ratios within the range, 1 always among them."""
    if high / low > 8.0:
        return sorted({1.0, *log_ticks(low, high, most)})
    for step in (0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0):
        first, last = round((low - 1.0) / step + 0.499), int((high - 1.0) / step)
        found = [min(high, max(low, 1.0 + step * count)) for count in range(first, last + 1)]
        if len(found) <= most:
            return found
    return [1.0]
