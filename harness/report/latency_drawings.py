"""The drawings of latency: ratios with their limits, TTFT's distribution, TTFT over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from math import inf, isfinite
from statistics import median

from harness.records.latency import ARMS, Arm, LatencyMetric, LoadResult
from harness.records.verdict import Outcome, RuleResult
from harness.report import formats
from harness.report.forest import MARKERS, Layout, Panel, Row, draw_panels
from harness.report.latency_content import (
    LatencyContent,
    in_words,
    load_title,
    metric_title,
    outcome_at,
    ratio_rule,
    span,
    ttft_curves,
)
from harness.report.latency_summary import unbound
from harness.svg import Drawing, Marker, Point
from harness.svg_axes import Scale, draw_bottom_axis, draw_left_axis, even_ticks, log_ticks, padded

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


@dataclass(frozen=True, slots=True)
class PlotSize:
    """Of a drawing with two axes, in CSS pixels; `most` is how many ticks lie below it."""

    name: str
    width: int
    height: int
    most: int


WIDE, NARROW = PlotSize("wide", 520, 320, 7), PlotSize("narrow", 340, 270, 4)
RATIO_LAYOUTS = (
    Layout("wide", 1060, left=200, right=210, row=32, half=13.4, most=9),
    Layout("narrow", 340, left=16, right=20, row=54, half=12, stacked=True, most=5),
)


# An arm's points: (TTFT, share) or (seconds since the first block, median TTFT).
Curves = dict[Arm, list[Point]]


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
            tuple(render_ratios(load, latency.rules, place, layout) for layout in RATIO_LAYOUTS),
            tuple(render_ecdf(load, limit, place, size) for size in (WIDE, NARROW)),
            tuple(render_course(load, place, size) for size in (WIDE, NARROW)),
        )
        for place, load in enumerate(latency.section.loads, 1)
    )


def _new_plot(size: PlotSize, title: str, below: str) -> Drawing:
    drawing = Drawing(size.width, size.height)
    drawing.text(title, (2, _TOP - 24), "muted", 11.5)
    right = (size.width - _RIGHT, size.height - _BOTTOM + 34)
    drawing.text(below, right, "muted", 11.5, anchor="end")
    return drawing


def _draw_curve(drawing: Drawing, arm: Arm, points: Sequence[Point], width: float) -> None:
    dash = " ".join(f"{part * width:g}" for part in _DASHES[arm])
    drawing.line(points, arm, width, dash=dash)


def tick_time(seconds: float) -> str:
    """A time on an axis: `200 ms`, `1.5 s`."""
    return f"{1000 * seconds:.4g} ms" if seconds < 0.9995 else f"{seconds:.4g} s"


def render_ecdf(load: LoadResult, slo: float | None, place: int, size: PlotSize) -> str:
    """The share of requests answered within a time, by arm, as an SVG; empty without curves."""
    curves = ttft_curves(load)
    if not curves:
        return ""
    description = "; ".join(
        f"{arm}: half within {_time_at(points, 0.5)}, 95% within {_time_at(points, 0.95)}"
        for arm, points in curves.items()
    )
    drawing = _new_plot(size, "Share of requests answered", "Time to first token")
    across, ticks = _time_axis(curves, slo, size)
    up = Scale(0.0, _CURVE_TOP, size.height - _BOTTOM, _TOP)
    shares = [(share, f"{share:.0%}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    draw_bottom_axis(drawing, across, up.start, [(tick, tick_time(tick)) for tick in ticks])
    draw_left_axis(drawing, up, across, shares)
    drawing.line([(across.start, up(0.95)), (across.end, up(0.95))], "line", 0.8)
    drawing.text("95%", (across.start + 4, up(0.95) + 11), "muted", 10)
    if slo is not None:
        description += f"; the SLO is {formats.duration(slo)}"
        x = across(slo)
        right = x > (across.start + across.end) / 2
        drawing.line([(x, up.start), (x, up.end)], "ink", 1.4)
        at = (x - 4 if right else x + 4, up.end - 3)
        words = f"SLO {formats.duration(slo)}"
        drawing.text(words, at, "ink", 11.5, anchor="end" if right else "start")
    for arm, reached in reversed(curves.items()):
        points = [(across(time), up(share)) for time, share in reached]
        if reached[-1][1] < 1.0:
            # What never came leaves the curve level from its last answer on.
            points.append((across.end, points[-1][1]))
        _draw_curve(drawing, arm, points, _WIDTHS[arm])
    title = f"Distribution of the time to first token. {load_title(load.load)}"
    return drawing.render(f"ecdf-{place}-{size.name}", title, description)


def _time_at(points: Sequence[Point], share: float) -> str:
    reached = (time for time, done in points if done >= share - 1e-9)
    return formats.duration(next(reached, inf))


def _time_axis(curves: Curves, slo: float | None, size: PlotSize) -> tuple[Scale, list[float]]:
    times = [time for points in curves.values() for time, _ in points]
    times += [slo] if slo is not None else []
    low, high = min(times), max(times)
    ends = (_LEFT, size.width - _RIGHT)
    if low > 0.0 and high / low > 12.0:
        low, high = low / 1.1, high * 1.15
        return Scale(low, high, *ends, logarithmic=True), log_ticks(low, high, size.most)
    low, high = padded(times, 0.05, 0.002)
    low = max(low, 0.0)
    return Scale(low, high, *ends), even_ticks(low, high, size.most)


def render_course(load: LoadResult, place: int, size: PlotSize) -> str:
    """The median TTFT of every block over time, by arm, as an SVG; empty without blocks."""
    curves: Curves = {}
    for block in sorted(load.medians, key=lambda block: (ARMS.index(block.arm), block.at)):
        curves.setdefault(block.arm, []).append((block.at, unbound(block.ttft)))
    values = [value for points in curves.values() for value in _finite(points)]
    if not values:
        return ""
    last = max(at for points in curves.values() for at, _ in points)
    unit, word = (60.0, "minutes") if last > 300.0 else (1.0, "seconds")
    drawing = _new_plot(size, "Median TTFT of each block", f"Since the first block, {word}")
    end = last / unit or 1.0
    across = Scale(-0.03 * end, 1.03 * end, _LEFT, size.width - _RIGHT)
    # A small wobble must not fill the axis.
    low, high = padded(values, 0.1, max(0.5 * median(values), 2e-4))
    up = Scale(max(low, 0.0), high, size.height - _BOTTOM, _TOP)
    ticks = even_ticks(0.0, end, min(size.most, 6))
    levels = even_ticks(up.low, high, 7)
    draw_bottom_axis(drawing, across, up.start, [(tick, f"{tick:g}") for tick in ticks])
    draw_left_axis(drawing, up, across, [(level, tick_time(level)) for level in levels])
    for arm, blocks in reversed(curves.items()):
        _draw_blocks(drawing, arm, [(across(at / unit), value) for at, value in blocks], up)
    title = f"Median time to first token of each block, over time. {load_title(load.load)}"
    description = "; ".join(_course_words(arm, points) for arm, points in curves.items())
    return drawing.render(f"course-{place}-{size.name}", title, description)


def _finite(points: Sequence[Point]) -> list[float]:
    return [value for _, value in points if isfinite(value)]


def _draw_blocks(drawing: Drawing, arm: Arm, blocks: Sequence[Point], up: Scale) -> None:
    small = arm == "control"
    runs = [(finite, list(run)) for finite, run in groupby(blocks, lambda one: isfinite(one[1]))]
    # A block beyond every bound is a gap in the line.
    lines = [[(x, up(value)) for x, value in run] for finite, run in runs if finite]
    for line in lines:
        _draw_curve(drawing, arm, line, 0.9 if small else 1.3)
    for x in (x for finite, run in runs if not finite for x, _ in run):
        drawing.text("∞", (x, _TOP - 1), "ink", 12, anchor="middle")
    for point in chain.from_iterable(lines):
        drawing.marker(_POINTS[arm], point, 3.5 if small else 5.5, arm, edge_width=0.6)


def _course_words(arm: Arm, points: Sequence[Point]) -> str:
    finite = _finite(points)
    if not finite:
        return f"{arm}: every block beyond every bound"
    lost = len(points) - len(finite)
    beyond = f", {formats.counted(lost, 'block')} beyond every bound" if lost else ""
    extent = formats.interval(min(finite), max(finite), formats.duration)
    return f"{arm}: {formats.counted(len(points), 'block')}, {extent}{beyond}"


def render_ratios(load: LoadResult, rules: Sequence[RuleResult], place: int, layout: Layout) -> str:
    """The ratios of a load as an SVG, empty where there are none."""
    if not load.metrics:
        return ""
    pairs = [(metric, ratio_rule(metric, rules)) for metric in load.metrics]
    low, high = ratio_range(pairs)
    panel = Panel(
        title="Candidate divided by baseline",
        rows=[_ratio_row(load, metric, rule) for metric, rule in pairs],
        range=(low, high),
        ticks=[(tick, f"{tick:.4g}×") for tick in ratio_ticks(low, high, layout.most)],
        reference=1.0,
        logarithmic=True,
    )
    description = "; ".join(
        f"{metric_title(metric)}: {_ratio_words(metric)}" for metric in load.metrics
    )
    title = f"Candidate divided by baseline. {load_title(load.load)}"
    name = f"ratios-{place}-{layout.name}"
    return draw_panels([panel], layout).render(name, title, description)


def _ratio_words(metric: LatencyMetric) -> str:
    return in_words(span(metric.ratio, formats.ratio))


def _ratio_row(load: LoadResult, metric: LatencyMetric, rule: RuleResult | None) -> Row:
    ratio, control, limit = metric.ratio, metric.control, None if rule is None else rule.limit
    outcome: Outcome | None = None
    if rule is not None and limit is not None:
        outcome = "invalid" if load.problems else outcome_at(load, metric, rule)
    return Row(
        title=metric_title(metric),
        numbers=_ratio_words(metric),
        low=unbound(ratio.low),
        estimate=unbound(ratio.estimate),
        high=unbound(ratio.high),
        colour=outcome or "ink",
        marker=MARKERS[outcome] if outcome else "circle",
        bold=limit is not None,
        certain=metric.certifiable,
        limit=limit,
        good_above=False,
        control=(unbound(control.low), unbound(control.high)),
    )


def ratio_range(rows: Sequence[tuple[LatencyMetric, RuleResult | None]]) -> tuple[float, float]:
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
    ticks = log_ticks(low, high, most) if high / low > 8.0 else even_ticks(low, high, most)
    return sorted({1.0, *ticks})
