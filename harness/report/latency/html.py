"""The drawings of a latency section, ready to stand in a page."""

from __future__ import annotations

from dataclasses import dataclass

from harness.report.latency.axes import NARROW, WIDE
from harness.report.latency.curves import render_course, render_ecdf
from harness.report.latency.model import LatencyView, LoadView
from harness.report.latency.ratios import SIZES, render_ratios


@dataclass(frozen=True, slots=True)
class LoadDrawings:
    """SVG elements of one load, each for wide and narrow pages; empty where there is nothing."""

    ratios: tuple[str, ...]
    ecdf: tuple[str, ...]
    course: tuple[str, ...]


def draw_latency(view: LatencyView) -> tuple[LoadDrawings, ...]:
    """The drawings of every load."""
    return tuple(_draw(load, place) for place, load in enumerate(view.loads, 1))


def _draw(load: LoadView, place: int) -> LoadDrawings:
    # Ours, not a model's: cleaned drawings whose texts an XML writer has escaped.
    from markupsafe import Markup

    return LoadDrawings(
        ratios=tuple(Markup(render_ratios(load, place, size)) for size in SIZES),  # noqa: S704
        ecdf=tuple(Markup(render_ecdf(load, place, size)) for size in (WIDE, NARROW)),  # noqa: S704
        course=tuple(
            Markup(render_course(load, place, size))  # noqa: S704
            for size in (WIDE, NARROW)
        ),
    )
