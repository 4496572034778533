"""The losses of a training over its steps, drawn."""

from __future__ import annotations

from dataclasses import dataclass

from harness.svg import Colour, Drawing
from harness.svg_axes import (
    Scale,
    draw_bottom_axis,
    draw_left_axis,
    even_ticks,
    padded,
    plain_labels,
)
from harness.training.candidate import Curves, Dossier, Recipe

WIDE, PAGE, NARROW = 640, 1060, 340
_HEIGHT, _LEFT, _RIGHT, _BOTTOM = 300, 56, 16, 44
_TITLE = 26

# A name, a colour, and the loss at each step.
Series = tuple[str, Colour, list[tuple[int, float]]]


@dataclass(frozen=True, slots=True)
class Training:
    """How a candidate was trained: its dossier and its curves."""

    dossier: Dossier
    curves: Curves

    @property
    def words(self) -> str:
        """Steps, examples, what was learnt and the loss that was kept, in one sentence."""
        found, learnt = self.dossier, self.dossier.learnt
        parts = [f"{found.steps_done} steps{' (stopped early)' if found.stopped_early else ''}"]
        if learnt is not None:
            share = f"{learnt.learnt_tokens} of {learnt.tokens} tokens learnt"
            parts.append(f"{learnt.examples} examples, {share}")
        kept = f"validation loss {found.best_validation_loss:.3f} at step {found.best_step}"
        return ", ".join([*parts, kept])

    @property
    def drawings(self) -> tuple[str, str]:
        """The curves as `<svg>` elements for a page: for a wide window, and for a narrow one."""
        return (self._draw(PAGE, "wide"), self._draw(NARROW, "narrow"))

    def _draw(self, width: int, name: str) -> str:
        recipe, series = self.dossier.recipe, _series(self.curves)
        drawing = _draw(series, recipe, self.dossier.best_step, width, 0)
        title = f"Losses of the training of {recipe.name}"
        return drawing.render(f"losses-{name}", title, _described(series))


def draw_losses(curves: Curves, recipe: Recipe, best: int) -> str:
    """The training and validation losses over the steps, as an SVG document.

    `best` is the step of the adapter that was kept.
    """
    series = _series(curves)
    drawing = _draw(series, recipe, best, WIDE, _TITLE)
    drawing.text(recipe.name, (WIDE / 2, 20), "ink", 14, anchor="middle", bold=True)
    return drawing.render_document("loss", recipe.name, _described(series))


def _series(curves: Curves) -> list[Series]:
    train = [(one.step, one.train) for one in curves.points if one.train is not None]
    held = [(one.step, one.validation) for one in curves.points if one.validation is not None]
    both: list[Series] = [("train", "candidate", train), ("validation", "baseline", held)]
    return [one for one in both if one[2]]


def _described(series: list[Series]) -> str:
    return "; ".join(f"{name}: {values[-1][1]:.4g} at the end" for name, _, values in series)


def _draw(series: list[Series], recipe: Recipe, best: int, width: int, top: int) -> Drawing:
    unit = "loss (of preferences)" if recipe.method == "dpo" else "loss (nats per answer token)"
    drawing = Drawing(width, _HEIGHT + top)
    drawing.box(0, 0, width, _HEIGHT + top, "paper")
    drawing.text(unit, (4, top + 14), "muted", 11)
    drawing.text("step", (width - _RIGHT, _HEIGHT + top - 8), "muted", 11, anchor="end")
    if not series:
        return drawing
    floor = _HEIGHT + top - _BOTTOM
    across = _scale([float(x) for _, _, v in series for x, _ in v], _LEFT, width - _RIGHT)
    up = _scale([y for _, _, v in series for _, y in v], floor, top + 44)
    levels, steps = even_ticks(up.low, up.high, 6), even_ticks(across.low, across.high, width // 80)
    draw_left_axis(drawing, up, across, zip(levels, plain_labels(levels), strict=True))
    draw_bottom_axis(drawing, across, up.start, zip(steps, plain_labels(steps), strict=True))
    for place, (name, colour, values) in enumerate(series):
        points = [(across(x), up(y)) for x, y in values]
        if len(points) > 1:
            drawing.line(points, colour, 1.6)
        for point in points:
            drawing.marker("circle", point, 4, colour, edge_width=0.5)
        at = _LEFT + 80 * place
        drawing.line([(at, top + 28), (at + 18, top + 28)], colour, 2.2)
        drawing.text(name, (at + 24, top + 32), "ink", 11)
        if name == "validation" and best in dict(values):
            drawing.ring((across(best), up(dict(values)[best])), 11, "ink", 1.6)
            drawing.ring((at + 102, top + 28), 9, "ink", 1.6)
            drawing.text(f"kept (step {best})", (at + 112, top + 32), "ink", 11)
    return drawing


def _scale(values: list[float], start: float, end: float) -> Scale:
    low, high = min(values), max(values)
    return Scale(*padded(values, 0.05, 0.0 if high > low else 1.0), start, end)
