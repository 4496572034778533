"""The frame that all drawings of a history share: one axis of time, with its marks above."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from harness.report.canvas import sketch
from harness.report.history.dates import time_labels, time_range, time_ticks
from harness.report.history.model import HistoryView, Mark
from harness.report.latency.axes import set_ticks
from harness.report.svg import COLOURS, clean_svg

_ROWS, _ROW_HEIGHT = 5, 15
_LETTER = 6.6  # a letter's width, about


@dataclass(frozen=True, slots=True)
class Size:
    """Of a drawing, in CSS pixels; `height` is that of the axes alone."""

    name: str
    width: int
    height: int
    left: int
    right: int
    marker: float
    ticks: int

    @property
    def inner(self) -> int:
        """The width between the axes' ends."""
        return self.width - self.left - self.right


WIDE = Size("wide", 1060, 210, left=108, right=24, marker=8.0, ticks=9)
NARROW = Size("narrow", 340, 180, left=52, right=14, marker=6.5, ticks=4)
SIZES = (WIDE, NARROW)
_BELOW, _ABOVE = 40, 10
_OVER = 3  # how far a label reaches beyond its mark


@dataclass(frozen=True)
class Frame:
    """The time of all gates of a view at one size, the same in every drawing of a page."""

    view: HistoryView
    size: Size

    def render(self, prefix: str, title: str, told: str, draw: Callable[[Any], None]) -> str:
        """The SVG of what `draw` puts on the axes."""
        name = f"{prefix}-{self.size.name}"
        drawn = sketch(self.size.width, self._height, name, lambda figure: draw(self._axes(figure)))
        return clean_svg(drawn, prefix=name, title=title, description=told, css="drawing")

    @cached_property
    def range(self) -> tuple[datetime, datetime]:
        """The ends of the axis of time."""
        moments = (gate.at for gate in self.view.gates)
        return time_range([*moments, *(mark.at for mark in self.view.marks)])

    @property
    def _top(self) -> int:
        return _ABOVE + _ROW_HEIGHT * (1 + max((row for _, row in self._rows), default=-1))

    @property
    def _height(self) -> int:
        return self._top + self.size.height + _BELOW

    def _axes(self, figure: Any) -> Any:
        size = self.size
        axes = figure.add_axes(
            (
                size.left / size.width,
                _BELOW / self._height,
                size.inner / size.width,
                size.height / self._height,
            )
        )
        for side in ("right", "top"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set_color(COLOURS["line"])
        axes.tick_params(axis="both", colors=COLOURS["muted"], length=3, labelsize=11, pad=3)
        axes.set_xlim(*self.range)
        self._set_time(axes)
        for promotions in (False, True):
            self._mark(axes, promotions)
        return axes

    def _set_time(self, axes: Any) -> None:
        from matplotlib.dates import date2num

        ticks = time_ticks(*self.range, self.size.ticks)
        shown = [
            (float(date2num(tick)), label)
            for tick, label in zip(ticks, time_labels(ticks), strict=True)
            if self._fits(tick, label)
        ]
        set_ticks(axes.xaxis, [tick for tick, _ in shown], [label for _, label in shown])

    def _fits(self, tick: datetime, label: str) -> bool:
        """Whether a label in the middle below its tick stays in the drawing."""
        half = _LETTER * max(map(len, label.split("\n"))) / 2
        return -self.size.left <= self._across(tick) - half and (
            self._across(tick) + half <= self.size.inner + self.size.right
        )

    def _across(self, moment: datetime) -> float:
        """How far from the left end of the axis a moment lies, in pixels."""
        low, high = self.range
        return self.size.inner * ((moment - low) / (high - low))

    @cached_property
    def _rows(self) -> list[tuple[Mark, int]]:
        """Each mark with the row of its label; −1 where every row is taken there."""
        ends = [float("-inf")] * _ROWS
        placed = []
        for mark in self.view.marks:
            at, wide = self._across(mark.at), _LETTER * len(_label(mark)) + 4
            begin = at - wide + _OVER if self._turned(mark) else at - _OVER
            row = next((row for row, taken in enumerate(ends) if taken <= begin), -1)
            if row >= 0:
                ends[row] = begin + wide
            placed.append((mark, row))
        return placed

    def _turned(self, mark: Mark) -> bool:
        """Whether a label ends at its mark, because it would leave the drawing."""
        wide = _LETTER * len(_label(mark)) + 4
        return self._across(mark.at) + wide > self.size.inner + self.size.right

    def _mark(self, axes: Any, promotions: bool) -> None:
        """A line at each promotion, or at each other mark, with its label where a row is free."""
        colour = COLOURS["candidate" if promotions else "muted"]
        rows = [(mark, row) for mark, row in self._rows if mark.is_promotion is promotions]
        axes.vlines(
            [mark.at for mark, _ in rows], 0, 1, transform=axes.get_xaxis_transform(),
            colors=colour, linewidth=1.2, linestyle="-" if promotions else (0, (2, 3)), zorder=1.5,
        )  # fmt: skip
        for mark, row in rows:
            if row < 0:
                continue
            turned = self._turned(mark)
            axes.annotate(
                _label(mark), (mark.at, 1), (_OVER if turned else -_OVER, 5 + _ROW_HEIGHT * row),
                xycoords=("data", "axes fraction"), textcoords="offset pixels", color=colour,
                ha="right" if turned else "left", fontsize=11, annotation_clip=False,
            )  # fmt: skip


def _label(mark: Mark) -> str:
    return f"▲ {mark.label}" if mark.is_promotion else mark.label
