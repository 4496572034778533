"""Axes of drawings: scales from values to pixels, round ticks and their labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harness.svg import Drawing

_TIME_ROOM = 0.04
_LEAST_TIME = timedelta(minutes=1)
_SECONDS = (10, 30, 60, 120, 300, 600, 900, 1800)
_HOURS = (1, 2, 3, 6, 12)
_DAYS: tuple[tuple[int, ...], ...] = (
    tuple(range(1, 32)), tuple(range(1, 31, 2)), tuple(range(1, 29, 3)), (1, 8, 15, 22), (1, 15),
)  # fmt: skip
_MONTHS = (1, 2, 3, 6)
_YEARS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True, slots=True)
class Scale:
    """The pixel of a value, on an axis whose ends `low` and `high` lie at two pixels."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of the value, also beyond the ends."""
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = math.log(value), math.log(low), math.log(high)
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def pixel(self, value: float) -> float:
        """The pixel of the value, or of the end of the axis that it lies beyond."""
        return self(min(max(value, self.low), self.high))


def padded(values: Sequence[float], share: float, least: float) -> tuple[float, float]:
    """The ends of an axis with a share of the values' range as room on each side.

    The axis is at least `least` long.
    """
    low, high = min(values), max(values)
    room = max(share * (high - low), (least - (high - low)) / 2)
    return low - room, high + room


def draw_bottom_axis(
    drawing: Drawing, scale: Scale, y: float, ticks: Iterable[tuple[float, str]], size: float = 11
) -> None:
    """A line with ticks, each with its label of one or more lines below."""
    drawing.line([(scale.start, y), (scale.end, y)], "line", 0.8)
    for value, label in ticks:
        x = scale(value)
        drawing.line([(x, y), (x, y + 3)], "muted", 0.8)
        for row, words in enumerate(label.split("\n")):
            at = (x, y + 6 + 0.76 * size + 1.2 * size * row)
            drawing.text(words, at, "muted", size, anchor="middle")


def draw_left_axis(
    drawing: Drawing, scale: Scale, across: Scale, ticks: Iterable[tuple[float, str]]
) -> None:
    """A line at the left end of `across`, and its ticks with their labels and lines of a grid."""
    x = across.start
    drawing.line([(x, scale.start), (x, scale.end)], "line", 0.8)
    for value, label in ticks:
        y = scale(value)
        drawing.line([(x, y), (across.end, y)], "line", 0.8)
        drawing.line([(x - 3, y), (x, y)], "muted", 0.8)
        drawing.text(label, (x - 6, y + 4), "muted", 11, anchor="end")


def even_ticks(low: float, high: float, most: int) -> list[float]:
    """Round values within the range, evenly spread, `most` and one or fewer."""
    step = (high - low) / most
    power = 10.0 ** math.floor(math.log10(step))
    steps = [digits * power / 10 for digits in (1, 2, 2.5, 5, 10, 20, 25, 50, 100)]
    first = next(place for place, size in enumerate(steps) if size >= step * (1 - 1e-9))
    for size in reversed(steps[: first + 1]):
        found = _multiples(low, high, size)
        if len(found) > 1:
            return found
    return _multiples(low, high, steps[0])


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    # Rounded, because a sum of steps is not: 0.1 three times is not 0.3.
    return [round(place * step, 12) + 0.0 for place in range(first, last + 1)]


def plain_labels(ticks: Sequence[float]) -> list[str]:
    """The ticks as numbers, all with as many decimals as the finest of them needs."""
    decimals = next(
        (n for n in range(7) if all(abs(tick - round(tick, n)) < 1e-9 for tick in ticks)), 7
    )
    return [f"{tick:.{decimals}f}".replace("-", "\u2212") for tick in ticks]


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


def time_range(moments: Iterable[datetime]) -> tuple[datetime, datetime]:
    """The ends of an axis that holds all the moments with room on both sides."""
    seen = sorted(moments)
    low, high = seen[0], seen[-1]
    room = max(_TIME_ROOM * (high - low), (_LEAST_TIME - (high - low)) / 2)
    return low - room, high + room


def time_ticks(low: datetime, high: datetime, most: int) -> list[datetime]:
    """Round moments within the range in UTC, `most` of them or fewer."""
    found: list[datetime] = []
    for ticks in _time_grids(low.astimezone(UTC), high.astimezone(UTC), most):
        found = [tick for tick in ticks if low <= tick <= high]
        if len(found) <= most:
            break
    return found


def _time_grids(low: datetime, high: datetime, most: int) -> Iterator[Iterator[datetime]]:
    """Grids of moments around the range, each coarser than the one before."""
    span = high - low
    midnight = low.replace(hour=0, minute=0, second=0, microsecond=0)
    clocks = [timedelta(seconds=one) for one in _SECONDS] + [timedelta(hours=one) for one in _HOURS]
    for step in clocks:
        if span <= step * (most + 1):
            first, last = int((low - midnight) / step), int((high - midnight) / step) + 1
            yield (midnight + step * place for place in range(first, last + 1))
    months = [(year, month) for year in range(low.year, high.year + 1) for month in range(1, 13)]
    for days in _DAYS:
        if span <= timedelta(days=31) * (most + 1):
            yield (_day(year, month, day) for year, month in months for day in days
                   if day <= _last_day(year, month))  # fmt: skip
    for step_months in _MONTHS:
        yield (_day(year, month) for year, month in months if (month - 1) % step_months == 0)
    for years in _YEARS:
        yield (_day(year) for year in range(low.year, high.year + 1) if year % years == 0)


def _day(year: int, month: int = 1, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def _last_day(year: int, month: int) -> int:
    return ((_day(year, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day


def time_labels(ticks: Sequence[datetime]) -> list[str]:
    """A label for each tick: what it shares with the tick before it is left away."""
    clocks = any(tick.hour or tick.minute or tick.second for tick in ticks)
    form = "%H:%M:%S" if any(tick.second for tick in ticks) else "%H:%M"
    months = not clocks and all(tick.day == 1 for tick in ticks) and len(ticks) > 1
    labels = []
    before: datetime | None = None
    for tick in ticks:
        new_year = before is None or before.year != tick.year
        new_day = before is None or before.date() != tick.date()
        day = f"{tick:%b}" if months else f"{tick.day} {tick:%b}"
        date = f"{day} {tick.year}" if new_year else day
        clock = f"{tick:{form}}"
        labels.append((f"{clock}\n{date}" if new_day else clock) if clocks else date)
        before = tick
    return labels
