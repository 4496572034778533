"""The forest plot: every rule's estimate, interval and limit, one panel for each scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.records.verdict import Outcome, RuleResult
from harness.report.formats import Scale as RuleScale
from harness.report.formats import unit_named
from harness.report.rules import (
    good_above,
    numbers_of,
    requirement,
    rule_name,
    scale_of,
    unit_of,
)
from harness.report.text import one_line
from harness.svg import Drawing, Marker
from harness.svg_axes import Scale, draw_bottom_axis, even_ticks, plain_labels

# Told apart without colour too.
MARKERS: dict[Outcome, Marker] = {
    "pass": "circle",
    "fail": "cross",
    "inconclusive": "diamond",
    "invalid": "square",
}


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
_ORDER: tuple[RuleScale, ...] = ("difference", "value", "ratio")
_REFERENCE: dict[RuleScale, float | None] = {"difference": 0.0, "value": None, "ratio": 1.0}


def render_forest(rules: Sequence[RuleResult], layout: Layout = WIDE) -> str:
    """The plot as an SVG element fit to stand inside a page, empty where no rule has numbers."""
    rows = [rule for rule in rules if rule.estimate is not None]
    panels = panels_of(rows)
    if not panels:
        return ""
    height = sum(_HEAD + _FOOT + layout.row * len(own) for own in panels)
    drawing = Drawing(layout.width, height)
    top = 0
    for own in panels:
        _draw_panel(drawing, own, layout, top)
        top += _HEAD + _FOOT + layout.row * len(own)
    description = "; ".join(f"{_label(rule)}: {numbers_of(rule)}, {rule.outcome}" for rule in rows)
    title = "Estimate, interval and limit of every rule"
    return drawing.render(f"forest-{layout.name}", title, description, "forest")


def panels_of(rules: Sequence[RuleResult]) -> list[list[RuleResult]]:
    """The rules by the axis they share: differences first, then own values, then ratios."""
    panels: dict[tuple[RuleScale, str], list[RuleResult]] = {}
    for scale in _ORDER:
        for rule in rules:
            if scale_of(rule) == scale:
                unit = "" if scale == "ratio" else unit_of(rule.metric, rule.definition)
                panels.setdefault((scale, unit), []).append(rule)
    return list(panels.values())


def _title(rule: RuleResult) -> str:
    unit = unit_named(unit_of(rule.metric, rule.definition))
    return {
        "difference": f"Difference to the baseline, {unit.difference_axis}",
        "value": f"The candidate's own value, {unit.axis}",
        "ratio": "Candidate divided by baseline",
    }[scale_of(rule)]


def _label(rule: RuleResult) -> str:
    return one_line(rule_name(rule), 46)


def _factor(rule: RuleResult) -> float:
    return (
        1.0
        if scale_of(rule) == "ratio"
        else unit_named(unit_of(rule.metric, rule.definition)).factor
    )


def _draw_panel(drawing: Drawing, rules: Sequence[RuleResult], layout: Layout, top: int) -> None:
    low, high = axis_range(rules)
    scale = Scale(low, high, layout.left, layout.width - layout.right)
    first, last = top + _HEAD, top + _HEAD + layout.row * len(rules)
    drawing.text(_title(rules[0]), (0, first - 9), "muted", 11.5)
    reference = _REFERENCE[scale_of(rules[0])]
    for place, rule in enumerate(rules):
        middle = first + layout.row * (place + 0.5)
        if reference is not None and low <= reference <= high:
            # Not through the words of a stacked row.
            above = middle + layout.row * (0.12 if layout.stacked else -0.5)
            x = scale(reference)
            drawing.line([(x, above), (x, middle + layout.row / 2)], "line", 1.2)
        # In a stacked row the words take the upper part and the interval the lower.
        _draw_interval(drawing, scale, rule, middle + 0.3 * layout.row * layout.stacked, layout)
        _write_words(drawing, rule, middle, layout)
    ticks = even_ticks(low, high, 5 if layout.stacked else 8)
    draw_bottom_axis(drawing, scale, last, zip(ticks, plain_labels(ticks), strict=True), 10.5)


def _draw_interval(
    drawing: Drawing, scale: Scale, rule: RuleResult, y: float, layout: Layout
) -> None:
    half, factor = layout.row * (0.13 if layout.stacked else 0.34), _factor(rule)
    if rule.limit is not None:
        limit = scale.pixel(factor * rule.limit)
        ends = (limit, scale.end) if good_above(rule) else (scale.start, limit)
        drawing.box(ends[0], y - half, ends[1], y + half, "allowed")
        drawing.line([(limit, y - half), (limit, y + half)], "ink", 1.6)
    if rule.ci_low is not None or rule.ci_high is not None:
        low = scale.start if rule.ci_low is None else scale.pixel(factor * rule.ci_low)
        high = scale.end if rule.ci_high is None else scale.pixel(factor * rule.ci_high)
        drawing.line([(low, y), (high, y)], rule.outcome, 2.4)
        for end in (rule.ci_low, rule.ci_high):
            if end is not None and math.isfinite(end):
                x, cap = scale.pixel(factor * end), half * 0.42
                drawing.line([(x, y - cap), (x, y + cap)], rule.outcome, 2.0)
    estimate = 0.0 if rule.estimate is None else factor * rule.estimate
    marker = MARKERS[rule.outcome] if math.isfinite(estimate) else "right"
    drawing.marker(marker, (scale.pixel(estimate), y), 9, rule.outcome)


def _write_words(drawing: Drawing, rule: RuleResult, middle: float, layout: Layout) -> None:
    label, wanted, numbers = _label(rule), requirement(rule), numbers_of(rule)
    if layout.stacked:
        title = f"{rule.outcome.upper()}  {label}"
        drawing.text(title, (0, middle - 28), rule.outcome, 12, bold=True)
        drawing.text(wanted, (0, middle - 13), "muted", 11)
        drawing.text(numbers, (0, middle + 2), "ink", 11)
        return
    right = layout.width - layout.right + 18
    drawing.text(label, (0, middle - 2), "ink", 13, bold=True)
    drawing.text(wanted, (0, middle + 13), "muted", 11.5)
    drawing.text(rule.outcome, (right, middle - 2), rule.outcome, 13, bold=True)
    drawing.text(numbers, (right, middle + 13), "ink", 11.5)


def axis_range(rules: Sequence[RuleResult]) -> tuple[float, float]:
    """The ends of a panel's axis: everything drawn in it with room on both sides."""
    scale, share = scale_of(rules[0]), unit_of(rules[0].metric, rules[0].definition) == "share"
    seen = [
        _factor(rule) * value
        for rule in rules
        for value in (rule.estimate, rule.ci_low, rule.ci_high, rule.limit)
        if value is not None
    ]
    reference = _REFERENCE[scale]
    seen += [] if reference is None else [reference]
    seen = [value for value in seen if math.isfinite(value)] or [0.0]
    low, high = min(seen), max(seen)
    floor = 0.2 if scale == "ratio" else 0.2 * max(abs(low), abs(high)) or 1.0
    if share and scale != "ratio":
        floor = 4.0 if scale == "difference" else 10.0
    room = max(0.08 * (high - low), (floor - (high - low)) / 2)
    low, high = low - room, high + room
    if share and scale == "value":
        # A value at the very edge needs room for its marker.
        return max(low, -3.0), min(high, 103.0)
    if share and scale == "difference":
        return max(low, -104.0), min(high, 104.0)
    return (max(low, 0.0) if min(seen) >= 0 else low), high
