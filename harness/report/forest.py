"""Forest plots: rows of intervals with their words, in panels that share an axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.records.verdict import Outcome, RuleResult, SliceResult
from harness.report.formats import Scale as RuleScale
from harness.report.formats import unit_named
from harness.report.losses import slice_numbers
from harness.report.rules import good_above, numbers_of, requirement, rule_name, scale_of, unit_of
from harness.svg import Colour, Drawing, Marker
from harness.svg_axes import Scale, draw_bottom_axis, even_ticks, padded, plain_labels
from harness.visible_text import one_line

# Told apart without colour too.
MARKERS: dict[Outcome, Marker] = {
    "pass": "circle", "fail": "cross", "inconclusive": "diamond", "invalid": "square",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes in CSS pixels. A stacked layout writes each row's words above its interval.

    `half` is half the height of the allowed area, `cap` that of a mark at an interval's ends,
    `head` the height of a heading, below which words begin `indent` further right. An axis has
    about `most` ticks, a title at most so many `letters`.
    """

    name: str
    width: int
    left: int
    right: int
    row: int
    half: float
    cap: float = 0.0
    head: int = 0
    indent: int = 0
    stacked: bool = False
    most: int = 8
    letters: int = 46


WIDE = Layout("wide", 1060, left=330, right=290, row=42, half=14.3, cap=6)
SLICES = (
    Layout("wide", 1060, left=330, right=320, row=30, half=10, head=28, indent=4, letters=44),
    Layout("narrow", 340, left=14, right=14, row=48, half=8, head=26, stacked=True, most=5),
)
NARROW = Layout("narrow", 340, left=14, right=14, row=84, half=10.9, cap=4.6, stacked=True, most=5)

_HEAD, _FOOT = 30, 34
_HEAD_LETTERS, _NAME = 48, 200
_LETTER, _DIGIT = 6.9, 5.7  # the width of a title's letter and of one of the numbers, about
_ORDER: tuple[RuleScale, ...] = ("difference", "value", "ratio")
_REFERENCE: dict[RuleScale, float | None] = {"difference": 0.0, "value": None, "ratio": 1.0}


