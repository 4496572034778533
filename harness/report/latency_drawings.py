"""The drawings of latency: ratios with their limits, TTFT's distribution, TTFT over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import inf, isfinite
from statistics import median

from harness.records.latency import ARMS, Arm, Bounded, LatencyMetric, LoadResult
from harness.records.verdict import Outcome, RuleResult
from harness.report import formats
from harness.report.forest import MARKERS, Layout
from harness.report.forest import NARROW as FOREST_NARROW
from harness.report.forest import WIDE as FOREST_WIDE
from harness.report.latency_rows import (
    in_words,
    metric_title,
    outcome_at,
    ratio_rule,
    span,
    unbound,
)
from harness.report.latency_text import LatencyContent, load_title
from harness.svg import Colour, Drawing, Marker, Point
from harness.svg_axes import (
    Scale,
    draw_bottom_axis,
    draw_left_axis,
    even_ticks,
    log_ticks,
)

# Told apart without colour too: by dashes in curves, by marker in the course over time.
# Dashes and gaps are multiples of a line's width.
_DASHES: dict[Arm, tuple[float, ...]] = {
    "candidate": (), "baseline": (5, 2), "control": (1, 1.6),
}  # fmt: skip
_WIDTHS: dict[Arm, float] = {"candidate": 2.2, "baseline": 2.2, "control": 1.3}
_POINTS: dict[Arm, Marker] = {"candidate": "circle", "baseline": "square", "control": "up"}
# A curve at 100% is not to be cut by the end of the axis.
_CURVE_TOP = 1.03
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 26, 40, 40
_HEAD, _FOOT = 30, 26


@dataclass(frozen=True, slots=True)
class PlotSize:
    """Of a drawing with two axes, in CSS pixels; `most` is how many ticks lie below it."""

    name: str
    width: int
    height: int
    most: int


WIDE, NARROW = PlotSize("wide", 520, 320, 7), PlotSize("narrow", 340, 270, 4)
RATIO_LAYOUTS = (
    Layout(FOREST_WIDE.name, FOREST_WIDE.width, left=200, right=210, row=32, stacked=False),
    Layout(FOREST_NARROW.name, FOREST_NARROW.width, left=16, right=20, row=50, stacked=True),
)


@dataclass(frozen=True, slots=True)
class Curve:
    """An arm's points: (TTFT, share) or (seconds since the first block, median TTFT)."""

    arm: Arm
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class LoadDrawings:
    """SVG elements of one load, each for wide and narrow pages; empty where there is nothing."""

    ratios: tuple[str, ...]
    ecdf: tuple[str, ...]
    course: tuple[str, ...]


def draw_latency(latency: LatencyContent) -> tuple[LoadDrawings, ...]:
    """The drawings of every load."""
    slo = latency.section.settings.slo
    limit = slo.ttft if slo else None
    return tuple(
        LoadDrawings(
            ratios=tuple(
                render_ratios(load, latency.rules, place, layout) for layout in RATIO_LAYOUTS
            ),
            ecdf=tuple(render_ecdf(load, limit, place, size) for size in (WIDE, NARROW)),
            course=tuple(render_course(load, place, size) for size in (WIDE, NARROW)),
        )
        for place, load in enumerate(latency.section.loads, 1)
    )


def ttft_curves(load: LoadResult) -> list[Curve]:
    """The arms' distributions of TTFT, each as far as it is finite."""
    curves: list[Curve] = []
    for arm in ARMS:
        values = load.ecdf.get(arm, ())
        last = max(len(values) - 1, 1)
        points = [(unbound(value), place / last) for place, value in enumerate(values)]
        finite = tuple(point for point in points if isfinite(point[0]))
        if len(finite) > 1:
            curves.append(Curve(arm, finite))
    return curves


