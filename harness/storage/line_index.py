"""Lines of a file by their key: indexed in one pass, each read when it is asked for."""

from __future__ import annotations

import json
import os
import weakref
from bisect import bisect_right
from collections import Counter
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    Set,
    ValuesView,
)
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from pydantic import ValidationError

from harness.errors import JournalError
from harness.files import cannot_read, read_bytes
from harness.records.attempt import EARLIER, OUTAGE, REPEATED
from harness.records.base import Record, explain

T = TypeVar("T", bound=Record)
_PIECE = 4096
_OUTAGE = 10  # so many cases that fail while none is answered are an outage, whatever the cause
# Bytes of lines whose records are kept: those of an ordinary run, which a gate goes through dozens
# of times, and little of a large one.
_KEPT = 2 * 1024 * 1024


class FailedHead(msgspec.Struct):
    """Why a line is no answer."""

    cause: str
    status: int | None = None


class Head(msgspec.Struct):
    """The fields of a line that an index needs."""

    key: str
    status: str
    reused_from: str | None = None
    failure: FailedHead | None = None
    retried: tuple[str, ...] = ()


_HEAD = msgspec.json.Decoder(Head)


@dataclass(frozen=True, slots=True)
class Index:
    """Where the records of a file begin, by key; which are failures, and the runs of the others.

    An origin of None is the run that the file belongs to. The lines that one process wrote are a
    segment of the file.
    """

    places: dict[str, int] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    origins: set[str | None] = field(default_factory=set)
    # By key, the segment of each failure, and why each try in it brought no answer.
    failures: dict[str, list[tuple[int, tuple[str, ...]]]] = field(default_factory=dict)
    answering: set[int] = field(default_factory=set)  # segments that hold an answer of their own
    failing: Counter[int] = field(default_factory=Counter)  # failures by segment

    def see(self, head: Head, place: int, segment: int) -> None:
        """Add a line: a success is kept, a failure only until another line of its key."""
        if head.key in self.places and head.key not in self.failed:
            return
        self.places[head.key] = place
        if head.status == "failed":
            self.failed.add(head.key)
            if (failure := head.failure) is not None:
                code = failure.cause if failure.status is None else str(failure.status)
                self.failures.setdefault(head.key, []).append((segment, (*head.retried, code)))
                self.failing[segment] += 1
        else:
            self.failed.discard(head.key)
            self.origins.add(head.reused_from)
            if head.reused_from is None:
                self.answering.add(segment)

    def causes(self, key: str) -> tuple[str, ...]:
        """Why a key was asked again, for each try that failed before.

        What failed in more than one segment is marked from the second on. One in which nobody was
        answered does not count where very many failed, or for what a server that is down says.
        """
        told: list[str] = []
        before = 0
        for segment, tries in self.failures.get(key, ()):
            down = tries[-1] in OUTAGE or self.failing[segment] >= _OUTAGE
            counts = segment in self.answering or not down
            told += (f"{REPEATED if counts and before else EARLIER}{cause}" for cause in tries)
            before += counts
        return tuple(told)


