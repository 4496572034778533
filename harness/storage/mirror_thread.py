"""The thread that renews the lease of a run and uploads its journal while the run goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Set
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.clock import Clock
from harness.errors import HarnessError, JournalError
from harness.files import read_bytes
from harness.records.run import RunHeader
from harness.storage.journal_segments import Segment, checked, segments
from harness.storage.remote_store import Lease, Store
from harness.storage.run_folder import HEADER, JOURNAL, RECORDED

BESIDE = ("scores.jsonl", "server.log", RECORDED)
EVERY = 5.0
AT_MOST = 1024 * 1024
TICK = 0.5


def put_up(store: Store, folder: Path) -> None:
    """Upload a finished run whole, unless the store has it already; then delete its segments.

    Raises:
        StorageError: the store cannot be written.
    """
    run = folder.name
    data = read_bytes(folder / HEADER)
    if data is None:
        return
    recorded = read_bytes(folder / RECORDED)
    if store.read(f"{run}/{HEADER}") == data:
        # Python tests are run when the run is up already.
        if recorded is not None and store.read(f"{run}/{RECORDED}") != recorded:
            store.write(f"{run}/{RECORDED}", recorded)
        return
    for name in (JOURNAL, *BESIDE):
        if (folder / name).exists():
            store.upload(folder / name, f"{run}/{name}")
    store.write(f"{run}/{HEADER}", data)
    for segment in segments(store, run):
        store.delete(f"{run}/{segment.name}")


class Hold:
    """The right to write one run; use it in a `with`. Without a store it does nothing.

    New lines of the journal are uploaded every `EVERY` seconds, or once they are `AT_MOST` bytes. A
    store that cannot be reached for a while does not stop the run: it warns once, and at the
    end the rest goes up or the error is raised.
    """

    def __init__(
        self, store: Store | None, folder: Path, say: Callable[[str], None], clock: Clock
    ) -> None:
        self._store = store
        self._folder = folder
        self._say = say
        self._clock = clock
        self._lease = None if store is None else Lease(store, self._named("lease.json"), clock)
        self._lost: JournalError | None = None
        self._warned = False
        self._following = False
        self._freshness = 0
        self._number = 0
        self._offset = 0
        self._pushed = 0.0
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        if self._lease is not None:
            self._lease.take()
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lease is None:
            return
        self._stop.set()
        self._thread.join()
        try:
            if self._lost is None:
                self.push()
                self._lease.release()
        except HarnessError as failed:
            if error is None:
                raise
            self._say(failed.line)
        if error is None:
            self.check()

    def check(self) -> None:
        """Check that no other machine has taken the run over.

        Raises:
            JournalError: one has.
        """
        if self._lost is not None:
            raise self._lost

    def follow(self) -> None:
        """Upload what the mirror lacks of the journal now, and new lines from now on.

        To be called when the journal is open and `run.json` is that of a run under way.

        Raises:
            StorageError: the mirror cannot be written.
        """
        if self._store is None:
            return
        header = read_bytes(self._folder / HEADER) or b""
        self._freshness = RunHeader.model_validate_json(header).freshness
        known: set[str] = set()
        for segment in segments(self._store, self._folder.name):
            name = self._named(segment.name)
            if segment.freshness == self._freshness:
                there = BytesIO(self._store.read(name) or b"")
                lines = checked(there, self._store.where(name))
                known |= {key for _, key, answered in lines if answered}
        with self._turn:
            self._put_up(known)
            self._store.write(self._named(HEADER), header)
            self._following = True

    def push(self) -> None:
        """Upload the new lines of the journal.

        Raises:
            StorageError: the mirror cannot be written.
        """
        with self._turn:
            if self._following:
                self._put_up()

    def finish(self) -> None:
        """Upload the whole finished run.

        Raises:
            StorageError: the mirror cannot be written.
        """
        self.check()
        with self._turn:
            self._following = False
            if self._store is not None:
                put_up(self._store, self._folder)

    def _gained(self) -> bytes:
        """Whole lines that are not uploaded yet, about `AT_MOST` bytes of them."""
        path = self._folder / JOURNAL
        if not path.exists():
            return b""
        with path.open("rb") as file:
            file.seek(self._offset)
            data = b"".join(file.readlines(AT_MOST))
        return data[: data.rfind(b"\n") + 1]

    def _put_up(self, known: Set[str] | None = None) -> None:
        """Upload the new lines; those of the `known` keys are left out, if any are given."""
        assert self._store is not None
        assert self._lease is not None
        while data := self._gained():
            new = data
            if known is not None:
                lines = checked(BytesIO(data), str(self._folder))
                new = b"".join(line for line, key, _ in lines if key not in known)
            self._pushed = self._clock.now()
            if new:
                segment = Segment(self._freshness, self._lease.token, self._number + 1)
                self._store.write(self._named(segment.name), new)
                self._number += 1
            self._offset += len(data)

    def _beat(self) -> None:
        assert self._lease is not None
        while not self._stop.wait(TICK) and self._lost is None:
            try:
                self._lease.renew()
                if self._is_due():
                    self.push()
                    self._warned = False
            except JournalError as error:
                self._lost = error
            except HarnessError as error:
                if not self._warned:
                    self._say(f"{error.line}; the run goes on here")
                self._warned = True

    def _is_due(self) -> bool:
        if not self._following:
            return False
        path = self._folder / JOURNAL
        size = path.stat().st_size if path.exists() else 0
        late = self._clock.now() - self._pushed >= EVERY
        return late or size - self._offset >= AT_MOST

    def _named(self, name: str) -> str:
        return f"{self._folder.name}/{name}"
