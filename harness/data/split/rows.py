"""The rows of a split, and which of them ask so much alike that they stay together."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.data.disjoint import DisjointSets
from harness.data.lint.pairs import MOST_COMPARED, Compared
from harness.data.lint.row import DataRow, Unreadable, read_data_rows
from harness.data.split.settings import SplitSettings
from harness.errors import UsageError
from harness.leak.conversations import Trained, of_turns
from harness.leak.vocabulary import split_words
from harness.personal_data import Redactor

_MILLISECONDS = 1e11  # a time above it, the year 5138 in seconds, counts milliseconds
_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class SplitRow:
    """What decides a row's part: the digests of the row and of its question, and its columns.

    `time` is in seconds since 1970, 0 where none plays a part.
    """

    place: str
    digest: str
    question: str
    group: str
    source: str
    stratum: str
    time: float


@dataclass(slots=True)
class SplitRows:
    """All rows; of the first `MOST_COMPARED` also what they say and which are alike."""

    rows: list[SplitRow]
    examples: list[Trained]
    compared: Compared

    def together(self) -> DisjointSets:
        """The rows in sets: of one group, one source or one question, or near duplicates."""
        sets = DisjointSets(len(self.rows))
        known: dict[tuple[str, str], int] = {}
        for number, row in enumerate(self.rows):
            for key in (("group", row.group), ("source", row.source), ("", row.question)):
                if key[1]:
                    sets.join(known.setdefault(key, number), number)
        for number, first in enumerate(self.compared.clusters):
            sets.join(number, first)
        return sets


def read_split_rows(files: Sequence[Path], settings: SplitSettings, encoding: str) -> SplitRows:
    """Every row of the files, read as a stream.

    Raises:
        UsageError: a file or a row that cannot be read, no row at all, a column that no row has,
            or a time that is none.
    """
    found = SplitRows([], [], Compared())
    columns = [one for one in (settings.source, settings.stratify) if one]
    seen: set[str] = set()
    for row in read_data_rows(files, encoding):
        if isinstance(row, Unreadable):
            raise UsageError(
                Redactor().text(row.why),  # the reason may quote the row
                where=row.place,
                hint="correct the line or leave it out; `harness data` shows all of them",
            )
        found.rows.append(_split_row(row, settings))
        seen.update(column for column in columns if row.value(column) is not None)
        if len(found.examples) < MOST_COMPARED:
            found.compared.add(row)
            found.examples.append(of_turns(row.place, row.turns))
    if not found.rows:
        raise UsageError("no row in any of the files", where=str(files[0]))
    missing = next((column for column in columns if column not in seen), None)
    if missing is not None:
        raise UsageError(f"no row has a column `{missing}`", where=str(files[0]))
    return found


def _split_row(row: DataRow, settings: SplitSettings) -> SplitRow:
    return SplitRow(
        place=row.place,
        digest=row_digest(row.values),
        question=_digest(" ".join(split_words(row.asked))),
        group=row.group,
        source=_text(row, settings.source),
        stratum=_text(row, settings.stratify),
        time=_time(row, settings.time) if settings.time else 0.0,
    )


def row_digest(values: Mapping[str, Any] | None) -> str:
    """The digest of a row as it stands in its file, whatever the order of its keys."""
    return _digest(json.dumps(own(values), sort_keys=True, ensure_ascii=False, default=str))


def own(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """The row without what its file says of all rows."""
    return {key: value for key, value in (values or {}).items() if key != ""}


def _digest(text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:20] if text else ""


def _text(row: DataRow, column: str) -> str:
    value = row.value(column) if column else None
    return "" if value is None else str(value).strip()


def _time(row: DataRow, column: str) -> float:
    """The time of a row: ISO 8601, in UTC where it says no zone, or seconds since 1970."""
    value = row.value(column)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value / 1000 if value > _MILLISECONDS else float(value)
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise UsageError(
            f"`{column}` is no time",
            where=row.place,
            hint="write it as 2026-03-01T12:00:00Z, or as seconds since 1970",
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
