"""Findings in lines for a terminal, of suites and of training data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

SHOWN = 3  # findings of one code in a section; the others are counted
Row = dict[str, Any]


def finding_lines(
    rows: Sequence[Row],
    most: int | None = SHOWN,
    *,
    everything: str = "harness lint --all",
    noun: str = "cases",
    counts: Counter[str] | None = None,
) -> Iterator[str]:
    """A line for each finding; of one code in a section the first `most`, and how many more.

    `counts` say by code how many there are where not all of them are among the rows.
    """
    totals = Counter(map(_kind, rows))
    seen = Counter[tuple[str, ...]]()
    for row in rows:
        kind = _kind(row)
        seen[kind] += 1
        level = "error: " if row["level"] == "error" else ""
        if most is None or seen[kind] <= most:
            more = f" ({len(row['cases'])} {noun})" if len(row["cases"]) > 2 else ""
            yield f"{row['where']}: {level}{row['code']}: {row['what']}{more}"
        elif seen[kind] == most + 1:
            total = totals[kind] if counts is None else counts[row["code"]]
            section = f"{kind[0]}.{kind[1]}: " if kind[1] else ""
            yield f"{section}{level}{kind[2]}: {total - most} more; `{everything}` shows them"


def _kind(row: Row) -> tuple[str, str, str]:
    return row["suite"], row["section"], row["code"]
