"""Numbers as they stand in an answer."""

from __future__ import annotations

import math
import re

_NUMBER = re.compile(
    r"(?<!\w)(?<!\d[.,])"  # neither inside a word (`A4`) nor the tail of a longer number (`1.2.3`)
    r"(?P<sign>[-−+]?)[$€£¥]?\s?"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
)
_LONGEST = 40


def numbers(text: str) -> list[float]:
    """Every number in the text, in order: `1,234.50`, `$30`, `-4`, `.5`, `30 days`, `20%`.

    A unit, a currency or a percent sign is not part of the number. The point is the decimal sign
    and the comma parts thousands. Digits within a word (`A4`) and numbers of more than 40 digits
    are none.
    """
    found = []
    for match in _NUMBER.finditer(text):
        digits = match["digits"].replace(",", "")
        if len(digits) <= _LONGEST:
            value = float(digits)
            found.append(-value if match["sign"] in {"-", "−"} else value)
    return found


def has_number(text: str, wanted: float, tolerance: float) -> bool:
    """Whether any number in the text lies within the absolute tolerance of the wanted one."""
    slack = tolerance + 1e-9 * max(1.0, abs(wanted))  # what decimal fractions lose in binary
    return any(math.fabs(value - wanted) <= slack for value in numbers(text))
