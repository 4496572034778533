"""The remote mirror of a project's runs: downloaded before a run is resumed, updated during it.

Object stores cannot append, so a run is written in a local folder, and new lines of its journal
are uploaded in numbered segments. A finished run is uploaded whole, its `run.json` last.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

from harness.clock import SYSTEM_CLOCK, Clock
from harness.errors import JournalError
from harness.files import exclusive, file_digest, read_bytes, write_atomic
from harness.records.run import FileSeal, RunHeader, names_run_of
from harness.storage.authentication import check_signed, runs_key
from harness.storage.journal_chain import seal_of
from harness.storage.journal_segments import LocalJournal, checked, missing, segments
from harness.storage.line_index import parse_json
from harness.storage.mirror_thread import BESIDE, Hold, put_up
from harness.storage.remote_store import Store
from harness.storage.run_folder import HEADER, JOURNAL, RunFolder, set_aside

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class Mirror:
    """The second place of a project's runs; none, if there is no `url`."""

    def __init__(
        self,
        store: Store | None,
        say: Callable[[str], None] = lambda _: None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._store = store
        self._say = say
        self._clock = clock

    @classmethod
    def open(cls, url: str | None, say: Callable[[str], None] = lambda _: None) -> Mirror:
        """The mirror at a configured `runs_dir`; it is not contacted yet.

        Raises:
            UsageError: the package that speaks the url's protocol is not installed.
        """
        return cls(None if url is None else Store.open(url), say)

    def fetch(
        self,
        runs: Path,
        target: str,
        wanted: Callable[[RunHeader], bool] = lambda _: True,
    ) -> None:
        """Download what the mirror has of a target's runs and the folder lacks.

        Raises:
            StorageError: the mirror cannot be read.
            JournalError: what is there is damaged.
        """
        if self._store is None:
            return
        for run in self._store.names():
            if not _RUN.fullmatch(run) or not names_run_of(run, target):
                continue
            header = _header(self._store.read(f"{run}/{HEADER}"), self._store.where(run), run)
            known = header is not None and (header.run_id, header.target) == (run, target)
            if header is not None and known and wanted(header):
                self._fetch(self._store, runs / run, header)

    def hold(self, folder: Path) -> Hold:
        """The right to write the run of that folder, for use in a `with`.

        Raises:
            JournalError: (on entering) another machine is writing it.
        """
        return Hold(self._store, folder, self._say, self._clock)

    def finish(self, folder: Path) -> None:
        """Upload a finished run whole, unless the mirror has it already, and delete its segments.

        Raises:
            StorageError: the mirror cannot be written.
        """
        if self._store is not None:
            put_up(self._store, folder)

    def _fetch(self, store: Store, folder: Path, theirs: RunHeader) -> None:
        ours = _header(read_bytes(folder / HEADER), str(folder), folder.name)
        if ours is not None and ours.freshness > theirs.freshness:
            return
        same = ours is not None and ours.freshness == theirs.freshness
        if ours is not None and same and ours.journal == theirs.journal is not None:
            return
        busy = JournalError("another process is writing this run", where=str(folder))
        try:
            with exclusive(folder / "lock", busy):
                before = seal_of(folder / JOURNAL)
                if ours is not None and not same:
                    set_aside(folder / JOURNAL)
                    ours = None
                if theirs.journal is not None:
                    self._fetch_whole(store, folder, theirs, theirs.journal, ours)
                else:
                    self._fetch_segments(store, folder, theirs, ours)
                if seal_of(folder / JOURNAL) != before:
                    RunFolder(folder).fetched()
        except JournalError as error:
            if error is not busy:  # whoever writes a run here has fetched it
                raise

    def _fetch_whole(
        self,
        store: Store,
        folder: Path,
        theirs: RunHeader,
        seal: FileSeal,
        ours: RunHeader | None,
    ) -> None:
        """Download a finished run, or merge its answers where the folder has others of its own."""
        name, arrived = f"{folder.name}/{JOURNAL}", folder / f".{JOURNAL}.fetched"
        try:
            there = store.download(name, arrived)
            if not there or (arrived.stat().st_size, file_digest(arrived)) != (
                seal.size,
                seal.digest,
            ):
                raise JournalError(
                    "is not what it was when the run was finished",
                    where=store.where(name),
                    hint="delete that run there; where it is complete, running again puts it up",
                )
            local, fetched = LocalJournal(folder / JOURNAL), LocalJournal(arrived)
            if local.answered <= fetched.answered:
                _unseal(folder, ours)
                os.replace(arrived, folder / JOURNAL)
                for beside in BESIDE:
                    data = store.read(f"{folder.name}/{beside}")
                    if data is not None:
                        write_atomic(folder / beside, data)
                write_atomic(folder / HEADER, theirs.model_dump_json(indent=2) + "\n")
            elif not fetched.answered <= local.answered:
                with arrived.open("rb") as file:
                    lines = checked(file, store.where(name))
                    local.merge(lines, partial(_unseal, folder, ours))
        finally:
            arrived.unlink(missing_ok=True)

    def _fetch_segments(
        self, store: Store, folder: Path, theirs: RunHeader, ours: RunHeader | None
    ) -> None:
        if runs_key() is not None:
            self._say(f"{store.where(folder.name)}: is not finished, so no key authenticates it")
            return
        local = LocalJournal(folder / JOURNAL)
        found = [one for one in segments(store, folder.name) if one.freshness == theirs.freshness]
        for gap in missing(found):
            where = store.where(f"{folder.name}/{gap.name}")
            self._say(f"{where}: is missing; what it held is asked again")
        for segment in found:
            name = f"{folder.name}/{segment.name}"
            lines = checked(BytesIO(store.read(name) or b""), store.where(name))
            local.merge(lines, partial(_unseal, folder, ours))
        if ours is None:
            write_atomic(folder / HEADER, theirs.model_dump_json(indent=2) + "\n")


def _unseal(folder: Path, header: RunHeader | None) -> None:
    """Let the folder's journal change, where it was sealed."""
    if header is not None and header.journal is not None:
        RunFolder(folder).write_header(header.reopened())


def _header(data: bytes | None, where: str, run: str) -> RunHeader | None:
    if data is None:
        return None
    hint = "delete the run there and run again"
    found = parse_json(data, RunHeader, f"{where}/{HEADER}", hint)
    check_signed(found, run, f"{where}/{HEADER}")
    return found
