"""What a split is told, and what it leaves beside its parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from harness.errors import UsageError
from harness.files import read_bytes
from harness.records.base import Record, explain

RECORD = "split.json"


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """The parts with their shares of the rows, in their order, and how rows are told apart.

    Of `source`, `time` and `stratify` each is a column, empty where it plays no part: rows of one
    source stay together, the oldest rows go to the first part, and each part has its share of
    every value of `stratify`.
    """

    parts: dict[str, float]
    salt: str = "split"
    source: str = ""
    time: str = ""
    stratify: str = ""


class PartFile(Record):
    """One part as it was written."""

    digest: str
    rows: int = Field(ge=0)
    groups: int = Field(ge=0)


class SplitRecord(Record):
    """A split, kept in `split.json` beside its parts: the part of each row by its digest.

    `until` holds the last time of each part but the last one, in seconds since 1970. `leaks`
    counts the rows of which an earlier part holds the question. Rows that are no longer in the
    files stay among `rows`, so that they find their part again.
    """

    schema_version: Literal[1] = 1
    parts: dict[str, float] = Field(min_length=2)
    salt: str
    source: str = ""
    time: str = ""
    stratify: str = ""
    until: tuple[float, ...] = ()
    inputs: dict[str, str]
    files: dict[str, PartFile]
    leaks: int = Field(ge=0)
    rows: dict[str, str]

    @property
    def settings(self) -> SplitSettings:
        """What the split was told."""
        return SplitSettings(self.parts, self.salt, self.source, self.time, self.stratify)


def read_split(folder: Path) -> SplitRecord | None:
    """The record of the split in a folder; None where there is none.

    Raises:
        UsageError: it is damaged.
        StorageError: it cannot be read.
    """
    data = read_bytes(folder / RECORD)
    if data is None:
        return None
    try:
        return SplitRecord.model_validate_json(data)
    except ValidationError as error:
        raise UsageError(
            f"is no record of a split: {explain(error)}",
            where=str(folder / RECORD),
            hint="bring it back from a copy; without it the rows would change their parts",
        ) from None