@dataclass(frozen=True, slots=True)
class Row:
    """An interval with its words.

    An end that is infinite or None has no bound; where both are None there is no interval. A rule
    has words for what is `wanted` and an `outcome`. `control` is the interval of a control, `head`
    a heading above the row.
    """

    title: str
    numbers: str
    low: float | None
    estimate: float | None
    high: float | None
    colour: Colour
    marker: Marker
    wanted: str = ""
    outcome: str = ""
    bold: bool = False
    certain: bool = True
    limit: float | None = None
    good_above: bool = True
    control: tuple[float, float] | None = None
    head: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows on one axis, with a line at the `reference`."""

    title: str
    rows: Sequence[Row]
    range: tuple[float, float]
    ticks: Iterable[tuple[float, str]]
    reference: float | None
    logarithmic: bool = False


def draw_panels(panels: Sequence[Panel], layout: Layout) -> Drawing:
    """The panels below each other."""
    rows = [row for panel in panels for row in panel.rows]
    height = layout.row * len(rows) + layout.head * sum(bool(row.head) for row in rows)
    drawing = Drawing(layout.width, height + (_HEAD + _FOOT) * len(panels))
    top = 0.0
    for panel in panels:
        top = _draw_panel(drawing, panel, layout, top)
    return drawing


def _draw_panel(drawing: Drawing, panel: Panel, layout: Layout, top: float) -> float:
    """Draw a panel, and return where it ends."""
    scale = Scale(*panel.range, layout.left, layout.width - layout.right, panel.logarithmic)
    drawing.text(panel.title, (0, top + _HEAD - 9), "muted", 11.5)
    above = top + _HEAD
    for row in panel.rows:
        below = above + layout.row + (layout.head if row.head else 0)
        # In a stacked row the words take the upper part and the interval the lower.
        y = below - (layout.half + 6 if layout.stacked else layout.row / 2)
        if panel.reference is not None and scale.low <= panel.reference <= scale.high:
            x = scale(panel.reference)
            # Not through the words of a stacked row.
            begin = y - layout.half - 4 if layout.stacked else above
            drawing.line([(x, begin), (x, below)], "line", 1.2)
        if row.head:
            at = (0, above + layout.head / 2 + 8)
            head = _both_ends(row.head, _HEAD_LETTERS)
            drawing.text(head, at, "ink", 12.5, bold=True, whole=row.head)
        _draw_interval(drawing, scale, row, y, layout)
        _write_words(drawing, row, y, layout)
        above = below
    draw_bottom_axis(drawing, scale, above, panel.ticks, 10.5)
    return above + _FOOT


def _draw_interval(drawing: Drawing, scale: Scale, row: Row, y: float, layout: Layout) -> None:
    if row.limit is not None:
        limit = scale.pixel(row.limit)
        ends = (limit, scale.end) if row.good_above else (scale.start, limit)
        drawing.box(ends[0], y - layout.half, ends[1], y + layout.half, "allowed")
        drawing.line([(limit, y - layout.half), (limit, y + layout.half)], "ink", 1.6)
    if row.control is not None:
        _draw_extent(drawing, scale, row.control, y + 7, "control", 1.6)
    if row.low is not None or row.high is not None:
        low = -math.inf if row.low is None else row.low
        high = math.inf if row.high is None else row.high
        _draw_extent(drawing, scale, (low, high), y, row.colour, 2.4)
        for end in (low, high) if layout.cap else ():
            if math.isfinite(end):
                x = scale.pixel(end)
                drawing.line([(x, y - layout.cap), (x, y + layout.cap)], row.colour, 2.0)
    if row.estimate is not None:
        marker = row.marker if math.isfinite(row.estimate) else "right"
        at = (scale.pixel(row.estimate), y)
        size = 6.5 if row.control is not None and row.limit is None else 9
        edge = 1.0 if row.certain else 1.6
        drawing.marker(marker, at, size, row.colour, edge_width=edge, filled=row.certain)


def _draw_extent(
    drawing: Drawing, scale: Scale, ends: tuple[float, float], y: float, colour: Colour,
    width: float,
) -> None:  # fmt: skip
    drawing.line([(scale.pixel(end), y) for end in ends], colour, width)
    if ends[1] == math.inf:
        drawing.marker("right", (scale.end, y), 3 * width**0.5 + 2, colour, edge=None)


def _write_words(drawing: Drawing, row: Row, y: float, layout: Layout) -> None:
    left, right = layout.indent, layout.width - layout.right + 18
    title = _both_ends(row.title, layout.letters)
    if layout.stacked:
        last = y - layout.half - 12
        if row.wanted:
            title = f"{row.outcome.upper()}  {title}"
            drawing.text(title, (left, last - 30), row.colour, 12, bold=True, whole=row.title)
            drawing.text(row.wanted, (left, last - 15), "muted", 11)
            drawing.text(row.numbers, (left, last), "ink", 11)
        else:
            room = layout.width - left - _DIGIT * (len(row.numbers) + 2)
            title = _both_ends(row.title, int(room / _LETTER))
            drawing.text(title, (left, last), "ink", 12, bold=row.bold, whole=row.title)
            drawing.text(row.numbers, (layout.width, last), "ink", 10.5, anchor="end")
    elif row.wanted:
        drawing.text(title, (left, y - 2), "ink", 13, bold=True, whole=row.title)
        drawing.text(row.wanted, (left, y + 13), "muted", 11.5)
        drawing.text(row.outcome, (right, y - 2), row.colour, 13, bold=True)
        drawing.text(row.numbers, (right, y + 13), "ink", 11.5)
    else:
        drawing.text(title, (left, y + 4), "ink", 12, bold=row.bold, whole=row.title)
        drawing.text(row.numbers, (right, y + 4), "ink", 11.5)


def _both_ends(title: str, most: int) -> str:
    """The title in at most so many letters: names often differ in their ends."""
    if len(title) <= max(most, 8):
        return title
    end = max(most, 8) // 2
    return f"{title[: max(most, 8) - end - 1]}…{title[-end:]}"


def render_forest(rules: Sequence[RuleResult], layout: Layout = WIDE) -> str:
    """Every rule's estimate, interval and limit as an SVG; empty where no rule has numbers."""
    rows = [rule for rule in rules if rule.estimate is not None]
    if not rows:
        return ""
    # By the axis that rules share: differences first, then own values, then ratios.
    panels: dict[tuple[RuleScale, str], list[RuleResult]] = {}
    for rule in sorted(rows, key=lambda rule: _ORDER.index(scale_of(rule))):
        panels.setdefault((scale_of(rule), _unit(rule)), []).append(rule)
    drawing = draw_panels([_panel(own, layout) for own in panels.values()], layout)
    description = "; ".join(f"{_label(rule)}: {numbers_of(rule)}, {rule.outcome}" for rule in rows)
    title = "Estimate, interval and limit of every rule"
    return drawing.render(f"forest-{layout.name}", title, description, "forest")


