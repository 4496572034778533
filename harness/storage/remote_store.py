"""A store behind a url, and the lease that says which machine is writing a run in it."""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.clock import Clock
from harness.errors import HarnessError, JournalError, StorageError, UsageError
from harness.files import digest_json, write_atomic
from harness.records.base import Record

KEYLESS = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError",
     "DefaultCredentialsError", "NoAuthTokenError", "TokenRetrievalError"}
)  # fmt: skip
REFUSED = "refuses: check the credentials and what they may do there"


class Store:
    """Files by name below one URL; names are relative, with `/` between folders."""

    def __init__(self, system: Any, root: str, url: str) -> None:
        self._system = system
        self._root = root.rstrip("/")
        self._url = url.rstrip("/")

    @classmethod
    def open(cls, url: str) -> Store:
        """The store at the URL, or below a plain path; it is not contacted yet.

        Raises:
            UsageError: the package that speaks the URL's protocol is not installed.
            StorageError: it cannot be set up.
        """
        from fsspec.core import url_to_fs

        protocol = url.partition("://")[0]
        try:
            # What another machine wrote a second ago must be seen.
            system, root = url_to_fs(url, use_listings_cache=False, skip_instance_cache=True)
            return cls(system, root, url)
        except ImportError as error:
            extra = "pip install '.[s3]'" if protocol in ("s3", "s3a") else str(error)
            raise UsageError(
                f"no package here speaks `{protocol}`", where=f"runs_dir: {url}", hint=extra
            ) from None
        except Exception as error:  # noqa: BLE001 - each kind of store has errors of its own
            raise _storage_error(error, url) from None

    def where(self, name: str) -> str:
        """The file's URL."""
        return f"{self._url}/{name}" if name else self._url

    def read(self, name: str) -> bytes | None:
        """The file's bytes, or None where there is none."""
        with self._guarded(name):
            try:
                data: bytes = self._system.cat_file(self._at(name))
            except FileNotFoundError:
                return None
            return data

    def write(self, name: str, data: bytes) -> None:
        """Replace the file, so that a reader sees the old content or the new."""
        with self._guarded(name):
            if self._is_local():
                write_atomic(Path(self._at(name)), data, access="public")  # other machines go on
            else:
                self._system.pipe_file(self._at(name), data)

    def create(self, name: str, data: bytes) -> bool:
        """Whether the file was made; not where there is one, as far as the store can tell."""
        with self._guarded(name):
            try:
                if self._is_local():
                    Path(self._at(name)).parent.mkdir(parents=True, exist_ok=True)
                self._system.pipe_file(self._at(name), data, mode="create")
            except FileExistsError:
                return False
            except (NotImplementedError, ValueError, TypeError):  # it cannot tell
                if self._system.exists(self._at(name)):
                    return False
                self._system.pipe_file(self._at(name), data)
            return True

    def upload(self, path: Path, name: str) -> None:
        """Replace the file by one of this machine, which may be large."""
        with self._guarded(name):
            if self._is_local():
                Path(self._at(name)).parent.mkdir(parents=True, exist_ok=True)
                self._system.put_file(str(path), f"{self._at(name)}.tmp")
                self._system.mv(f"{self._at(name)}.tmp", self._at(name))
            else:
                self._system.put_file(str(path), self._at(name))

    def download(self, name: str, path: Path) -> bool:
        """Whether there was such a file; it is at `path` now."""
        with self._guarded(name):
            try:
                self._system.get_file(self._at(name), str(path))
            except FileNotFoundError:
                return False
            return True

    def names(self, folder: str = "") -> list[str]:
        """The names of the files and folders directly in a folder, in order."""
        with self._guarded(folder):
            self._system.invalidate_cache()
            try:
                found = self._system.ls(self._at(folder), detail=False)
            except FileNotFoundError:
                return []
            ends = {str(path).rstrip("/").rpartition("/")[2] for path in found}
            return sorted(ends - {"", self._at(folder).rpartition("/")[2]})

    def delete(self, name: str) -> None:
        """Remove the file, if there is one."""
        with self._guarded(name):
            try:
                self._system.rm_file(self._at(name))
            except FileNotFoundError:
                return

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    def _is_local(self) -> bool:
        protocol = self._system.protocol
        return "file" in ((protocol,) if isinstance(protocol, str) else protocol)

    @contextmanager
    def _guarded(self, name: str) -> Iterator[None]:
        try:
            yield
        except HarnessError:
            raise
        except Exception as error:  # noqa: BLE001 - each kind of store has errors of its own
            raise _storage_error(error, self.where(name)) from None


def _storage_error(error: Exception, url: str) -> StorageError:
    """The error in one line, without parts of a key that a store may have quoted."""
    kind = type(error).__name__
    if kind in KEYLESS:
        return StorageError(
            "no credentials for it",
            where=url,
            hint="give them as its own tools take them, such as AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY",
        )
    if isinstance(error, PermissionError):
        return StorageError(REFUSED, where=url)
    if isinstance(error, FileNotFoundError):
        return StorageError("no such bucket or folder", where=url, hint="make it first")
    if isinstance(error, NotImplementedError):
        return StorageError("cannot be written to", where=url, hint="give another `runs_dir`")
    return StorageError(f"cannot be used: {kind}", where=url, hint="check that it can be reached")


RENEWED = 20.0
EXPIRES = 90.0


class Holder(Record):
    """`lease.json`: who holds a run, and when that was last confirmed, in seconds since 1970."""

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