class Stored(Mapping[str, T], Generic[T]):
    """The records of a file by key, as of its opening.

    Of records, only those of the first few megabytes are held, so that the file may be larger than
    memory. `failed` holds the keys of failures; `origins` names the runs that the others come
    from, None for the file's own.
    An answer that came after failures of its key has them in `retried`.
    """

    __slots__ = (
        "__weakref__",
        "_handle",
        "_index",
        "_kept",
        "_kind",
        "_path",
        "_places",
        "_room",
        "failed",
        "origins",
    )

    def __init__(self, path: Path, kind: type[T], index: Index, handle: int) -> None:
        self._path = path
        self._kind = kind
        self._places = index.places
        self._handle = handle
        self._index = index
        self._kept: dict[str, T] = {}
        self._room = _KEPT
        self.failed: Set[str] = index.failed
        self.origins: Set[str | None] = index.origins
        weakref.finalize(self, os.close, handle)

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __getitem__(self, key: str) -> T:
        """The record of that key.

        Raises:
            KeyError: there is none.
            JournalError: its line is damaged.
        """
        if key in self._kept:
            return self._kept[key]
        place = self._places[key]
        line = self._line(place)
        try:
            record = json.loads(line)
            if record["key"] != key:
                raise ValueError("another line than there was")
            causes = () if key in self.failed else self._index.causes(key)
            if causes:
                record["retried"] = (*causes, *record.get("retried", ()))
            found = self._kind.model_validate(record)
        except (ValueError, TypeError, KeyError, ValidationError):
            number = 1 + os.pread(self._handle, place, 0).count(b"\n")
            raise damaged(self._path, number) from None
        if len(line) <= self._room:
            self._room -= len(line)
            self._kept[key] = found
        return found

    def before(self, size: int) -> Iterator[str]:
        """The keys of the answers that begin in the first `size` bytes of the file."""
        return (
            key for key, place in self._places.items() if place < size and key not in self.failed
        )

    def _line(self, place: int) -> bytes:
        line = b""
        while b"\n" not in line:
            piece = os.pread(self._handle, max(_PIECE, len(line)), place + len(line))
            if not piece:
                break
            line += piece
        return line.partition(b"\n")[0]


class Later(Collection[T], Generic[T]):
    """The records that `opened` returns; it is called at the first access."""

    def __init__(self, opened: Callable[[], Stored[T]]) -> None:
        self._opened = opened
        self._stored: Stored[T] | None = None

    def __len__(self) -> int:
        return len(self._records())

    def __iter__(self) -> Iterator[T]:
        return iter(self._records())

    def __contains__(self, record: object) -> bool:
        return record in self._records()

    def _records(self) -> ValuesView[T]:
        if self._stored is None:
            self._stored = self._opened()
        return self._stored.values()


def stored(
    path: Path,
    kind: type[T],
    *,
    torn_tail: bool,
    size: int | None = None,
    segments: Sequence[int] = (),
) -> Stored[T]:
    """The records of a file by key: the first answered or scored one, else the last failure.

    A file that is not there holds none. What follows the last line end is passed over where a
    torn tail is to be expected, and so is what begins after `size` bytes. `segments` says how many
    bytes the file held each time that a process had written to it, in order.

    Raises:
        JournalError: a line is damaged, or torn.
        StorageError: the file cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        handle = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise cannot_read(error, path) from error
    try:
        with open(handle, "rb", closefd=False) as lines:
            index = _index(lines, path, torn_tail, size, segments)
        return Stored(path, kind, index, handle)
    except OSError as error:
        os.close(handle)
        raise cannot_read(error, path) from error
    except BaseException:
        os.close(handle)
        raise


def _index(
    lines: Iterable[bytes], path: Path, torn_tail: bool, size: int | None, segments: Sequence[int]
) -> Index:
    index = Index()
    place = 0
    for number, line in enumerate(lines, start=1):
        if size is not None and place >= size:
            break
        if not line.endswith(b"\n"):
            if torn_tail:
                break
            raise JournalError(
                "ends in a torn line", where=str(path), hint="run again to write it anew"
            )
        try:
            index.see(_HEAD.decode(line), place, bisect_right(segments, place))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise damaged(path, number) from None
        place += len(line)
    return index


def read_json(path: Path, kind: type[T], hint: str, what: str = "") -> T | None:
    """The record in a JSON file, or None where there is no file; `what` begins the error.

    Raises:
        JournalError: the file holds no such record.
        StorageError: the file cannot be read.
    """
    data = read_bytes(path)
    return None if data is None else parse_json(data, kind, str(path), hint, what)


def parse_json(data: bytes, kind: type[T], where: str, hint: str, what: str = "") -> T:
    """The record in some JSON.

    Raises:
        JournalError: it is no such record.
    """
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        raise JournalError(f"{what}{explain(error)}", where=where, hint=hint) from None


def damaged(path: Path, number: int) -> JournalError:
    """The error for a line that is no record."""
    where = f"{path}:{number}"
    return JournalError("damaged line", where=where, hint="delete that line and run again")
