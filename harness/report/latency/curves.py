"""Two drawings of TTFT: its distribution in each arm, and the block medians over time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import isfinite, nan
from statistics import median
from typing import Any

from harness.report import numbers
from harness.report.canvas import sketch
from harness.report.latency.axes import (
    DASHES,
    MARKERS,
    WIDTHS,
    Size,
    add_axes,
    even_ticks,
    is_wide,
    log_ticks,
    set_ticks,
    tick_time,
)
from harness.report.latency.model import Curve, LoadView
from harness.report.svg import COLOURS, clean_svg

# A curve at 100% is not to be cut by the end of the axis.
_TOP = 1.03


def render_ecdf(load: LoadView, place: int, size: Size) -> str:
    """The share of requests answered within a time, by arm, as an SVG; empty without curves."""
    if not load.ecdf:
        return ""
    prefix = f"ecdf-{place}-{size.name}"
    told = "; ".join(
        f"{curve.arm}: half within {_at(curve, 0.5)}, 95% within {_at(curve, 0.95)}"
        for curve in load.ecdf
    )
    slo = f"; the SLO is {numbers.duration(load.slo)}" if load.slo is not None else ""
    return clean_svg(
        sketch(size.width, size.height, prefix, partial(_ecdf, load=load, size=size)),
        prefix=prefix,
        title=f"Distribution of the time to first token. {load.title}",
        description=told + slo,
        css="drawing",
    )


def _at(curve: Curve, share: float) -> str:
    reached = (time for time, done in curve.points if done >= share - 1e-9)
    return numbers.duration(next(reached, float("inf")))


def _ecdf(figure: Any, load: LoadView, size: Size) -> None:
    axes = add_axes(figure, size, "Share of requests answered", "Time to first token")
    times = [time for curve in load.ecdf for time, _ in curve.points]
    times += [load.slo] if load.slo is not None else []
    low, high = min(times), max(times)
    most = 4 if size.name == "narrow" else 7
    if is_wide(low, high):
        axes.set_xscale("log")
        low, high = low / 1.1, high * 1.15
        ticks = log_ticks(low, high, most)
    else:
        room = 0.05 * (high - low) or 0.1 * high or 0.001
        low, high = max(low - room, 0.0), high + room
        ticks = even_ticks(low, high, most)
    axes.set_xlim(low, high)
    axes.set_ylim(0.0, _TOP)
    set_ticks(axes.xaxis, ticks, [tick_time(tick) for tick in ticks])
    shares = (0.0, 0.25, 0.5, 0.75, 1.0)
    set_ticks(axes.yaxis, shares, [f"{share:.0%}" for share in shares])
    for share in (*shares[1:], 0.95):
        axes.axhline(share, color=COLOURS["line"], linewidth=0.8, zorder=1)
    axes.annotate("95%", (0, 0.95 / _TOP), (4, -11), xycoords="axes fraction",
                  textcoords="offset pixels", color=COLOURS["muted"], fontsize=10)  # fmt: skip
    if load.slo is not None:
        axes.axvline(load.slo, color=COLOURS["ink"], linewidth=1.4, zorder=2)
        right = load.slo > _middle(low, high, axes.get_xscale())
        axes.annotate(
            f"SLO {numbers.duration(load.slo)}", (load.slo, _TOP), (4 if not right else -4, 3),
            textcoords="offset pixels", ha="right" if right else "left",
            color=COLOURS["ink"], fontsize=11.5, annotation_clip=False,
        )  # fmt: skip
    for curve in reversed(load.ecdf):
        xs, ys = zip(*curve.points, strict=True)
        if ys[-1] < 1.0:
            # What never came leaves the curve level from its last answer on.
            xs, ys = (*xs, high), (*ys, ys[-1])
        axes.plot(
            xs, ys, color=COLOURS[curve.arm], linewidth=WIDTHS[curve.arm],
            linestyle=DASHES[curve.arm], zorder=4 if curve.arm != "control" else 3,
        )  # fmt: skip


def _middle(low: float, high: float, scale: str) -> float:
    return float((low * high) ** 0.5 if scale == "log" else (low + high) / 2)


def render_course(load: LoadView, place: int, size: Size) -> str:
    """The median TTFT of every block over time, by arm, as an SVG; empty without blocks."""
    if not any(_finite(curve) for curve in load.course):
        return ""
    prefix = f"course-{place}-{size.name}"
    told = "; ".join(_course_words(curve) for curve in load.course)
    return clean_svg(
        sketch(size.width, size.height, prefix, partial(_course, load=load, size=size)),
        prefix=prefix,
        title=f"Median time to first token of each block, over time. {load.title}",
        description=told,
        css="drawing",
    )


def _finite(curve: Curve) -> list[float]:
    return [value for _, value in curve.points if isfinite(value)]


def _course_words(curve: Curve) -> str:
    finite = _finite(curve)
    lost = len(curve.points) - len(finite)
    beyond = f", {numbers.counted(lost, 'block')} beyond every bound" if lost else ""
    if not finite:
        return f"{curve.arm}: every block beyond every bound"
    blocks = numbers.counted(len(curve.points), "block")
    span = numbers.interval(min(finite), max(finite), numbers.duration)
    return f"{curve.arm}: {blocks}, {span}{beyond}"


def _course(figure: Any, load: LoadView, size: Size) -> None:
    ends = [at for curve in load.course for at, _ in curve.points]
    unit, word = (60.0, "minutes") if max(ends) > 300.0 else (1.0, "seconds")
    axes = add_axes(figure, size, "Median TTFT of each block", f"Since the first block, {word}")
    low, high = _course_range([value for curve in load.course for value in _finite(curve)])
    axes.set_ylim(low, high)
    most = 4 if size.name == "narrow" else 6
    across = max(ends) / unit or 1.0
    axes.set_xlim(-0.03 * across, 1.03 * across)
    xs = even_ticks(0.0, across, most)
    set_ticks(axes.xaxis, xs, [f"{tick:g}" for tick in xs])
    ys = even_ticks(low, high, 7)
    set_ticks(axes.yaxis, ys, [tick_time(tick) for tick in ys])
    for tick in ys:
        axes.axhline(tick, color=COLOURS["line"], linewidth=0.8, zorder=1)
    for curve in reversed(load.course):
        colour = COLOURS[curve.arm]
        # A block beyond every bound is a gap in the line.
        drawn = [(at / unit, value if isfinite(value) else nan) for at, value in curve.points]
        small = curve.arm == "control"
        axes.plot(
            *zip(*drawn, strict=True),
            color=colour, linewidth=0.9 if small else 1.3, linestyle=DASHES[curve.arm],
            marker=MARKERS[curve.arm], markersize=3.5 if small else 5.5, zorder=2 if small else 3,
            markeredgecolor=COLOURS["paper"], markeredgewidth=0.6,
        )  # fmt: skip
        for at in _lost(curve, unit):
            axes.annotate(
                "∞", (at, high), (0, 1), textcoords="offset pixels", ha="center",
                color=COLOURS["ink"], fontsize=12, annotation_clip=False,
            )  # fmt: skip


def _lost(curve: Curve, unit: float) -> Iterator[float]:
    return (at / unit for at, value in curve.points if not isfinite(value))


def _course_range(values: list[float]) -> tuple[float, float]:
    """The ends of the axis of medians; a small wobble must not fill it."""
    middle = median(values)
    low, high = min(values), max(values)
    room = max(0.1 * (high - low), (0.5 * middle - (high - low)) / 2, 1e-4)
    return max(low - room, 0.0), high + room
