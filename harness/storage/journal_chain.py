"""What is known of a journal from before: its chain of segments, and a log beside the runs.

Each time a process has written to a journal, the length and the digest that it has now become a
link of the chain in `run.json`, so that setting the seal of a run back does not open its journal to
edits. The log `journals.jsonl` beside the folder of runs says the same, and whether the journal was
written here: what was fetched from a bucket or laid there by a cache was not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from harness.errors import JournalError
from harness.files import append_line, cannot_read, digest_bytes, digest_json, read_bytes
from harness.records.base import Record
from harness.records.run import FileSeal, Link
from harness.storage.line_index import parse_json

LOG = "journals.jsonl"
_PIECE = 1024 * 1024
_ANEW = "delete the run's folder and run again"


def seal_of(path: Path, size: int | None = None) -> FileSeal:
    """The length and the digest of a file as it is now, or of its first `size` bytes.

    Of a file that is not there, they are nothing's.

    Raises:
        StorageError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.sha256()
            while data := file.read(_PIECE if size is None else min(_PIECE, size - file.tell())):
                digest.update(data)
            return FileSeal(size=file.tell(), digest=f"sha256:{digest.hexdigest()}")
    except FileNotFoundError:
        return FileSeal(size=0, digest=digest_bytes(b""))
    except OSError as error:
        raise cannot_read(error, path) from error


def extended(chain: Sequence[Link], run: str, seal: FileSeal) -> tuple[Link, ...]:
    """The chain with a link for what the journal of a run holds now, if that is more."""
    if chain and chain[-1].size >= seal.size:
        return tuple(chain)
    link = _link(chain[-1].link if chain else "", run, seal)
    return (*chain, Link(size=seal.size, digest=seal.digest, link=link))


def check_chain(chain: Sequence[Link], run: str, journal: Path) -> None:
    """Nothing, where the journal begins with what the chain of its run says.

    Raises:
        JournalError: it does not, or a link does not follow from those before it.
        StorageError: it cannot be read.
    """
    before = ""
    for link in chain:
        if link.link != _link(before, run, link):
            raise JournalError(
                "the chain of the journal's segments is broken", where=str(journal), hint=_ANEW
            )
        before = link.link
    if chain:
        check_beginning(journal, chain[-1])


def check_beginning(journal: Path, known: FileSeal) -> None:
    """Nothing, where the journal begins with these bytes.

    Raises:
        JournalError: it does not.
        StorageError: it cannot be read.
    """
    found = seal_of(journal, known.size)
    if (found.size, found.digest) != (known.size, known.digest):
        raise JournalError("was changed after it was written", where=str(journal), hint=_ANEW)


def _link(before: str, run: str, seal: FileSeal) -> str:
    return digest_json([before, run, seal.size, seal.digest])


class JournalState(Record):
    """A line of the log: what a run's journal held at a moment, in bytes.

    `foreign` of them were not written here; `open` says that a process began to write.
    """

    run: str
    size: int = Field(ge=0)
    digest: str
    foreign: int = Field(default=0, ge=0)
    open: bool = False


class JournalLog:
    """The log of the journals in a folder of runs."""

    def __init__(self, runs: Path) -> None:
        self.path = runs.parent / LOG

    @property
    def size(self) -> int:
        """How long the log is, in bytes."""
        return len(read_bytes(self.path) or b"")

    def states(self, run: str, begin: int = 0, end: int | None = None) -> list[JournalState]:
        """The states of a run's journal, oldest first, in the log or between two places of it.

        Raises:
            JournalError: a line on the run is damaged.
            StorageError: the log cannot be read.
        """
        *lines, _torn = (read_bytes(self.path) or b"")[begin:end].split(b"\n")
        name = f'"{run}"'.encode()
        hint = "delete that line; runs that were written before it are then not known to be"
        return [
            parse_json(line, JournalState, f"{self.path}:{number}", hint)
            for number, line in enumerate(lines, 1)
            if name in line
        ]

    def last(self, run: str) -> JournalState | None:
        """The last state of a run's journal, None where nothing is known."""
        return next(reversed(self.states(run)), None)

    def finished(self, run: str) -> JournalState | None:
        """The last state of a run's journal that a process left behind, if it still holds.

        What one began with may not have been on the disk yet, and a journal may begin anew.
        """
        found: JournalState | None = None
        for state in self.states(run):
            if not state.open:
                found = state
            elif found is not None and state.size < found.size:
                found = None
        return found

    def note(self, run: str, journal: Path, *, opened: bool = False, fetched: bool = False) -> None:
        """Keep what the journal of a run holds now.

        What it gained since the last time is foreign unless it was open for writing here; where it
        was `fetched`, all of it is.

        Raises:
            StorageError: the log cannot be written.
        """
        seal, known = seal_of(journal), self.last(run)
        gained = seal.size - (known.size if known is not None else 0)
        foreign = known.foreign if known is not None else 0
        if gained < 0 and known is not None and known.open and seal.size:  # a power cut took some
            gained = 0
        elif gained < 0:  # the journal began anew
            foreign, gained = 0, seal.size
            known = None
        if known is None or not known.open:
            foreign += gained
        if fetched:
            foreign = seal.size
        state = JournalState(
            run=run, size=seal.size, digest=seal.digest, foreign=foreign, open=opened
        )
        append_line(self.path, state.model_dump_json(exclude_defaults=True))

    def whole(self, run: str, journal: Path) -> bool:
        """Whether all that the journal of a run holds, or held before it went, was written here."""
        known = self.last(run)
        if known is None or known.foreign:
            return False
        return not journal.exists() or known.size == seal_of(journal).size
