"""Drawings over time: the verdicts of a suite's gates, and the course of one metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from harness.records.verdict import Decision
from harness.report.history.frame import WIDE, Frame, Size
from harness.report.history.model import Course, Point
from harness.report.history.view import OUTCOMES, between
from harness.report.latency.axes import even_ticks, set_ticks
from harness.report.svg import COLOURS

MARKERS = {"pass": "o", "fail": "X", "inconclusive": "D", "invalid": "s"}
LANES: tuple[Decision, ...] = ("PROMOTE", "INCONCLUSIVE", "BLOCK", "INVALID")


def render_verdicts(frame: Frame) -> str:
    """Every gate in the lane of its verdict, over time, as an SVG."""
    told = "; ".join(
        f"{gate.created}: {gate.candidate} {gate.verdict}" for gate in reversed(frame.view.gates)
    )
    return frame.render("verdicts", "Verdicts over time", told, lambda axes: _verdicts(axes, frame))


def render_course(frame: Frame, place: int) -> str:
    """The course of a metric over time as an SVG, empty where no gate has a value of it."""
    course = frame.view.courses[place]
    if not course.points:
        return ""
    return frame.render(
        f"course-{place}",
        f"{course.name} over time",
        f"{course.latest}; the table below has all numbers",
        lambda axes: _course(axes, frame, course),
    )


def _verdicts(axes: Any, frame: Frame) -> None:
    size = frame.size
    axes.set_ylim(len(LANES) - 0.5, -0.5)
    set_ticks(axes.yaxis, (), ())
    for place, lane in enumerate(LANES):
        axes.axhline(place, color=COLOURS["line"], linewidth=0.8, zorder=1)
        # On a narrow page there is no room beside the lanes.
        beside = {"xytext": (-8, -4), "ha": "right"}
        above = {"xytext": (-size.left + 4, 8), "ha": "left"}
        axes.annotate(
            lane, (0, place), xycoords=("axes fraction", "data"), textcoords="offset pixels",
            color=COLOURS[OUTCOMES[lane]], fontsize=11, fontweight="bold", annotation_clip=False,
            **(beside if size is WIDE else above),
        )  # fmt: skip
        own = [gate.at for gate in frame.view.gates if gate.verdict == lane]
        axes.plot(
            own, [place] * len(own), linestyle="none", marker=MARKERS[OUTCOMES[lane]],
            markersize=size.marker + 2, color=COLOURS[OUTCOMES[lane]],
            markeredgecolor=COLOURS["paper"], markeredgewidth=0.8, zorder=4, clip_on=False,
        )  # fmt: skip


def _course(axes: Any, frame: Frame, course: Course) -> None:
    low, high = _value_range(course)
    axes.set_ylim(low, high)
    unit = {"share": "%", "time": " ms"}.get(course.kind, "")
    ticks = even_ticks(low, high, 6)
    ticks = [tick for tick in ticks if course.kind != "share" or 0 <= tick <= 100]
    set_ticks(axes.yaxis, ticks, [f"{tick:g}{unit}" for tick in ticks])
    for tick in ticks:
        axes.axhline(tick, color=COLOURS["line"], linewidth=0.7, zorder=0.6)
    for run in _runs(course.points):
        cells = list(_cells(run, course.points, *frame.range))
        _limits(axes, cells, low, high)
        _levels(axes, cells)
        axes.plot([p.at for p in run], [p.value for p in run], color=COLOURS["muted"],
                  linewidth=1.1, zorder=2.5)  # fmt: skip
    for point in course.points:
        _point(axes, point, frame.size)


def _runs(points: Sequence[Point]) -> Iterator[list[Point]]:
    """The points in order, in stretches of one version of the suite."""
    for _, run in groupby(points, key=lambda point: point.version):
        yield list(run)


def _cells(
    run: Sequence[Point], points: Sequence[Point], begin: datetime, end: datetime
) -> Iterator[tuple[Point, datetime, datetime]]:
    """Each point with the stretch of time nearer to it than to any other."""
    places = {id(point): place for place, point in enumerate(points)}
    for point in run:
        place = places[id(point)]
        left = between(points[place - 1].at, point.at) if place else begin
        right = between(point.at, points[place + 1].at) if place + 1 < len(points) else end
        yield point, left, right


def _limits(
    axes: Any, cells: Sequence[tuple[Point, datetime, datetime]], low: float, high: float
) -> None:
    for point, left, right in cells:
        if point.limit is None:
            continue
        inside = min(max(point.limit, low), high)
        allowed = (inside, high) if point.good_above else (low, inside)
        axes.fill_between(
            (left, right), *allowed, color=COLOURS["allowed"], linewidth=0, zorder=0.5
        )
        axes.plot((left, right), (inside, inside), color=COLOURS["ink"], linewidth=1.4,
                  solid_capstyle="butt", zorder=2)  # fmt: skip


def _levels(axes: Any, cells: Sequence[tuple[Point, datetime, datetime]]) -> None:
    """The baseline's value at each gate."""
    for point, left, right in cells:
        if point.baseline is not None:
            axes.plot((left, right), [point.baseline] * 2, color=COLOURS["baseline"],
                      linewidth=1.6, linestyle=(0, (5, 2)), zorder=2.2)  # fmt: skip


def _point(axes: Any, point: Point, size: Size) -> None:
    colour = COLOURS[point.outcome or "muted"]
    if point.low is not None and point.high is not None:
        axes.plot([point.at] * 2, (point.low, point.high), color=colour, linewidth=1.8,
                  solid_capstyle="butt", zorder=3)  # fmt: skip
        for bound in (point.low, point.high):
            axes.plot([point.at], [bound], marker="_", markersize=size.marker, color=colour,
                      markeredgewidth=1.6, zorder=3)  # fmt: skip
    if point.promoted:
        axes.plot([point.at], [point.value], marker="o", markersize=size.marker + 7,
                  markerfacecolor="none", markeredgecolor=COLOURS["candidate"],
                  markeredgewidth=1.6, zorder=3.5, clip_on=False)  # fmt: skip
    axes.plot(
        [point.at], [point.value], marker=MARKERS[point.outcome] if point.outcome else ".",
        markersize=size.marker, color=colour, markeredgecolor=COLOURS["paper"],
        markeredgewidth=0.8, linestyle="none", zorder=4, clip_on=False,
    )  # fmt: skip


def _value_range(course: Course) -> tuple[float, float]:
    """The ends of the axis of values: everything drawn, with room on both sides."""
    seen = [
        bound
        for point in course.points
        for bound in (point.value, point.baseline, point.low, point.high, point.limit)
        if bound is not None
    ]
    low, high = min(seen), max(seen)
    floor = 20.0 if course.kind == "share" else 0.4 * abs(high) or 1.0
    room = max(0.1 * (high - low), (floor - (high - low)) / 2)
    low, high = low - room, high + room
    if course.kind == "share":
        return max(low, -4.0), min(high, 104.0)
    return max(low, 0.0) if min(seen) >= 0 else low, high
