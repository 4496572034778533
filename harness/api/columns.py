"""Columns: what a frame of the Python face holds, and a frame made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Column:
    """One column; what may be missing has a type that says `<NA>`, never NaN.

    `levels` are a category's values in their order; without them they are those that occur. Of a
    category nothing may be missing: pandas would show NaN.
    """

    name: str
    dtype: str
    meaning: str
    levels: tuple[str, ...] = ()


def frame(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """The rows as a frame of these columns, whether or not there are any rows."""
    import pandas as pd

    cells: list[list[Any]] = [[] for _ in columns]
    for row in rows:
        for column, value in zip(cells, row, strict=True):
            column.append(value)
    return pd.DataFrame(
        {
            column.name: _series(column, values)
            for column, values in zip(columns, cells, strict=True)
        }
    )


def _series(column: Column, values: list[Any]) -> pd.Series[Any]:
    import pandas as pd

    if column.dtype == "category":
        levels = column.levels or sorted(set(values))
        return pd.Series(pd.Categorical(values, categories=levels))
    # Arrow's strings, which pandas may prefer, refuse text that is no Unicode.
    dtype = pd.StringDtype("python") if column.dtype == "string" else column.dtype
    return pd.Series(values, dtype=dtype)


def markdown(columns: Iterable[Column]) -> str:
    """The columns as a table for a page."""
    lines = ["| column | type | what it holds |", "| --- | --- | --- |"]
    for column in columns:
        levels = ", ".join(f"`{level}`" for level in column.levels)
        meaning = f"{column.meaning}: {levels}" if levels else column.meaning
        lines.append(f"| `{column.name}` | {column.dtype} | {meaning} |")
    return "\n".join(lines) + "\n"
