"""Axes of the latency drawings: sizes, scales, ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.records.latency import Arm
from harness.report.svg import COLOURS

# Told apart without colour too: by dashes in curves, by marker in the course over time.
DASHES: dict[Arm, Any] = {"candidate": "-", "baseline": (0, (5, 2)), "control": (0, (1, 1.6))}
WIDTHS: dict[Arm, float] = {"candidate": 2.2, "baseline": 2.2, "control": 1.3}
MARKERS: dict[Arm, str] = {"candidate": "o", "baseline": "s", "control": "^"}


@dataclass(frozen=True, slots=True)
class Size:
    """Of a drawing with two axes, in CSS pixels."""

    name: str
    width: int
    height: int


WIDE, NARROW = Size("wide", 520, 320), Size("narrow", 340, 270)
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 26, 40, 40


def add_axes(figure: Any, size: Size, title: str, below: str) -> Any:
    """Axes with a title above and one below, both in words."""
    axes = figure.add_axes(
        (
            _LEFT / size.width,
            _BOTTOM / size.height,
            (size.width - _LEFT - _RIGHT) / size.width,
            (size.height - _TOP - _BOTTOM) / size.height,
        )
    )
    for side in ("right", "top"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(COLOURS["line"])
    axes.tick_params(axis="both", colors=COLOURS["muted"], length=3, labelsize=11, pad=3)
    beside = {"xycoords": "axes fraction", "textcoords": "offset pixels", "fontsize": 11.5}
    axes.annotate(title, (0, 1), (-_LEFT + 2, 24), color=COLOURS["muted"], **beside)
    axes.annotate(below, (1, 0), (0, -34), ha="right", color=COLOURS["muted"], **beside)
    return axes


def is_wide(low: float, high: float) -> bool:
    """Whether a range of times needs a logarithmic axis."""
    return low > 0.0 and high / low > 12.0


def log_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Round values within the range for a logarithmic axis, `most` of them or fewer."""
    for digits in ((1, 2, 5), (1, 3), (1,)):
        found = [
            digit * 10.0**power
            for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            for digit in digits
            if low <= digit * 10.0**power <= high
        ]
        if len(found) <= most:
            return found
    return found[:: math.ceil(len(found) / most)]


def set_ticks(axis: Any, places: Sequence[float], labels: Sequence[str]) -> None:
    """Exactly these ticks, no minor ones."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    axis.set_major_locator(FixedLocator(list(places)))
    axis.set_major_formatter(FixedFormatter(list(labels)))
    axis.set_minor_locator(NullLocator())


def even_ticks(low: float, high: float, most: int) -> list[float]:
    """Round values within the range, evenly spread."""
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(value) for value in found if low <= value <= high]


def tick_time(seconds: float) -> str:
    """A time on an axis: `200 ms`, `1.5 s`."""
    return f"{1000 * seconds:.4g} ms" if seconds < 0.9995 else f"{seconds:.4g} s"
