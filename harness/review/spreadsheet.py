"""Tables for a spreadsheet, and cells that none takes for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@")


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The rows as CSV under a line with the columns' names."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue()


def _plain(value: object) -> object:
    if isinstance(value, str) and value.lstrip()[:1] in _FORMULA:
        return f"'{value}"
    return value


def unquoted(text: str) -> str:
    """A cell's text as it was before `as_csv` made it plain."""
    inner = text[1:]
    return inner if text[:1] == "'" and inner.lstrip()[:1] in _FORMULA else text
