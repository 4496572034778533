"""Atomic and durable writing of files, and content hashes."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import json
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, Literal, Self

from harness.errors import HarnessError, StorageError, UsageError

# Set to 1, others may read what is written, as far as the umask lets them.
SHARED = "HARNESS_SHARED_FILES"
Access = Literal["usual", "public", "secret"]
_PIECE = 65_536
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def make_folder(path: Path, *, access: Access = "usual") -> None:
    """Make the folder and what is missing above it, for its owner alone unless it is public.

    Folders that exist stay as they are.

    Raises:
        OSError: it cannot be made, or a file is in the way.
    """
    missing = [path]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o777 if _shared(access) else 0o700)
    if not path.is_dir():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def open_private(path: str | Path, flags: int, *, access: Access = "usual") -> int:
    """The handle of a file, which is its owner's alone where this makes it; an `opener`."""
    return os.open(path, flags | os.O_CLOEXEC, 0o666 if _shared(access) else 0o600)


def _shared(access: Access) -> bool:
    """Whether others may see what is made, as far as the umask lets them."""
    return access == "public" or (access == "usual" and os.environ.get(SHARED, "") not in ("", "0"))


def write_atomic(path: Path, data: bytes | str, *, access: Access = "usual") -> None:
    """Replace `path` by `data`, so that a reader sees the old content or the new, never a part.

    It is its owner's alone; a public one is for all whom the umask lets, and so is one of usual
    access where `HARNESS_SHARED_FILES` is set.

    Raises:
        StorageError: the disk is full or the place cannot be written.
    """
    with replacing(path, access=access) as file:
        file.write(data.encode() if isinstance(data, str) else data)