def _block_curves(load: LoadResult) -> list[Curve]:
    """The arms' block medians in the order of time."""
    curves: list[Curve] = []
    for arm in ARMS:
        own = sorted((m for m in load.medians if m.arm == arm), key=lambda m: m.at)
        if own:
            curves.append(Curve(arm, tuple((m.at, unbound(m.ttft)) for m in own)))
    return curves


def _new_plot(size: PlotSize, title: str, below: str) -> Drawing:
    drawing = Drawing(size.width, size.height)
    drawing.text(title, (2, _TOP - 24), "muted", 11.5)
    right = (size.width - _RIGHT, size.height - _BOTTOM + 34)
    drawing.text(below, right, "muted", 11.5, anchor="end")
    return drawing


def _dash(arm: Arm, width: float) -> str:
    return " ".join(f"{part * width:g}" for part in _DASHES[arm])


def tick_time(seconds: float) -> str:
    """A time on an axis: `200 ms`, `1.5 s`."""
    return f"{1000 * seconds:.4g} ms" if seconds < 0.9995 else f"{seconds:.4g} s"


def is_wide(low: float, high: float) -> bool:
    """Whether a range of times needs a logarithmic axis."""
    return low > 0.0 and high / low > 12.0


def render_ecdf(load: LoadResult, slo: float | None, place: int, size: PlotSize) -> str:
    """The share of requests answered within a time, by arm, as an SVG; empty without curves."""
    curves = ttft_curves(load)
    if not curves:
        return ""
    description = "; ".join(
        f"{curve.arm}: half within {_at(curve, 0.5)}, 95% within {_at(curve, 0.95)}"
        for curve in curves
    )
    limit = f"; the SLO is {formats.duration(slo)}" if slo is not None else ""
    drawing = _new_plot(size, "Share of requests answered", "Time to first token")
    across, ticks = _time_scale(curves, slo, size)
    up = Scale(0.0, _CURVE_TOP, size.height - _BOTTOM, _TOP)
    shares = (0.0, 0.25, 0.5, 0.75, 1.0)
    for share in (*shares[1:], 0.95):
        drawing.line([(across.start, up(share)), (across.end, up(share))], "line", 0.8)
    draw_bottom_axis(drawing, across, up.start, [(tick, tick_time(tick)) for tick in ticks])
    draw_left_axis(drawing, up, across.start, [(share, f"{share:.0%}") for share in shares])
    drawing.text("95%", (across.start + 4, up(0.95) + 11), "muted", 10)
    if slo is not None:
        x = across(slo)
        right = x > (across.start + across.end) / 2
        drawing.line([(x, up.start), (x, up.end)], "ink", 1.4)
        words = f"SLO {formats.duration(slo)}"
        if right:
            drawing.text(words, (x - 4, up.end - 3), "ink", 11.5, anchor="end")
        else:
            drawing.text(words, (x + 4, up.end - 3), "ink", 11.5)
    for curve in reversed(curves):
        points = [(across(time), up(share)) for time, share in curve.points]
        if curve.points[-1][1] < 1.0:
            # What never came leaves the curve level from its last answer on.
            points.append((across.end, points[-1][1]))
        drawing.line(
            points, curve.arm, _WIDTHS[curve.arm], dash=_dash(curve.arm, _WIDTHS[curve.arm])
        )
    title = f"Distribution of the time to first token. {load_title(load.load)}"
    return drawing.render(f"ecdf-{place}-{size.name}", title, description + limit)


def _at(curve: Curve, share: float) -> str:
    reached = (time for time, done in curve.points if done >= share - 1e-9)
    return formats.duration(next(reached, inf))


def _time_scale(
    curves: Sequence[Curve], slo: float | None, size: PlotSize
) -> tuple[Scale, list[float]]:
    times = [time for curve in curves for time, _ in curve.points]
    times += [slo] if slo is not None else []
    low, high = min(times), max(times)
    ends = (_LEFT, size.width - _RIGHT)
    if is_wide(low, high):
        low, high = low / 1.1, high * 1.15
        return Scale(low, high, *ends, logarithmic=True), log_ticks(low, high, size.most)
    room = 0.05 * (high - low) or 0.1 * high or 0.001
    low, high = max(low - room, 0.0), high + room
    return Scale(low, high, *ends), even_ticks(low, high, size.most)


