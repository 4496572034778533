"""Every candidate's difference to the baseline, metric by metric, on one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.report.canvas import sketch
from harness.report.latency.axes import even_ticks, set_ticks
from harness.report.lineup.model import Gap, LineupView, MetricCell
from harness.report.svg import COLOURS, clean_svg

_TITLE = "Difference to the baseline, percentage points"
# By direction, so that none is told by its colour alone.
_MARKERS = {"better": "^", "worse": "v", "": "o"}
_COLOURS = {"better": "pass", "worse": "fail", "": "muted"}


@dataclass(frozen=True, slots=True)
class Size:
    """Of the drawing, in CSS pixels; a `row` is one candidate, a `head` the metric above it."""

    name: str
    width: int
    left: int
    right: int
    row: int
    head: int


WIDE = Size("wide", 1060, left=250, right=250, row=24, head=30)
NARROW = Size("narrow", 340, left=12, right=12, row=40, head=28)
SIZES = (WIDE, NARROW)
_TOP, _BOTTOM = 30, 30
Line = tuple[str, MetricCell | None]


def render_gaps(view: LineupView, size: Size) -> str:
    """The drawing as an SVG, empty where no difference could be computed."""
    lines = _lines(view)
    gaps = [cell.gap for _, cell in lines if cell is not None and cell.gap is not None]
    if not gaps:
        return ""
    inner = sum(size.head if cell is None else size.row for _, cell in lines)
    height = _TOP + inner + _BOTTOM
    told = "; ".join(
        f"{row.name}: "
        + ", ".join(
            f"{one.name} {cell.difference} ({cell.interval})"
            for one, cell in zip(view.contenders, row.cells, strict=True)
        )
        for row in view.metrics
    )

    def draw(figure: Any) -> None:
        box = (size.left, _BOTTOM, size.width - size.left - size.right, inner)
        whole = (size.width, height, size.width, height)
        axes = figure.add_axes([part / all_ for part, all_ in zip(box, whole, strict=True)])
        axes.set_ylim(inner, 0)
        _scale(axes, gaps, size)
        at = 0.0
        for label, cell in lines:
            tall = size.head if cell is None else size.row
            _line(axes, at + tall / 2, label, cell, size)
            at += tall

    prefix = f"gaps-{size.name}"
    return clean_svg(
        sketch(size.width, height, prefix, draw),
        prefix=prefix, title=_TITLE, description=told, css="drawing",
    )  # fmt: skip


def _lines(view: LineupView) -> list[Line]:
    """Each metric's name, and below it a line for each candidate."""
    lines: list[Line] = []
    for row in view.metrics:
        lines.append((row.name, None))
        lines += [(one.name, cell) for one, cell in zip(view.contenders, row.cells, strict=True)]
    return lines


def _scale(axes: Any, gaps: list[Gap], size: Size) -> None:
    low = min(0.0, *(gap.low for gap in gaps))
    high = max(0.0, *(gap.high for gap in gaps))
    room = max(0.06 * (high - low), (4.0 - (high - low)) / 2)
    low, high = max(low - room, -104.0), min(high + room, 104.0)
    axes.set_xlim(low, high)
    ticks = even_ticks(low, high, 8 if size is WIDE else 5)
    set_ticks(
        axes.xaxis, ticks, [f"{tick:+g}".replace("-", "−") if tick else "0" for tick in ticks]
    )
    set_ticks(axes.yaxis, (), ())
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(COLOURS["line"])
    axes.tick_params(axis="x", colors=COLOURS["muted"], length=3, labelsize=10.5, pad=3)
    axes.axvline(0.0, color=COLOURS["line"], linewidth=1.2, zorder=1)
    axes.annotate(
        _TITLE, (0, 1), (-size.left, 14), xycoords="axes fraction", textcoords="offset pixels",
        color=COLOURS["muted"], fontsize=11.5, annotation_clip=False,
    )  # fmt: skip


def _line(axes: Any, y: float, label: str, cell: MetricCell | None, size: Size) -> None:
    beside = {"textcoords": "offset pixels", "annotation_clip": False}
    left = {"xycoords": ("axes fraction", "data"), **beside}
    if cell is None:
        axes.annotate(label[:48], (0, y), (-size.left, -8), **left,
                      color=COLOURS["ink"], fontsize=12.5, fontweight="bold")  # fmt: skip
        return
    wide = size is WIDE
    axes.annotate(label[:34], (0, y), (-size.left + (14 if wide else 4), -4 if wide else 4),
                  **left, color=COLOURS["ink"], fontsize=11.5)  # fmt: skip
    told = f"{cell.difference} ({cell.interval})" if cell.interval else cell.difference
    axes.annotate(told, (1, y), (18 if wide else 0, -4 if wide else 4), **left,
                  ha="left" if wide else "right", color=COLOURS["muted"],
                  fontsize=11 if wide else 10)  # fmt: skip
    if cell.gap is None:
        return
    low = y if wide else y + 8
    colour = COLOURS[_COLOURS[cell.direction]]
    axes.plot((cell.gap.low, cell.gap.high), (low, low), color=colour, linewidth=2.2, zorder=3,
              solid_capstyle="butt")  # fmt: skip
    axes.plot([cell.gap.estimate], [low], marker=_MARKERS[cell.direction], markersize=8,
              color=colour, markeredgecolor=COLOURS["paper"], markeredgewidth=0.8, zorder=4,
              clip_on=False)  # fmt: skip
