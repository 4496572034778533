"""What a candidate's dossier says of the data that it was trained on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness.records.base import Record
from harness.records.leakage import LeakKind

Count = Annotated[int, Field(ge=0)]


class PartOfSplit(Record):
    """Which part of a split a data file is, by the `split.json` beside it.

    `record` is the digest of that file, `shares` what each part was to have, `leaks` how many rows
    of a part were asked in an earlier one. A file that was written to since is not `unchanged`.
    """

    part: str
    shares: dict[str, float]
    record: str
    leaks: Count
    unchanged: bool


class TrainedFile(Record):
    """One data file as it was trained on; `derived` counts the rows that another one was made into.

    A file that belongs to no split has no `split`.
    """

    digest: str
    conversations: Count
    derived: Count = Field(default=0, exclude_if=lambda count: count == 0)
    split: PartOfSplit | None = Field(default=None, exclude_if=lambda part: part is None)


class AcceptedFindings(Record):
    """What the linter found: how often each code was left as a warning, and was accepted by whom.

    `by` is empty where the recipe names nobody.
    """

    warnings: dict[str, Count] = Field(default_factory=dict)
    accepted: dict[str, Count] = Field(default_factory=dict)
    by: str = ""


class KnownLeaks(Record):
    """How many cases of the suites stood in the data, by kind, and in how many groups.

    `suites` are the digests of the suites by name.
    """

    suites: dict[str, str]
    compared: Count
    leaked: dict[LeakKind, Count] = Field(default_factory=dict)
    groups: Count = 0
    problems: tuple[str, ...] = ()


class TrainedData(Record):
    """The data of a training: its files by their names, and what was found in them.

    `lint` is None where the linter did not look, `leaks` where the suites could not be read.
    """

    files: dict[str, TrainedFile]
    lint: AcceptedFindings | None = None
    leaks: KnownLeaks | None = None