def render_course(load: LoadResult, place: int, size: PlotSize) -> str:
    """The median TTFT of every block over time, by arm, as an SVG; empty without blocks."""
    curves = _block_curves(load)
    if not any(map(_finite, curves)):
        return ""
    last = max(at for curve in curves for at, _ in curve.points)
    unit, word = (60.0, "minutes") if last > 300.0 else (1.0, "seconds")
    drawing = _new_plot(size, "Median TTFT of each block", f"Since the first block, {word}")
    end = last / unit or 1.0
    across = Scale(-0.03 * end, 1.03 * end, _LEFT, size.width - _RIGHT)
    low, high = _course_range([value for curve in curves for value in _finite(curve)])
    up = Scale(low, high, size.height - _BOTTOM, _TOP)
    levels = even_ticks(low, high, 7)
    for level in levels:
        drawing.line([(across.start, up(level)), (across.end, up(level))], "line", 0.8)
    ticks = even_ticks(0.0, end, min(size.most, 6))
    draw_bottom_axis(drawing, across, up.start, [(tick, f"{tick:g}") for tick in ticks])
    draw_left_axis(drawing, up, across.start, [(level, tick_time(level)) for level in levels])
    for curve in reversed(curves):
        _draw_blocks(drawing, curve, [(across(at / unit), _up(up, v)) for at, v in curve.points])
    title = f"Median time to first token of each block, over time. {load_title(load.load)}"
    description = "; ".join(map(_course_words, curves))
    return drawing.render(f"course-{place}-{size.name}", title, description)


def _finite(curve: Curve) -> list[float]:
    return [value for _, value in curve.points if isfinite(value)]


def _up(scale: Scale, value: float) -> float:
    return scale(value) if isfinite(value) else inf


def _draw_blocks(drawing: Drawing, curve: Curve, points: Sequence[Point]) -> None:
    small = curve.arm == "control"
    for finite, run in groupby(points, key=lambda point: isfinite(point[1])):
        # A block beyond every bound is a gap in the line.
        if finite:
            width = 0.9 if small else 1.3
            drawing.line([*run], curve.arm, width, dash=_dash(curve.arm, width))
        else:
            for x, _ in run:
                drawing.text("∞", (x, _TOP - 1), "ink", 12, anchor="middle")
    for point in points:
        if isfinite(point[1]):
            drawing.marker(
                _POINTS[curve.arm], point, 3.5 if small else 5.5, curve.arm, edge_width=0.6
            )


def _course_words(curve: Curve) -> str:
    finite = _finite(curve)
    lost = len(curve.points) - len(finite)
    beyond = f", {formats.counted(lost, 'block')} beyond every bound" if lost else ""
    if not finite:
        return f"{curve.arm}: every block beyond every bound"
    blocks = formats.counted(len(curve.points), "block")
    span = formats.interval(min(finite), max(finite), formats.duration)
    return f"{curve.arm}: {blocks}, {span}{beyond}"


def _course_range(values: Sequence[float]) -> tuple[float, float]:
    """The ends of the axis of medians; a small wobble must not fill it."""
    middle = median(values)
    low, high = min(values), max(values)
    room = max(0.1 * (high - low), (0.5 * middle - (high - low)) / 2, 1e-4)
    return max(low - room, 0.0), high + room


