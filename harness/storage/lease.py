"""A lease: which machine is writing a run, for as long as it says so often enough."""

from __future__ import annotations

import os
import platform
import secrets
from pathlib import Path

from pydantic import ValidationError

from harness.clock import Clock
from harness.errors import JournalError
from harness.files import digest_json
from harness.records.base import Record
from harness.storage.remote_store import Store

RENEWED = 20.0
EXPIRES = 90.0


class Holder(Record):
    """`lease.json`: who holds a run, and when that was last said, in seconds since 1970."""

    token: str
    host: str
    machine: str
    pid: int
    moment: float


class Lease:
    """One process's claim to a run.

    Taking it is exact where the store makes a file only if there is none (S3, a local disk, memory)
    and nobody's lease has run out. Elsewhere two may take it at once, until the first of them to
    renew sees the other.
    """

    def __init__(self, store: Store, name: str, clock: Clock) -> None:
        self.token = secrets.token_hex(4)
        self._store = store
        self._name = name
        self._clock = clock
        self._renewed = 0.0

    def take(self) -> None:
        """Hold the lease from now on.

        Raises:
            JournalError: another process holds it.
        """
        known = self._holder()
        if known is not None:
            self._refuse(known)
            self._store.delete(self._name)
        if not self._store.create(self._name, self._mine()):
            known = self._holder()
            if known is not None and known.token != self.token:
                self._refuse(known)
        self._renewed = self._clock.now()

    def renew(self) -> None:
        """Say that it is still held, where that is due.

        Raises:
            JournalError: another process has taken it over.
        """
        if self._clock.now() - self._renewed < RENEWED:
            return
        known = self._holder()
        if known is not None and known.token != self.token:
            raise JournalError(
                f"{known.host} has taken this run over",
                where=self._store.where(self._name),
                hint="what was answered here is kept here; run again when the other has ended",
            )
        self._store.write(self._name, self._mine())
        self._renewed = self._clock.now()

    def release(self) -> None:
        """Give it up, where it is still held."""
        known = self._holder()
        if known is not None and known.token == self.token:
            self._store.delete(self._name)

    def _holder(self) -> Holder | None:
        data = self._store.read(self._name)
        try:
            return None if data is None else Holder.model_validate_json(data)
        except ValidationError:
            return None  # nobody can hold what nobody can read

    def _mine(self) -> bytes:
        holder = Holder(
            token=self.token,
            host=platform.node(),
            machine=_machine(),
            pid=os.getpid(),
            moment=self._clock.utc().timestamp(),
        )
        return holder.model_dump_json().encode()

    def _refuse(self, known: Holder) -> None:
        age = self._clock.utc().timestamp() - known.moment
        if age >= EXPIRES or (known.machine == _machine() and not _lives(known.pid)):
            return
        raise JournalError(
            f"process {known.pid} on {known.host} is writing this run, heard of {age:.0f} s ago",
            where=self._store.where(self._name),
            hint=f"wait for it to end; if it is dead, for {EXPIRES:.0f} s after its last word",
        )


def _machine() -> str:
    """A mark of this machine since it was started, and of the processes that are seen here."""
    seen = [platform.node()]
    boot = Path("/proc/sys/kernel/random/boot_id")
    if boot.exists():
        seen += [boot.read_text().strip(), str(Path("/proc/self/ns/pid").stat().st_ino)]
    return digest_json(seen)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    status = Path(f"/proc/{pid}/stat")
    # A zombie is dead, and only waits for its parent to take note.
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
