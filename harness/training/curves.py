"""Loss curves as a drawing."""

from __future__ import annotations

from harness.svg import Colour, Drawing
from harness.svg_axes import (
    Scale,
    draw_bottom_axis,
    draw_left_axis,
    even_ticks,
    padded,
    plain_labels,
)
from harness.training.candidate import Curves

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 44, 52


def draw(curves: Curves, title: str) -> str:
    """The training and validation losses over the steps, as an SVG document."""
    series: list[tuple[str, Colour, list[tuple[int, float]]]] = [
        ("train", "candidate", [(p.step, p.train) for p in curves.points if p.train is not None]),
        (
            "validation",
            "baseline",
            [(p.step, p.validation) for p in curves.points if p.validation is not None],
        ),
    ]
    series = [one for one in series if one[2]]
    drawing = Drawing(_WIDTH, _HEIGHT)
    drawing.box(0, 0, _WIDTH, _HEIGHT, "paper")
    drawing.text(title, (_WIDTH / 2, 22), "ink", 14, anchor="middle", bold=True)
    drawing.text("loss (nats per answer token)", (4, _TOP - 6), "muted", 11)
    drawing.text("step", (_WIDTH - _RIGHT, _HEIGHT - 12), "muted", 11, anchor="end")
    if series:
        _draw_series(drawing, series)
    description = "; ".join(f"{name}: {values[-1][1]:.4g} at the end" for name, _, values in series)
    return drawing.render_document("loss", title, description)


def _draw_series(
    drawing: Drawing, series: list[tuple[str, Colour, list[tuple[int, float]]]]
) -> None:
    across = _scale([float(x) for _, _, v in series for x, _ in v], _LEFT, _WIDTH - _RIGHT)
    up = _scale([y for _, _, v in series for _, y in v], _HEIGHT - _BOTTOM, _TOP)
    levels, steps = even_ticks(up.low, up.high, 6), even_ticks(across.low, across.high, 8)
    draw_left_axis(drawing, up, across, zip(levels, plain_labels(levels), strict=True))
    draw_bottom_axis(drawing, across, up.start, zip(steps, plain_labels(steps), strict=True))
    for place, (name, colour, values) in enumerate(series):
        points = [(across(x), up(y)) for x, y in values]
        if len(points) > 1:
            drawing.line(points, colour, 1.6)
        for point in points:
            drawing.marker("circle", point, 4, colour, edge_width=0.5)
        y = _TOP + 14 + 16 * place
        drawing.line([(_WIDTH - 118, y - 4), (_WIDTH - 98, y - 4)], colour, 2.2)
        drawing.text(name, (_WIDTH - 92, y), "ink", 11)


def _scale(values: list[float], start: float, end: float) -> Scale:
    low, high = min(values), max(values)
    return Scale(*padded(values, 0.05, 0.0 if high > low else 1.0), start, end)