@contextmanager
def replacing(path: Path, *, access: Access = "usual") -> Iterator[BinaryIO]:
    """A file that takes the place of `path` when the block ends well, and vanishes otherwise.

    The data is fsynced before the rename, the folder after it. The trade-offs: a crash can leave
    a `.tmp` file beside the target, and the new file does not keep the old one's permissions: they
    are those of `write_atomic`.

    Raises:
        StorageError: the disk is full or the place cannot be written.
    """
    try:
        make_folder(path.parent, access=access)
        name = str(path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp")
        made = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        # The umask takes what it takes from the one and the other.
        handle = os.open(name, made, 0o666 if _shared(access) else 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise storage_error(error, path) from error


def storage_error(error: OSError, path: Path) -> StorageError:
    """The one-line error for an `OSError` met while writing `path`."""
    return StorageError(
        f"cannot write: {error.strerror or error}",
        where=str(path),
        hint="free space or mend the permissions, then run the same command again",
    )


def open_regular(path: Path) -> io.BufferedReader:
    """A regular file, open for reading; a pipe or a device could keep its reader for ever.

    Raises:
        OSError: it cannot be opened, or is something else.
    """
    # Without O_NONBLOCK a pipe that nobody writes to is never opened.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        kind = os.fstat(handle).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "not a regular file")
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_bytes(path: Path) -> bytes | None:
    """The file's bytes, or None where there is no such file.

    Raises:
        StorageError: something is there and cannot be read.
    """
    try:
        with open_regular(path) as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise cannot_read(error, path) from error


def cannot_read(error: OSError, path: Path) -> StorageError:
    """The one-line error for an `OSError` met while reading `path`."""
    return StorageError(
        f"cannot read: {error.strerror or error}", where=str(path), hint="check what is there"
    )


def read_text(path: Path) -> str:
    """The file's text as UTF-8.

    Raises:
        UsageError: the file is missing, unreadable or not UTF-8.
    """
    try:
        # As text files are read: every line end is one line feed.
        with io.TextIOWrapper(open_regular(path), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        raise UsageError("no such file", where=str(path), hint="check the path") from None
    except UnicodeDecodeError as error:
        raise UsageError(
            f"not UTF-8 at byte {error.start}", where=str(path), hint="save the file as UTF-8"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        hint = "name a file in it" if isinstance(error, IsADirectoryError) else ""
        raise UsageError(f"cannot read: {reason}", where=str(path), hint=hint) from error


def canonical_json(value: Any) -> str:
    """The value as JSON with sorted keys and no spaces: equal values give equal text."""
    return _CANONICAL.encode(value)


def digest_bytes(data: bytes) -> str:
    """`sha256:` and the hash of the bytes in hexadecimal."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_json(value: Any) -> str:
    """The digest of the value's canonical JSON."""
    return digest_bytes(canonical_json(value).encode())


def file_digest(path: Path) -> str:
    """The digest of a file's bytes, read in pieces; kept as long as the file is not written to."""
    status = path.stat()
    return _file_digest(path, status.st_ino, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1024)
def _file_digest(path: Path, _inode: int, _size: int, _modified: int) -> str:
    with open_regular(path) as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def directory_digest(path: Path, patterns: Iterable[str]) -> str:
    """One digest over the relative names and contents of the files that match any pattern.

    Raises:
        UsageError: nothing matches: a digest of nothing would call all empty folders equal.
    """
    found = sorted({file for pattern in patterns for file in path.glob(pattern) if file.is_file()})
    if not found:
        raise UsageError(
            f"holds none of {', '.join(patterns)}", where=str(path), hint="check the path"
        )
    return digest_json([[file.relative_to(path).as_posix(), file_digest(file)] for file in found])


@contextmanager
def exclusive(lock: Path, busy: HarnessError) -> Iterator[None]:
    """Hold the lock file for this process; the kernel lets go of it with the process.

    The file stays: removing it would let two processes hold two files of one name.

    Raises:
        HarnessError: `busy`, where another process holds it.
        StorageError: the file cannot be made or locked.
    """
    try:
        make_folder(lock.parent)
        handle = open_private(lock, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise storage_error(error, lock) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        except OSError as error:
            raise storage_error(error, lock) from error
        yield
    finally:
        os.close(handle)


def append_line(path: Path, line: str, *, access: Access = "usual") -> None:
    """Add one line, without its line end, so that it stays when the power goes.

    A line that a crash tore off is removed first: what follows it would be damaged too. Others
    that append by this function at the same time are waited for.

    Raises:
        StorageError: the disk is full or the place cannot be written.
    """
    try:
        make_folder(path.parent, access=access)
        opener = partial(open_private, access=access)
        with open(path, "a+b", buffering=0, opener=opener) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.truncate(_end_of_lines(file))
            _write_line(file, line)
            os.fsync(file.fileno())
    except OSError as error:
        raise storage_error(error, path) from error


def _write_line(file: FileIO, line: str) -> None:
    rest = memoryview(line.encode("utf-8", "surrogatepass") + b"\n")
    while rest:  # a disk that fills up may take a part
        rest = rest[file.write(rest) :]


def _end_of_lines(file: FileIO) -> int:
    """Where the last whole line ends."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        begin = max(0, end - _PIECE)
        file.seek(begin)
        found = file.read(end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


class Appender:
    """An append-only file of lines, handed to the system one by one and fsynced in batches.

    A killed process loses nothing that was appended; a power cut loses at most the last two
    batches. A reader must drop an incomplete last line. A thread waits for the disk, so that
    `append` does not block.
    """

    def __init__(self, path: Path, *, batch: int = 16) -> None:
        self._path = path
        self._batch = batch
        self._pending = 0
        self._syncing: Future[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fsync")
        try:
            make_folder(path.parent)
            self._file = open(path, "ab", buffering=0, opener=open_private)  # noqa: SIM115 - kept open
        except OSError as error:
            raise storage_error(error, path) from error

    def append(self, line: str) -> None:
        """Add one line, without its line end.

        Raises:
            StorageError: the disk is full; every line before this one is kept.
        """
        try:
            _write_line(self._file, line)
            self._pending += 1
            if self._pending >= self._batch and (self._syncing is None or self._syncing.done()):
                self._settle()
                self._pending = 0
                self._syncing = self._thread.submit(os.fsync, self._file.fileno())
        except OSError as error:
            raise storage_error(error, self._path) from error

    def sync(self) -> None:
        """Bring everything appended so far to the disk.

        Raises:
            StorageError: the disk does not take it.
        """
        try:
            self._settle()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise storage_error(error, self._path) from error
        self._pending = 0

    def _settle(self) -> None:
        """Wait for the thread, and raise what it met."""
        syncing, self._syncing = self._syncing, None
        if syncing is not None:
            syncing.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.sync()
        finally:
            self._thread.shutdown()
            self._file.close()


def seen_from(root: Path, path: Path) -> str:
    """The path relative to the root, where it lies below it."""
    full, root = path.resolve(), root.resolve()
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else full.as_posix()


def short_path(path: Path) -> Path:
    """The path as seen from the current folder, where it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
