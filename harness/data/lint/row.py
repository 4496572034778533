"""A conversation of a training file as the linter reads it, faults included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.data.rows import read_rows
from harness.leak.conversations import turns_of
from harness.scorers.refusal.languages import guess

_READ = 400  # characters by which a language is told


@dataclass(frozen=True)
class DataRow:
    """One row: its place, the role and text of each turn, its group, and what it rejects.

    `values` is the row as it stands in the file. A role that is not known is empty.
    """

    place: str
    turns: tuple[tuple[str, str], ...]
    group: str = ""
    rejected: str = ""
    values: Mapping[str, Any] | None = None

    @cached_property
    def answer(self) -> str:
        """The last answer; empty where there is none."""
        return next((text for role, text in reversed(self.turns) if role == "assistant"), "")

    @cached_property
    def asked(self) -> str:
        """All that stands before the last answer but the system prompt."""
        turns = self.turns[:-1] if self.turns and self.turns[-1][0] == "assistant" else self.turns
        return "\n".join(text for role, text in turns if role != "system")

    @cached_property
    def question(self) -> str:
        """The user's last turn; empty where there is none."""
        return next((text for role, text in reversed(self.turns) if role == "user"), "")

    @cached_property
    def system(self) -> str:
        """The system prompt; empty where there is none."""
        return next((text for role, text in self.turns if role == "system"), "")

    @cached_property
    def language(self) -> str:
        """The code of the language that the answer seems to be in; empty where that is unclear."""
        return guess(self.answer[:_READ])

    def value(self, column: str) -> Any:
        """What stands in the row under a name, or under names with points between; else None."""
        found: Any = self.values
        if isinstance(found, Mapping) and column in found:
            return found[column]
        for part in column.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    @property
    def texts(self) -> Iterator[tuple[str, str]]:
        """Each text with the words for its place."""
        for number, (role, text) in enumerate(self.turns, 1):
            yield f"turn {number} ({role or 'unknown role'})", text
        if self.rejected:
            yield "the rejected answer", self.rejected


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that is no conversation, with the reason."""

    place: str
    why: str


def read_data_rows(
    files: Sequence[Path], encoding: str = "utf-8"
) -> Iterator[DataRow | Unreadable]:
    """Each row of the files in their order, as a stream.

    Raises:
        UsageError: a file that cannot be read at all.
    """
    for path in files:
        for place, row in read_rows(path, encoding):
            yield data_row(place, row)


def data_row(place: str, row: Any) -> DataRow | Unreadable:
    """The conversation of a row in any form that trainers read."""
    if not isinstance(row, Mapping):
        return Unreadable(place, str(row) if isinstance(row, ValueError) else "is no object")
    kept = {key: value for key, value in row.items() if key != "rejected"}
    turns = tuple(turns_of(kept))
    if not turns:
        return Unreadable(place, "is no conversation in a form that trainers read")
    rejected = ""
    if row.get("rejected"):
        other = {key: value for key, value in row.items() if key != "chosen"}
        rejected = next(
            (text for role, text in [*turns_of(other)][::-1] if role == "assistant"), ""
        )
    group = row.get("group")
    return DataRow(place, turns, group.strip() if isinstance(group, str) else "", rejected, row)
