"""Segments of a journal in a remote store, merged by key."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from harness.errors import JournalError
from harness.files import make_folder, open_private
from harness.records.attempt import Attempt
from harness.storage.remote_store import Store

FOLDER = "attempts"
_SEGMENT = re.compile(r"(\d+)-([0-9a-f]{8})-(\d{5,})\.jsonl")


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a journal that was uploaded: its number within one process, at one freshness."""

    freshness: int
    token: str
    number: int

    @property
    def name(self) -> str:
        """Where it is, below its run."""
        return f"{FOLDER}/{self.freshness}-{self.token}-{self.number:05d}.jsonl"


def segments(store: Store, run: str) -> list[Segment]:
    """The segments of a run, in order."""
    found = (_SEGMENT.fullmatch(name) for name in store.names(f"{run}/{FOLDER}"))
    made = [Segment(int(one[1]), one[2], int(one[3])) for one in found if one is not None]
    return sorted(made, key=lambda one: (one.freshness, one.token, one.number))


def missing(found: Iterable[Segment]) -> list[Segment]:
    """Segments that are missing, because later ones of the same process exist."""
    numbers: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
    for one in found:
        numbers[one.freshness, one.token].add(one.number)
    return [
        Segment(freshness, token, number)
        for (freshness, token), known in numbers.items()
        for number in range(1, max(known))
        if number not in known
    ]


def checked(lines: Iterable[bytes], where: str) -> Iterator[tuple[bytes, str, bool]]:
    """Each line of a journal with its key, and whether it is an answer.

    Raises:
        JournalError: a line is no attempt, or the last one is torn.
    """
    for number, line in enumerate(lines, start=1):
        try:
            if not line.endswith(b"\n"):
                raise ValueError("torn")
            attempt = Attempt.model_validate(json.loads(line))
        except (ValueError, ValidationError):
            raise JournalError(
                "damaged",
                where=f"{where}:{number}",
                hint="delete that file; what it held is asked again",
            ) from None
        yield line, attempt.key, attempt.status == "answered"


class LocalJournal:
    """The journal of a run's folder, as far as its lines are whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = 0
        self._known: dict[str, bool] = {}
        if path.exists():
            with path.open("rb") as file:
                whole = (line for line in file if line.endswith(b"\n"))
                for line, key, answered in checked(whole, str(path)):
                    self._size += len(line)
                    self._known[key] = answered or self._known.get(key, False)

    @property
    def answered(self) -> set[str]:
        """The keys that have an answer."""
        return {key for key, answered in self._known.items() if answered}

    def merge(self, lines: Iterable[tuple[bytes, str, bool]], before: Callable[[], None]) -> None:
        """Append the lines that are new; the first answer to a key stays, failures give way.

        `before` is called ahead of any change.
        """
        make_folder(self.path.parent)
        with open(self.path, "ab", opener=open_private) as file:
            changed = False
            for line, key, answered in lines:
                if key in self._known and (self._known[key] or not answered):
                    continue
                if not changed:
                    before()
                    file.truncate(self._size)
                    changed = True
                file.write(line)
                self._size += len(line)
                self._known[key] = answered
            file.flush()
            os.fsync(file.fileno())