def render_slices(results: Mapping[str, RuleResult], layout: Layout, number: int = 0) -> str:
    """A rule's slices as an SVG, the worst first; `results` are its results by candidate.

    The thin line of each is what holds of all slices at once. Of several candidates, each slice
    has a row for each. Drawings of one page have different numbers.
    """
    found = {
        name: {one.name: one for one in result.slices or ()} for name, result in results.items()
    }
    names = dict.fromkeys(name for slices in found.values() for name in slices)
    lone = len(found) == 1
    rows, words = [], []
    for name in names:
        for candidate, slices in found.items():
            if name in slices:
                # A name does not fit beside the numbers of a stacked row.
                inline = lone and not layout.stacked
                title = name if inline else "" if lone else candidate
                first = candidate == next(iter(found)) and not inline
                rows.append(_slice_row(slices[name], one_line(title, _NAME), name if first else ""))
                about = name if lone else f"{name}, {candidate}"
                words.append(f"{one_line(about, 120)}: {slice_numbers(slices[name])}")
    some = next(iter(found.values()))[next(iter(names))]
    unit_name = unit_of(None, some.definition)
    unit = unit_named(unit_name)
    ends = value_range(
        [end for row in rows for end in (row.low, row.high, row.limit, *(row.control or ()))],
        "difference",
        unit_name,
    )
    ticks = even_ticks(*ends, layout.most)
    labelled = zip(ticks, plain_labels(ticks), strict=True)
    title = f"Difference to the baseline by slice, {unit.difference_axis}"
    drawing = draw_panels([Panel(title, rows, ends, labelled, 0.0)], layout)
    return drawing.render(f"slices-{number}-{layout.name}", title, "; ".join(words), "forest")


def _slice_row(one: SliceResult, title: str, head: str) -> Row:
    unit = unit_named(unit_of(None, one.definition))
    lower_is_better = one.definition is not None and one.definition.lower_is_better
    return Row(
        title=title,
        numbers=slice_numbers(one),
        low=unit.factor * one.ci_low,
        estimate=unit.factor * one.estimate,
        high=unit.factor * one.ci_high,
        colour=one.outcome,
        marker=MARKERS[one.outcome],
        limit=unit.factor * one.limit,
        good_above=not lower_is_better,
        control=(unit.factor * one.joint_low, unit.factor * one.joint_high),
        head=one_line(head, _NAME),
        bold=one.outcome == "fail",
    )


def _panel(rules: Sequence[RuleResult], layout: Layout) -> Panel:
    scale, unit = scale_of(rules[0]), unit_named(_unit(rules[0]))
    title = {
        "difference": f"Difference to the baseline, {unit.difference_axis}",
        "value": f"The candidate's own value, {unit.axis}",
        "ratio": "Candidate divided by baseline",
    }[scale]
    ends = axis_range(rules)
    ticks = even_ticks(*ends, layout.most)
    labelled = zip(ticks, plain_labels(ticks), strict=True)
    return Panel(title, list(map(_row, rules)), ends, labelled, _REFERENCE[scale])


def _label(rule: RuleResult) -> str:
    return one_line(rule_name(rule), _NAME)


def _unit(rule: RuleResult) -> str:
    """The unit of the rule's axis; a ratio has none."""
    return "" if scale_of(rule) == "ratio" else unit_of(rule.metric, rule.definition)


def _row(rule: RuleResult) -> Row:
    scaled = unit_named(_unit(rule)).scaled
    return Row(
        title=_label(rule),
        numbers=numbers_of(rule),
        low=scaled(rule.ci_low),
        estimate=scaled(rule.estimate),
        high=scaled(rule.ci_high),
        colour=rule.outcome,
        marker=MARKERS[rule.outcome],
        wanted=requirement(rule),
        outcome=rule.outcome,
        limit=scaled(rule.limit),
        good_above=good_above(rule),
    )


def axis_range(rules: Sequence[RuleResult]) -> tuple[float, float]:
    """The ends of a panel's axis: everything drawn in it with room on both sides."""
    rows = map(_row, rules)
    values = [end for row in rows for end in (row.low, row.estimate, row.high, row.limit)]
    return value_range(values, scale_of(rules[0]), _unit(rules[0]))


def value_range(values: Iterable[float | None], scale: RuleScale, unit: str) -> tuple[float, float]:
    """The ends of an axis that holds the finite values and the scale's reference, with room."""
    known = [value for value in (*values, _REFERENCE[scale]) if value is not None]
    seen = [value for value in known if math.isfinite(value)] or [0.0]
    if unit == "share":
        # A value at the very edge needs room for its marker.
        least, edges = (4.0, (-104, 104)) if scale == "difference" else (10.0, (-3, 103))
        low, high = padded(seen, 0.08, least)
        return max(low, edges[0]), min(high, edges[1])
    least = 0.2 if scale == "ratio" else 0.2 * max(map(abs, seen)) or 1.0
    low, high = padded(seen, 0.08, least)
    return (max(low, 0.0) if min(seen) >= 0 else low), high