def render_ratios(load: LoadResult, rules: Sequence[RuleResult], place: int, layout: Layout) -> str:
    """The ratios of a load as an SVG, empty where there are none."""
    if not load.metrics:
        return ""
    rows = [(metric, ratio_rule(metric, rules)) for metric in load.metrics]
    bottom = _HEAD + layout.row * len(rows)
    drawing = Drawing(layout.width, bottom + _FOOT)
    low, high = ratio_range(rows)
    scale = Scale(low, high, layout.left, layout.width - layout.right, logarithmic=True)
    drawing.text("Candidate divided by baseline", (0, _HEAD - 9), "muted", 11.5)
    for number, (metric, rule) in enumerate(rows):
        middle = _HEAD + layout.row * (number + 0.5)
        _draw_row(drawing, scale, (load, metric, rule), middle, layout)
    ticks = ratio_ticks(low, high, 5 if layout.stacked else 9)
    draw_bottom_axis(drawing, scale, bottom, [(tick, f"{tick:.4g}×") for tick in ticks])
    description = "; ".join(
        f"{metric_title(metric)}: {_ratio_words(metric)}" for metric in load.metrics
    )
    title = f"Candidate divided by baseline. {load_title(load.load)}"
    return drawing.render(f"ratios-{place}-{layout.name}", title, description)


def _ratio_words(metric: LatencyMetric) -> str:
    return in_words(span(metric.ratio, formats.ratio))


def _draw_row(
    drawing: Drawing,
    scale: Scale,
    row: tuple[LoadResult, LatencyMetric, RuleResult | None],
    middle: float,
    layout: Layout,
) -> None:
    load, metric, rule = row
    y = middle + layout.row * (0.16 if layout.stacked else -0.04)
    half = layout.row * (0.24 if layout.stacked else 0.42)
    limit = None if rule is None or rule.limit is None else scale.pixel(rule.limit)
    if limit is not None:
        drawing.box(scale.start, y - half, limit, y + half, "allowed")
    drawing.line([(scale(1.0), y - half), (scale(1.0), y + half)], "line", 1.4)
    if limit is not None:
        drawing.line([(limit, y - half), (limit, y + half)], "ink", 1.6)
    under = y + layout.row * (0.13 if layout.stacked else 0.24)
    _draw_extent(drawing, scale, metric.control, under, "control", 1.6)
    outcome: Outcome | None = None
    if limit is not None and rule is not None:
        outcome = "invalid" if load.problems else outcome_at(load, metric, rule)
    colour: Colour = outcome or "ink"
    marker: Marker = MARKERS[outcome] if outcome else "circle"
    _draw_extent(drawing, scale, metric.ratio, y, colour, 2.4)
    drawing.marker(
        "right" if metric.ratio.estimate is None else marker,
        (scale.pixel(unbound(metric.ratio.estimate)), y),
        6.5 if limit is None else 8.5,
        colour,
        edge_width=1.0 if metric.certifiable else 1.6,
        filled=metric.certifiable,
    )
    rise = -12 if layout.stacked else 4
    at = (0, middle + rise)
    drawing.text(metric_title(metric), at, "ink", 12, bold=limit is not None)
    if layout.stacked:
        at = (layout.width, middle + rise)
        drawing.text(_ratio_words(metric), at, "ink", 11.5, anchor="end")
    else:
        drawing.text(_ratio_words(metric), (scale.end + 22, middle + rise), "ink", 11.5)


def _draw_extent(
    drawing: Drawing, scale: Scale, found: Bounded, y: float, colour: Colour, width: float
) -> None:
    drawing.line(
        [(scale.pixel(unbound(found.low)), y), (scale.pixel(unbound(found.high)), y)], colour, width
    )
    if found.high is None:
        drawing.marker("right", (scale.end, y), 3 * width**0.5 + 2, colour, edge=None)


def ratio_range(
    rows: Sequence[tuple[LatencyMetric, RuleResult | None]],
) -> tuple[float, float]:
    """The ends of the axis: one, the limits and all that is finite, with room on both sides."""
    found: list[float | None] = [1.0]
    for metric, rule in rows:
        found.append(rule.limit if rule else None)
        for each in (metric.ratio, metric.control):
            found += [each.low, each.estimate, each.high]
    seen = [value for value in found if value is not None and isfinite(value) and value > 0.0]
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
