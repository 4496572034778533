"""The ledger of sealed baselines: which of them a name stands for, and stood for before.

`baselines/ledger.jsonl` has a line for each promotion and each rollback, and no line is ever
changed. What a promotion replaces is kept under `baselines/<name>.earlier/<id>/`, its files laid
out as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import Field

from harness.errors import EvidenceError, UsageError
from harness.files import append_line, digest_json, read_bytes, write_atomic
from harness.gate.sealed_file import read_sealed
from harness.records.base import Record
from harness.storage.line_index import parse_json

LEDGER = "ledger.jsonl"
EARLIER = ".earlier"  # behind the name, the folder of what was replaced
# What lies beside a seal under its name: the receipt and its evidence.
BESIDE = (".intoto.jsonl", ".unsigned.intoto.jsonl", ".evidence.jsonl", ".leaves.txt")


class Entry(Record):
    """A line of the ledger: from this moment the name stands for the files with these seals.

    `seals` are by suite. What was `found` is a baseline that was sealed before there was a ledger.
    """

    schema_version: Literal[1] = 1
    action: Literal["found", "promote", "rollback"]
    name: str
    moment: str
    seals: dict[str, str] = Field(min_length=1)
    reason: str = ""

    @property
    def id(self) -> str:
        """What tells the promotion apart from others of its name."""
        return digest_json(self.seals).removeprefix("sha256:")[:12]


def entries(folder: Path) -> tuple[Entry, ...]:
    """The lines of the ledger, none where there is none; a torn last line is left out.

    Raises:
        EvidenceError: a line is damaged.
        StorageError: it cannot be read.
    """
    path = folder / LEDGER
    *lines, _torn = (read_bytes(path) or b"").split(b"\n")
    hint = "restore the committed file"
    return tuple(
        parse_json(line, Entry, f"{path}:{number}", hint, "is no line of the ledger: ")
        for number, line in enumerate(lines, 1)
    )


def note(folder: Path, entry: Entry) -> None:
    """Add a line to the ledger.

    Raises:
        StorageError: it cannot be written.
    """
    append_line(folder / LEDGER, entry.model_dump_json(exclude_defaults=True), access="public")


def sealed_place(folder: Path, name: str, suite: str) -> Path:
    """The file of the baseline that the name stands for in a suite; it need not be there.

    Raises:
        EvidenceError: the ledger names one that is gone, or its file is damaged.
    """
    live = folder / suite / f"{name}.json"
    known = [one for one in entries(folder) if one.name == name and suite in one.seals]
    if not known:
        return live
    wanted = known[-1]
    kept = folder_of(folder, wanted) / suite / f"{name}.json"
    for path in (live, kept):
        if path.is_file() and read_sealed(path).seal == wanted.seals[suite]:
            return path
    raise EvidenceError(
        f"the baseline {wanted.id} that {LEDGER} names is gone",
        where=str(live),
        hint=f"restore the committed files, or `harness rollback {name}`",
    )


def folder_of(folder: Path, entry: Entry) -> Path:
    """Where the files of a promotion are kept that another one has replaced."""
    return folder / f"{entry.name}{EARLIER}" / entry.id


def live_seals(folder: Path, name: str) -> tuple[dict[str, str], str]:
    """The seals of the files under that name by suite, and when they were sealed.

    Of files of several promotions, those of the last one. A file that cannot be read is left out:
    whoever replaces it need not read it.
    """
    found: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob(f"*/{name}.json")):
        try:
            record = read_sealed(path)
        except EvidenceError:
            continue
        found.setdefault(record.sealed, {})[path.parent.name] = record.seal
    moment = max(found, default="")
    return found.get(moment, {}), moment


def keep_earlier(folder: Path, name: str) -> None:
    """Keep the files that stand under that name, with their receipt, before they are replaced.

    Raises:
        StorageError: one cannot be read or written.
    """
    seals, moment = live_seals(folder, name)
    if not seals:
        return
    entry = Entry(action="found", name=name, moment=moment, seals=seals)
    if all(one.id != entry.id or one.name != name for one in entries(folder)):
        note(folder, entry)
    kept = folder_of(folder, entry)
    beside = [f"{name}{suffix}" for suffix in BESIDE]
    for place in (*(f"{suite}/{name}.json" for suite in seals), *beside):
        data = read_bytes(folder / place)
        if data is not None:
            write_atomic(kept / place, data, access="public")
    for place in beside:
        (folder / place).unlink(missing_ok=True)


def promotions(folder: Path, name: str) -> dict[str, Entry]:
    """The promotions of a name by their ids, the oldest first.

    Raises:
        EvidenceError: a line of the ledger is damaged.
    """
    found: dict[str, Entry] = {}
    for one in entries(folder):
        if one.name == name and one.action != "rollback":
            found.setdefault(one.id, one)
    return found


def names(folder: Path) -> tuple[str, ...]:
    """The name of every baseline that is there or was, sorted.

    Raises:
        EvidenceError: a line of the ledger is damaged.
    """
    there = {path.stem for path in folder.glob("*/*.json")}
    return tuple(sorted(there | {one.name for one in entries(folder)}))


def history_of(folder: Path, name: str) -> tuple[Entry, ...]:
    """The lines of a name, the oldest first; a baseline that the ledger does not know is `found`.

    Raises:
        EvidenceError: a line of the ledger is damaged.
    """
    known = tuple(one for one in entries(folder) if one.name == name)
    seals, moment = live_seals(folder, name)
    if known or not seals:
        return known
    return (Entry(action="found", name=name, moment=moment, seals=seals),)


def files_of(folder: Path, entry: Entry) -> dict[str, Path]:
    """Where the files of a promotion lie now, by suite; without those that are gone or changed."""
    found = {}
    for suite, seal in entry.seals.items():
        for place in (folder, folder_of(folder, entry)):
            path = place / suite / f"{entry.name}.json"
            with suppress(EvidenceError, UsageError):
                if read_sealed(path).seal == seal:
                    found[suite] = path
    return found


def current(folder: Path, name: str) -> str | None:
    """The id of the promotion that the name stands for; None where the ledger does not know it.

    Raises:
        EvidenceError: a line of the ledger is damaged.
    """
    return next((one.id for one in reversed(entries(folder)) if one.name == name), None)


def roll_back(folder: Path, name: str, to: str | None, moment: str, reason: str) -> Entry:
    """The promotion that the name stands for again; nothing is written but a line of the ledger.

    It is that before the present one, or the one whose id begins with `to`.

    Raises:
        UsageError: there is no such promotion.
        EvidenceError: its files are gone, or are not what was sealed.
    """
    if not history_of(folder, name):
        there = ", ".join(names(folder)) or "none"
        raise UsageError(f"no sealed baseline `{name}`", hint=f"there is {there}")
    known, now = promotions(folder, name), current(folder, name)
    chosen = _before(known, now, name) if to is None else _named(known, to, name)
    if chosen.id == now:
        raise UsageError(f"`{name}` stands for {chosen.id} already", hint="harness baselines")
    for suite in chosen.seals.keys() - files_of(folder, chosen).keys():
        raise EvidenceError(
            "is gone, or was changed after it was sealed",
            where=str(folder_of(folder, chosen) / suite / f"{name}.json"),
            hint="restore the committed files",
        )
    done = chosen.model_copy(update={"action": "rollback", "moment": moment, "reason": reason})
    note(folder, done)
    return chosen


def _before(known: Mapping[str, Entry], now: str | None, name: str) -> Entry:
    ids = list(known)
    if now not in ids or ids.index(now) == 0:
        raise UsageError(
            f"there is no baseline `{name}` from before",
            hint="`harness baselines` lists them; another name goes into `baseline:` of the policy",
        )
    return known[ids[ids.index(now) - 1]]


def _named(known: Mapping[str, Entry], to: str, name: str) -> Entry:
    found = [entry for key, entry in known.items() if key.startswith(to)]
    if len(found) != 1 or not to:
        raise UsageError(
            f"{len(found)} promotions of `{name}` begin with `{to}`",
            hint=f"there is {', '.join(known) or 'none'}",
        )
    return found[0]
