"""Files of training data, written as parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness.data.disjoint import DisjointSets
from harness.data.lint.pairs import MOST_COMPARED
from harness.data.rows import as_line, read_rows
from harness.data.split.assign import Assigned, assign
from harness.data.split.rows import SplitRows, own, read_split_rows, row_digest
from harness.data.split.settings import (
    RECORD,
    PartFile,
    SplitRecord,
    SplitSettings,
    read_split,
)  # fmt: skip
from harness.errors import UsageError
from harness.files import file_digest, replacing, write_atomic
from harness.leak.check import first_leak
from harness.leak.search import TrainingTexts

_ROUNDS = 3  # of looking for leaks and joining what leaks


@dataclass(frozen=True, slots=True)
class PartLeak:
    """A row whose question stands in an earlier part, with both places and parts."""

    place: str
    part: str
    kind: str
    other: str
    other_part: str


@dataclass(frozen=True, slots=True)
class Split:
    """What was divided and written.

    `bridges` are places of new rows that belong with rows of several parts, with those parts.
    `largest` is the number of rows in the largest set that stays together, `sets` of how many.
    """

    record: SplitRecord
    leaks: tuple[PartLeak, ...]
    bridges: tuple[tuple[str, tuple[str, ...]], ...]
    kept: int
    largest: int
    sets: int
    compared: int
    total: int


def split_files(
    files: Sequence[Path],
    folder: Path,
    settings: SplitSettings | None = None,
    *,
    encoding: str = "utf-8",
) -> Split:
    """Divide the files' rows into parts in a folder, JSON Lines in the files' own form.

    Where the folder holds a split, its rows keep their parts, and its settings are the ones.
    Groups, rows of one source, equal questions and near duplicates are never divided, and what the
    search for leaks finds in two parts is joined before anything is written. The parts and the
    record are each there whole or not at all.

    Raises:
        UsageError: a file or a row that cannot be read, or settings other than the folder's.
        StorageError: the place cannot be written.
    """
    before = read_split(folder)
    given = settings or (before.settings if before else None)
    if given is None:
        raise UsageError("no split is there to go by", where=str(folder))
    if before is not None and before.settings != given:
        raise UsageError(
            "was divided by other settings, and its rows cannot keep their parts under these",
            where=str(folder / RECORD),
            hint="leave the settings out, or name another folder",
        )
    found = read_split_rows(files, given, encoding)
    known = before.rows if before else {}
    sets = found.together()
    for _ in range(_ROUNDS):
        assigned = assign(found.rows, sets, given, known, before.until if before else ())
        leaks = list(_leaks(found, assigned, given))
        if not _join(sets, leaks, found, known):
            break
    members = sets.members()
    written = _write(files, folder, found, assigned, given, encoding)
    parts = {row.digest: part for row, part in zip(found.rows, assigned.parts, strict=True)}
    record = SplitRecord(
        **{name: getattr(given, name) for name in ("parts", "salt", "source", "time", "stratify")},
        until=assigned.until,
        inputs={str(path): file_digest(path) for path in files},
        files=written,
        leaks=len(leaks),
        rows={**known, **parts},
    )
    write_atomic(folder / RECORD, record.model_dump_json(indent=1) + "\n")
    return Split(
        record=record,
        leaks=tuple(_told(found, assigned, *one) for one in leaks),
        bridges=tuple((found.rows[one].place, parts) for one, parts in assigned.bridges),
        kept=sum(row.digest in known for row in found.rows),
        largest=max(map(len, members.values())),
        sets=len(members),
        compared=len(found.compared),
        total=len(found.rows),
    )


def _leaks(
    found: SplitRows, assigned: Assigned, settings: SplitSettings
) -> Iterator[tuple[int, int, str]]:
    """Each row of which an earlier part holds the question, with the row there and the kind."""
    order = {part: number for number, part in enumerate(settings.parts)}
    numbers = range(min(len(found.rows), MOST_COMPARED))
    of_part = [order[assigned.parts[one]] for one in numbers]
    for later in range(1, len(order)):
        before = [one for one in numbers if of_part[one] < later]
        asked = [one for one in numbers if of_part[one] == later and any(found.examples[one].asked)]
        turns = {one: [text for text in found.examples[one].asked if text] for one in asked}
        cases = [(text, str(one)) for one in asked for text in turns[one]]
        texts = TrainingTexts([found.examples[one] for one in before], cases)
        for one in asked if before else ():
            leak = first_leak(texts, turns[one])
            if leak is not None:
                yield one, before[leak[1]], leak[0]


def _join(
    sets: DisjointSets,
    leaks: Sequence[tuple[int, int, str]],
    found: SplitRows,
    known: dict[str, str],
) -> bool:
    """Join what leaks, but for two rows whose parts are known; whether anything was to join."""
    joined = False
    for one, other, _ in leaks:
        fresh = any(found.rows[place].digest not in known for place in (one, other))
        if fresh and sets.first(one) != sets.first(other):
            sets.join(one, other)
            joined = True
    return joined


def _told(found: SplitRows, assigned: Assigned, one: int, other: int, kind: str) -> PartLeak:
    return PartLeak(
        found.rows[one].place, assigned.parts[one], kind, found.rows[other].place,
        assigned.parts[other],
    )  # fmt: skip


def part_files(folder: Path, settings: SplitSettings) -> dict[str, Path]:
    """Where each part is written."""
    return {part: folder / f"{part}.jsonl" for part in settings.parts}


def _write(
    files: Sequence[Path],
    folder: Path,
    found: SplitRows,
    assigned: Assigned,
    settings: SplitSettings,
    encoding: str,
) -> dict[str, PartFile]:
    with ExitStack() as stack:
        paths = part_files(folder, settings)
        outs = {part: stack.enter_context(replacing(path)) for part, path in paths.items()}
        digests = {part: hashlib.sha256() for part in outs}
        rows = (row for path in files for _, row in read_rows(path, encoding))
        for known, part in zip(found.rows, assigned.parts, strict=True):
            row = next(rows, None)
            if not isinstance(row, Mapping) or row_digest(row) != known.digest:
                raise UsageError("changed while it was divided", where=known.place)
            line = as_line(own(row)).encode("utf-8", "backslashreplace")
            outs[part].write(line)
            digests[part].update(line)
    return {
        paths[part].name: PartFile(
            digest=f"sha256:{digests[part].hexdigest()}",
            rows=assigned.parts.count(part),
            groups=len({
                row.group for row, given in zip(found.rows, assigned.parts, strict=True)
                if given == part and row.group
            }),
        )
        for part in outs
    }  # fmt: skip
