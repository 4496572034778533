"""Writing that survives a crash, and content hashes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from harness.errors import StorageError, UsageError


def write_atomic(path: Path, data: bytes | str, *, mode: int = 0o644) -> None:
    """Replace `path` by `data`, so that a reader sees the old content or the new, never a part.

    The data is fsynced before the rename, the folder after it. The trade-offs: a crash can leave
    a `.tmp` file beside the target, and the new file does not keep the old one's permissions.

    Raises:
        StorageError: the disk is full or the place cannot be written.
    """
    payload = data.encode() if isinstance(data, str) else data
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(payload)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, mode)
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


def read_text(path: Path) -> str:
    """The file's text as UTF-8.

    Raises:
        UsageError: the file is missing, unreadable or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError("no such file", where=str(path), hint="check the path") from None
    except UnicodeDecodeError as error:
        raise UsageError(
            f"not UTF-8 at byte {error.start}", where=str(path), hint="save the file as UTF-8"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot read: {error.strerror}", where=str(path)) from error


def canonical_json(value: Any) -> str:
    """The value as JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest_bytes(data: bytes) -> str:
    """`sha256:` and the hash of the bytes in hexadecimal."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_json(value: Any) -> str:
    """The digest of the value's canonical JSON."""
    return digest_bytes(canonical_json(value).encode())


def file_digest(path: Path) -> str:
    """The digest of a file's bytes, read in pieces."""
    with path.open("rb") as file:
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


class Appender:
    """An append-only file of lines, handed to the system one by one and fsynced every `batch`.

    A killed process loses nothing that was appended, a power cut at most the last batch; a torn
    last line is for the reader to drop.
    """

    def __init__(self, path: Path, *, batch: int = 16) -> None:
        self._path = path
        self._batch = batch
        self._pending = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise storage_error(error, path) from error

    def append(self, line: str) -> None:
        """Add one line, without its line end.

        Raises:
            StorageError: the disk is full; every line before this one is kept.
        """
        try:
            self._file.write(line.encode("utf-8", "surrogatepass") + b"\n")
            self._pending += 1
            if self._pending >= self._batch:
                self.sync()
        except OSError as error:
            raise storage_error(error, self._path) from error

    def sync(self) -> None:
        """Bring everything appended so far to the disk."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise storage_error(error, self._path) from error
        self._pending = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.sync()
        finally:
            self._file.close()


class _UniqueKeyLoader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice instead of keeping the last."""


def _mapping(loader: _UniqueKeyLoader, node: yaml.MappingNode, deep: bool = False) -> Any:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"key `{key}` given twice", key_node.start_mark
            )
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path, error_type: type[UsageError] = UsageError) -> dict[str, Any]:
    """The mapping in a YAML file, loaded safely.

    Raises:
        UsageError: (as `error_type`) missing file, bad syntax with its line, a doubled key, or
            something other than a mapping at the top.
    """
    try:
        data = yaml.load(read_text(path), _UniqueKeyLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        what = error.problem or "bad YAML"
        raise error_type(f"YAML: {what}", where=place, hint="mend the syntax there") from None
    except yaml.YAMLError as error:
        raise error_type(f"YAML: {error}", where=str(path)) from None
    except UsageError as error:
        raise error_type(error.what, where=error.where, hint=error.hint) from None
    if not isinstance(data, dict):
        raise error_type("must hold `key: value` lines at the top", where=str(path))
    return data
