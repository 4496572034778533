"""The formats of numbers in reports, by the unit of the metric.

Pure functions, pinned by a table in the tests; `UNITS` is the one table of units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal

NONE = "–"
MINUS = "\u2212"
INFINITY = "∞"

Format = Callable[[float | None], str]
# What a rule's estimate is: candidate minus baseline, candidate over baseline, or its own value.
Scale = Literal["difference", "ratio", "value"]


def _signed(text: str) -> str:
    return text.replace("-", MINUS)


def count(value: int | None) -> str:
    """A whole number with thousands separated: `12,345`."""
    return NONE if value is None else _signed(f"{value:,}")


def counted(value: int, word: str) -> str:
    """A number of things: `1 answer`, `1,234 answers`."""
    return f"{count(value)} {word}{'' if value == 1 else 's'}"


def share(value: float | None, decimals: int = 1) -> str:
    """A share of 1 as a percentage: `91.2%`; only an exact 0 or 1 reads `0%` or `100%`."""
    if value is None:
        return NONE
    if value in (0.0, 1.0):
        return f"{value:.0%}"
    text = f"{100 * value:.{decimals}f}"
    smallest = f"{10**-decimals:.{decimals}f}"
    if 0.0 < value < 1.0 and float(text) == 100.0:
        return f">{100 - 10**-decimals:.{decimals}f}%"
    if value > 0.0 and float(text) == 0.0:
        return f"<{smallest}%"
    return _signed(f"{text}%")


def points(value: float | None, decimals: int = 1) -> str:
    """A difference of shares in percentage points, always with its sign: `+57.0 points`."""
    if value is None:
        return NONE
    scaled = 100 * value
    if float(f"{scaled:.{decimals}f}") != 0.0:
        return _signed(f"{scaled:+.{decimals}f} points")
    return _signed(f"{scaled:+.1g} points") if abs(scaled) >= 1e-3 else "0 points"


def milliseconds(value: float | None, decimals: int | None = None) -> str:
    """A time given in seconds, in milliseconds: `12.3 ms`, `1,234 ms`; infinity is `∞`."""
    if value is None:
        return NONE
    if math.isinf(value):
        return INFINITY
    scaled = 1000 * value
    places = (1 if abs(scaled) < 100 else 0) if decimals is None else decimals
    return _signed(f"{scaled:,.{places}f} ms")


def duration(value: float | None) -> str:
    """A time given in seconds, in the unit that fits: `4.21 ms`, `412 ms`, `1.23 s`, `184 s`."""
    if value is None or math.isinf(value):
        return milliseconds(value)
    if value < 0.9995:
        scaled = 1000 * value
        return f"{scaled:.{2 if scaled < 9.995 else 1 if scaled < 99.95 else 0}f} ms"
    return f"{value:,.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} s"


def ratio(value: float | None, decimals: int = 2) -> str:
    """Candidate over baseline: `1.10×`; infinity is `∞`."""
    if value is None or math.isinf(value):
        return NONE if value is None else INFINITY
    return _signed(f"{value:,.{decimals}f}×")


def number(value: float | None) -> str:
    """A number of unknown unit, to four significant digits."""
    if value is None:
        return NONE
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        return _signed(f"{value:.3g}")
    return _signed(f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}")


def amount(value: float | None) -> str:
    """An amount of money in whatever currency: `1,234.50`, below 1 to two digits: `0.042`."""
    if value is None:
        return NONE
    if value == 0.0:
        return "0"
    if value < 1e-6:
        return "< 0.000001"
    small = float(f"{value:.1e}")
    if small >= 1.0:
        return f"{value:,.2f}"
    return f"{small:.{1 - math.floor(math.log10(small))}f}"


def p_value(value: float | None) -> str:
    """A p-value to three decimals: `0.042`, `< 0.001`."""
    if value is None:
        return NONE
    if value < 0.001:
        return "< 0.001"
    return "> 0.999" if 0.9995 <= value < 1.0 else f"{value:.3f}"


def moment(text: str) -> str:
    """An ISO 8601 moment as `2026-11-20 14:05 UTC`; any other text as it is."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    if when.tzinfo is None:
        return text
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def interval(low: float | None, high: float | None, form: Format) -> str:
    """Both ends of an interval, `33.0% to 50.1%`; a unit that both ends share is named once."""
    if low is None and high is None:
        return NONE
    first, last = form(low), form(high)
    if first == last == INFINITY:
        return INFINITY
    _, space, unit = last.partition(" ")
    if space:
        first = first.removesuffix(f" {unit}")
    return f"{first} to {last}"


def quantity(value: float | None, decimals: int | None = None, *, name: str) -> str:
    """A value of a unit that has no format of its own: `2.317 nats/token`."""
    if value is None or math.isinf(value):
        return NONE if value is None else INFINITY
    text = number(value) if decimals is None else _signed(f"{value:,.{decimals + 2}f}")
    return f"{text} {name}"


def change(value: float | None, decimals: int | None = None, *, form: Callable[..., str]) -> str:
    """A difference of two values, always with its sign: `+0.12 nats/token`."""
    if value is None or math.isinf(value):
        return NONE if value is None else INFINITY
    text = form(abs(value)) if decimals is None else form(abs(value), decimals)
    return f"{'+' if value > 0 else MINUS if value < 0 else ''}{text}"


@dataclass(frozen=True, slots=True)
class Unit:
    """How the values of a unit are written and drawn.

    `value` and `difference` write a number, with so many decimals where they are given. An axis has
    `factor` times the number, `tick` after each and `axis` in its title.
    """

    value: Callable[..., str]
    difference: Callable[..., str]
    factor: float
    tick: str
    axis: str
    difference_axis: str

    def scaled(self, number: float | None) -> float | None:
        """The number as an axis has it."""
        return None if number is None else self.factor * number


UNITS = {
    "share": Unit(share, points, 100.0, "%", "%", "percentage points"),
    "seconds": Unit(milliseconds, partial(change, form=milliseconds), 1000.0, " ms", "ms", "ms"),
}


def unit_named(name: str) -> Unit:
    """The unit of a metric; one that the table does not have is written after its numbers."""
    known = UNITS.get(name)
    if known is not None:
        return known
    form = partial(quantity, name=name)
    return Unit(form, partial(change, form=form), 1.0, "", name, name)


def format_of(scale: Scale, unit: str, decimals: int | None = None) -> Format:
    """The function that writes a value on a scale, with more decimals where asked."""
    found = unit_named(unit)
    form = {"difference": found.difference, "value": found.value, "ratio": ratio}[scale]
    return form if decimals is None else partial(form, decimals=decimals)


def fine_format(
    scale: Scale, unit: str, limit: float | None, values: Iterable[float | None]
) -> Format:
    """A format fine enough that what differs from the limit does not print as the limit."""
    form = format_of(scale, unit)
    if limit is None:
        return form
    near = [value for value in values if value not in (None, limit)]
    for decimals in (None, 2, 3, 4):
        form = format_of(scale, unit, decimals)
        if all(form(value) != form(limit) for value in near):
            break
    return form
