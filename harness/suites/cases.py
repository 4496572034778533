"""The cases of a section, read from their JSON lines, and where each stands."""

from __future__ import annotations

import codecs
import io
import json
import os
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, overload

from pydantic import ValidationError

from harness.errors import SuiteError
from harness.files import open_regular
from harness.records.base import explain
from harness.records.suite import Case
from harness.strict_json import decode, printable

DEEPEST = 100  # pydantic writes no more than 255 levels, and no scorer reads that many
Stamp = tuple[int, int, int]
LARGEST_HELD = 4 * 1024 * 1024  # bytes of one file; some twenty thousand cases


class CaseFile(Sequence[Case]):
    """A file's cases, once they were checked: each is parsed when it is asked for.

    `offsets` are where their lines begin. A file of ordinary size is held as it was; a larger one
    is read again, and must not have changed.
    """

    __slots__ = ("_data", "_file", "_offsets", "_stamp")

    def __init__(self, file: Path, lines: BinaryIO, begun: Stamp, offsets: array[int]) -> None:
        self._file = file
        self._offsets = offsets
        self._stamp = begun
        lines.seek(0)
        self._data = lines.read() if begun[1] <= LARGEST_HELD else None
        self._check(lines)

    def __len__(self) -> int:
        return len(self._offsets)

    def __iter__(self) -> Iterator[Case]:
        with self._open() as lines:
            for offset in self._offsets:
                lines.seek(offset)
                yield _known(lines.readline())

    @overload
    def __getitem__(self, index: int) -> Case: ...

    @overload
    def __getitem__(self, index: slice) -> list[Case]: ...

    def __getitem__(self, index: int | slice) -> Case | list[Case]:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        with self._open() as lines:
            lines.seek(self._offsets[index])
            return _known(lines.readline())

    def _open(self) -> BinaryIO:
        """The file, as long as it is the one that was checked."""
        if self._data is not None:
            return io.BytesIO(self._data)
        try:
            lines = open_regular(self._file)
        except OSError as error:
            raise SuiteError(f"cannot read: {error.strerror}", where=str(self._file)) from None
        try:
            self._check(lines)
        except SuiteError:
            lines.close()
            raise
        return lines

    def _check(self, lines: BinaryIO) -> None:
        if stamp(lines) != self._stamp:
            raise SuiteError(
                "was changed while it was in use", where=str(self._file), hint="start again"
            )


def stamp(lines: BinaryIO) -> Stamp:
    """What changes about an open file when somebody writes another version of it."""
    status = os.fstat(lines.fileno())
    return status.st_ino, status.st_size, status.st_mtime_ns


def read_cases(lines: BinaryIO, file: Path) -> Iterator[tuple[int, int, Case]]:
    """Each case of an open file, with the number of its line and where that begins.

    Blank lines are passed over.

    Raises:
        SuiteError: a file that cannot be read, or a line that is no case.
    """
    offset = 0
    # Only a line feed ends a line: str.splitlines would also cut at U+2028 within a string.
    for number, raw in enumerate(_lines(lines, file), start=1):
        text = _text(raw, file, offset)
        if text.strip():
            yield number, offset, _case(text, f"{file}:{number}")
        offset += len(raw)


def _lines(lines: BinaryIO, file: Path) -> Iterator[bytes]:
    try:
        yield from lines
    except OSError as error:
        raise SuiteError(f"cannot read: {error.strerror}", where=str(file)) from None


def _text(raw: bytes, file: Path, offset: int) -> str:
    try:
        return (raw.removeprefix(codecs.BOM_UTF8) if offset == 0 else raw).decode()
    except UnicodeDecodeError as error:
        raise SuiteError(
            f"not UTF-8 at byte {offset + error.start}",
            where=str(file),
            hint="save the file as UTF-8",
        ) from None


def _case(text: str, place: str) -> Case:
    """The case on a line."""
    raw = _parsed(text, place)
    if not isinstance(raw, dict):
        raise SuiteError("must be a JSON object", where=place)
    # Without an escape there is no half of a pair, and with few brackets no deep nesting.
    if "\\u" in text or text.count("[") + text.count("{") > DEEPEST:
        _refuse_half_characters(raw, place)
    try:
        return Case.model_validate(raw)
    except ValidationError as error:
        raise SuiteError(explain(error, Case), where=place) from None


def _known(line: bytes) -> Case:
    """The case on a line that was checked before."""
    return Case.model_validate_json(line.removeprefix(codecs.BOM_UTF8))


def _parsed(line: str, place: str) -> Any:
    """The JSON value of a line."""
    try:
        return decode(line)
    except ValueError as error:
        raise SuiteError(str(error), where=place) from None


def _refuse_half_characters(raw: dict[str, Any], place: str) -> None:
    """Refuse a lone surrogate: JSON can spell one, but no server and no file takes it."""
    try:
        key = _half_character(raw)
    except RecursionError:
        raise SuiteError("nested too deeply", where=place) from None
    if key is not None:
        raise SuiteError(
            f"{key}: half a surrogate pair, which is no character",
            where=place,
            hint=r"write both halves, like \ud83d\ude42, or the character itself",
        )


def _half_character(value: Any, room: int = DEEPEST) -> str | None:
    """The key path of the first text with a lone surrogate, `""` for the value itself, or None.

    Raises:
        RecursionError: more than `room` levels of lists and mappings.
    """
    if room < 0:
        raise RecursionError
    if isinstance(value, str):
        return None if printable(value) == value else ""
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    for key, part in parts:
        if isinstance(key, str) and printable(key) != key:
            return printable(key)
        deeper = _half_character(part, room - 1)
        if deeper is not None:
            return f"{key}.{deeper}" if deeper else str(key)
    return None


def case_lines(file: Path, wanted: Collection[str]) -> dict[str, tuple[Path, int]]:
    """The file and line of each wanted case, by its id; those that are not there are left out.

    No more is read than it takes. A line that is no case any more is passed over.
    """
    missing = set(wanted)
    found: dict[str, tuple[Path, int]] = {}
    if not missing:
        return found
    for number, case in _ids(file):
        if case in missing:
            missing.remove(case)
            found[case] = file, number
            if not missing:
                break
    return found


def _ids(file: Path) -> Iterator[tuple[int, str]]:
    try:
        with open_regular(file) as lines:
            for number, line in enumerate(lines, 1):
                case = _id(line)
                if case is not None:
                    yield number, case
    except OSError:
        return


def _id(line: bytes) -> str | None:
    try:
        raw = json.loads(line.removeprefix(codecs.BOM_UTF8))
    except (ValueError, RecursionError):
        return None
    found = raw.get("id") if isinstance(raw, dict) else None
    return found.strip() if isinstance(found, str) else None
