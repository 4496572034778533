"""The ledger of collected questions: each group is for a suite or for training, for good."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from harness.errors import UsageError
from harness.files import append_line, read_bytes
from harness.leak.check import user_turns
from harness.leak.conversations import Trained
from harness.leak.vocabulary import split_words
from harness.records.base import Record, explain
from harness.records.suite import Suite

LEDGER = Path("data") / "ledger.jsonl"
Side = Literal["suite", "training"]


class Header(Record):
    """The ledger's first line: what decides the side of each group."""

    schema_version: Literal[1] = 1
    salt: str = Field(min_length=8)
    suite_share: float = Field(gt=0.0, lt=1.0)


class Entry(Record):
    """One line: what has become of a group. `questions` are what users said, without their data.

    The side of a group is decided when it is first proposed, and no later line changes it. It is
    drawn, but for what a suite asks already: that is the suite's. Groups of one `family`, as drafts
    from one passage are, have one side.
    """

    group: str = Field(min_length=1)
    side: Side
    state: Literal["proposed", "accepted", "dismissed"]
    questions: tuple[str, ...] = Field(min_length=1)
    drawn: bool = Field(default=True, exclude_if=lambda drawn: drawn)
    family: str = Field(default="", exclude_if=lambda family: not family)
    by: str = ""
    at: str


@dataclass(slots=True)
class Misplaced:
    """A row on the wrong side: its place, and the group that was given to the other side."""

    place: str
    group: str
    side: Side


@dataclass
class Ledger:
    """The ledger of a project; `groups` holds the last line of each group."""

    path: Path
    header: Header
    groups: dict[str, Entry] = field(default_factory=dict)

    def side_of(self, group: str, *, drawn: bool = True, family: str = "") -> Side:
        """The side of a group: the known one, or what a salted hash of its name says.

        A group that is not drawn is one that a suite asks already. Of a group of a `family` the
        hash is of that name.
        """
        known = self.groups.get(group)
        if known is not None:
            return known.side
        if not drawn:
            return "suite"
        digest = hashlib.sha256(f"{self.header.salt}\0{family or group}".encode()).digest()
        share = int.from_bytes(digest[:7]) / 2**56
        return "suite" if share < self.header.suite_share else "training"

    def add(self, entries: Iterable[Entry]) -> None:
        """Write down what has become of groups.

        Raises:
            StorageError: the place cannot be written.
        """
        if read_bytes(self.path) is None:
            append_line(self.path, self.header.model_dump_json())
        for entry in entries:
            append_line(self.path, entry.model_dump_json())
            self.groups[entry.group] = entry
        for known in ("_questions", "_families"):
            self.__dict__.pop(known, None)

    @cached_property
    def _questions(self) -> dict[str, Entry]:
        return {
            key_of(text): entry
            for entry in self.groups.values()
            if entry.state == "accepted"
            for text in entry.questions
        }

    @cached_property
    def _families(self) -> dict[str, Entry]:
        accepted = (entry for entry in self.groups.values() if entry.state == "accepted")
        return {entry.family: entry for entry in accepted if entry.family}

    def misplaced(
        self, rows: Iterable[tuple[str, str, Sequence[str]]], side: Side
    ) -> Iterator[Misplaced]:
        """The rows of one side that accepted groups of the other side hold.

        A row is its place, its group and what users say in it. It belongs to an accepted group
        where it has its name or its family's, or says the same as one of its questions but for case
        and punctuation.
        """
        for place, group, said in rows:
            asked = self._questions.get(key_of("\n".join(said)))
            found = [self.groups.get(group), self._families.get(group), asked]
            for entry in found:
                if entry is not None and entry.state == "accepted" and entry.side != side:
                    yield Misplaced(place, entry.group, entry.side)
                    break


def key_of(text: str) -> str:
    """A text as its words, so that case and punctuation make no difference."""
    return " ".join(split_words(text)) or text.strip()


def read_ledger(root: Path) -> Ledger | None:
    """The project's ledger; None where there is none.

    Raises:
        UsageError: a line that is damaged, or that moves a group to the other side.
        StorageError: it cannot be read.
    """
    path = root / LEDGER
    data = read_bytes(path)
    if data is None:
        return None
    lines = [(f"{path}:{number}", line)
             for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]  # fmt: skip
    kind: type[Header | Entry] = Header
    ledger: Ledger | None = None
    for place, line in lines:
        try:
            found = kind.model_validate_json(line)
        except ValidationError as error:
            raise UsageError(
                f"is no line of a ledger: {explain(error)}",
                where=place,
                hint="bring the file back from version control",
            ) from None
        if isinstance(found, Header):
            ledger, kind = Ledger(path, found), Entry
            continue
        assert ledger is not None
        side = ledger.side_of(found.group, drawn=found.drawn, family=found.family)
        if side != found.side:
            raise UsageError(
                f"`{found.group}` is for {side}, and this line moves it to {found.side}",
                where=place,
                hint="a group never changes its side: take the line out",
            )
        ledger.groups[found.group] = found
    return ledger


def open_ledger(root: Path, suite_share: float) -> Ledger:
    """The project's ledger, a new one with a salt of its own where there is none.

    Raises:
        UsageError: see `read_ledger`.
    """
    known = read_ledger(root)
    return known or Ledger(root / LEDGER, Header(salt=secrets.token_hex(16),
                                                 suite_share=suite_share))  # fmt: skip


def check_suites(root: Path, suites: Sequence[Suite]) -> None:
    """Nothing, where no case of the suites was given to training.

    Raises:
        UsageError: one was.
    """
    ledger = read_ledger(root)
    if ledger is not None:
        rows = (
            (f"{suite.name}/{section.name}/{case.id}", case.group, user_turns(case))
            for suite in suites
            for section, case in suite.cases()
        )
        _check(ledger, rows, "suite")


def check_training(root: Path, rows: Iterable[tuple[str, str, Sequence[str]]]) -> None:
    """Nothing, where no row of training data was given to a suite; see `Ledger.misplaced`.

    Raises:
        UsageError: one was.
    """
    ledger = read_ledger(root)
    if ledger is not None:
        _check(ledger, rows, "training")


def rows_of(examples: Iterable[Trained]) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Training examples as the rows of a check; their groups are not known."""
    for one in examples:
        yield one.place, "", [text for text in one.asked if text]


def _check(ledger: Ledger, rows: Iterable[tuple[str, str, Sequence[str]]], side: Side) -> None:
    found = next(ledger.misplaced(rows, side), None)
    if found is not None:
        here = "a suite" if side == "suite" else "training"
        raise UsageError(
            f"stands in {here}, and its group `{found.group}` was given to {found.side}",
            where=found.place,
            hint=f"take it out: what {LEDGER} has decided stays so",
        )
