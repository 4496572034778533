"""Which part each row belongs to."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np

from harness.data.disjoint import DisjointSets
from harness.data.split.rows import SplitRow
from harness.data.split.settings import SplitSettings


@dataclass(slots=True)
class Assigned:
    """The part of each row, in the order of the rows.

    `bridges` are the rows that are new and belong with rows of several parts, with those parts.
    """

    parts: list[str]
    until: tuple[float, ...] = ()
    bridges: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)


def assign(
    rows: Sequence[SplitRow],
    sets: DisjointSets,
    settings: SplitSettings,
    known: dict[str, str],
    until: tuple[float, ...] = (),
) -> Assigned:
    """Put each set of rows into one part.

    Rows with a part in `known`, by their digests, keep it, and so does what belongs with them. A
    set without any is put by a salted hash of its key; with `stratify` in the order of these
    hashes to the part that lacks most of its stratum, with `time` by its latest row. `until` are
    the last times of parts that are known already.
    """
    members = sets.members()
    done = Assigned([""] * len(rows), until)
    fresh = []
    for first, numbers in members.items():
        parts = {known[rows[one].digest] for one in numbers if rows[one].digest in known}
        if parts:
            _keep(rows, numbers, [one for one in settings.parts if one in parts], known, done)
        else:
            fresh.append(first)
    keys = {first: _hash(settings.salt, rows, members[first]) for first in fresh}
    fresh.sort(key=lambda first: keys[first])
    if settings.time:
        _by_time(rows, fresh, members, settings, done)
    elif settings.stratify:
        _by_stratum(rows, fresh, members, settings, done)
    else:
        ends = list(accumulate(settings.parts.values()))[:-1]
        for first in fresh:
            part = list(settings.parts)[bisect_left(ends, keys[first])]
            _put(done, members[first], part)
    return done


def _hash(salt: str, rows: Sequence[SplitRow], numbers: Sequence[int]) -> float:
    """A number from 0 to 1 that depends on the salt and the first of the set's names alone."""
    key = min(rows[one].group or rows[one].question or rows[one].digest for one in numbers)
    data = f"{salt}\0{key}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(data).digest()[:7]) / 2**56


def _put(done: Assigned, numbers: Sequence[int], part: str) -> None:
    for one in numbers:
        done.parts[one] = part


def _keep(
    rows: Sequence[SplitRow],
    numbers: Sequence[int],
    parts: Sequence[str],
    known: dict[str, str],
    done: Assigned,
) -> None:
    """Put a set with known rows where these are; a new row between several with its group."""
    of_group: dict[str, str] = {}
    for one in numbers:
        if rows[one].group and rows[one].digest in known:
            of_group[rows[one].group] = known[rows[one].digest]
    for one in numbers:
        part = known.get(rows[one].digest)
        if part is None:
            # Without a group in any of them: into the last, where it spoils itself alone.
            part = of_group.get(rows[one].group, parts[-1])
            if len(parts) > 1:
                done.bridges.append((one, tuple(parts)))
        done.parts[one] = part


def _by_time(
    rows: Sequence[SplitRow],
    fresh: Sequence[int],
    members: dict[int, list[int]],
    settings: SplitSettings,
    done: Assigned,
) -> None:
    latest = {first: max(rows[one].time for one in members[first]) for first in fresh}
    names = list(settings.parts)
    if not done.until:
        sizes = Counter[float]()
        for first in fresh:
            sizes[latest[first]] += len(members[first])
        times = sorted(sizes)
        held = np.cumsum([sizes[time] for time in times])
        ends = list(accumulate(settings.parts.values()))[:-1]
        cuts = (int(np.abs(held - end * len(rows)).argmin()) for end in ends)
        done.until = tuple(times[at] for at in cuts)
    for first in fresh:
        _put(done, members[first], names[bisect_left(done.until, latest[first])])


def _by_stratum(
    rows: Sequence[SplitRow],
    fresh: Sequence[int],
    members: dict[int, list[int]],
    settings: SplitSettings,
    done: Assigned,
) -> None:
    totals = Counter(row.stratum for row in rows)
    held: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row, part in zip(rows, done.parts, strict=True):
        if part:
            held[row.stratum][part] += 1
    for first in fresh:
        counts = Counter(rows[one].stratum for one in members[first])
        stratum = min(counts, key=lambda one: (-counts[one], one))
        lacks = {
            part: share * totals[stratum] - held[stratum][part]
            for part, share in settings.parts.items()
        }
        part = max(lacks, key=lambda one: lacks[one])
        held[stratum][part] += len(members[first])
        _put(done, members[first], part)
