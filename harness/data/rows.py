"""The rows of a file: JSON Lines, JSON, CSV, TSV, Parquet, YAML or vLLM's log, gzipped or not."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, cast

from harness.data.vllm_log import HINT, read_log
from harness.errors import UsageError
from harness.files import open_regular
from harness.strict_json import decode
from harness.yaml_files import read_yaml

Placed = tuple[str, Any]  # where the row stands, and the row or the error that is in its place
LARGEST_WHOLE = 512 * 1024 * 1024  # bytes of a file that is read whole: JSON and YAML
_LARGEST_CELL = 16 * 1024 * 1024  # characters; csv itself takes 131,072
_GZIP = b"\x1f\x8b"

# Under which keys a JSON file has its rows beside other things.
_CONTAINERS = ("samples", "data", "tests", "records", "traces", "examples", "rows", "items", "logs")


def read_rows(path: Path, encoding: str = "utf-8") -> Iterator[Placed]:
    """Each row of a file with its place; a row that cannot be read is a `ValueError` in its place.

    JSON Lines, CSV, TSV and Parquet are read as streams. The kind of file goes by its name, and
    what is in a file of another name by its first character.

    Raises:
        UsageError: there is no such file, it cannot be read, it holds no rows, or there is no
            such encoding.
    """
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise UsageError(
            f"no encoding `{encoding}`", hint="such as utf-8, latin-1, cp1252"
        ) from None
    kind = _KINDS.get(_suffix(path))
    if kind is None:
        with _opened(path) as file:
            first = file.read(4096).decode("utf-8", "ignore").lstrip("\ufeff \t\r\n")[:1]
        if first in ("{", "["):
            kind = _json if first == "[" else _json_lines
        elif _suffix(path) == ".log":
            kind = _vllm_log
        else:
            hint = f"give it one of the names {', '.join(_KINDS)}"
            if _suffix(path) == ".eval":
                hint = "`inspect log convert LOG --to json --output-dir DIR` writes it as JSON"
            raise UsageError("is of no known kind of file", where=str(path), hint=hint)
    yield from kind(path, encoding)


def _suffix(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return f".{name.rpartition('.')[2]}" if "." in name else ""


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, decompressed where it is a gzip."""
    try:
        with open_regular(path) as file:
            zipped = file.peek(2)[:2] == _GZIP
            yield cast("BinaryIO", gzip.GzipFile(fileobj=file)) if zipped else file
    except FileNotFoundError:
        raise UsageError("no such file", where=str(path), hint="check the path") from None
    except (OSError, EOFError) as error:  # a gzip that is cut off
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot be read: {reason}", where=str(path)) from None


@contextmanager
def _text(path: Path, encoding: str) -> Iterator[io.TextIOWrapper]:
    """The file's text; line ends are as they are in it."""
    with _opened(path) as file:
        text = io.TextIOWrapper(file, encoding=encoding, newline="")
        try:
            yield text
        except UnicodeDecodeError as error:
            raise UsageError(
                f"is not {encoding.removesuffix('-sig')}: byte 0x{error.object[error.start]:02x}",
                where=str(path),
                hint="save it as UTF-8, or say what it is: `--encoding latin-1`",
            ) from None


def _json_lines(path: Path, encoding: str) -> Iterator[Placed]:
    # Not by str.splitlines, which would also cut at U+2028 within a string.
    with _text(path, encoding) as lines:
        for number, line in enumerate(lines, 1):
            text = line.strip("\r\n\t \ufeff")  # files that were put together have marks within
            if text:
                yield f"{path}:{number}", _value(text)


def _vllm_log(path: Path, encoding: str) -> Iterator[Placed]:
    empty = True
    with _text(path, encoding) as lines:
        for number, row in read_log(lines):
            empty = False
            yield f"{path}:{number}", row
    if empty:
        raise UsageError("holds no logged request of vLLM", where=str(path), hint=HINT)


def _value(text: str) -> Any:
    try:
        return decode(text)
    except ValueError as error:
        return error


def _json(path: Path, encoding: str) -> Iterator[Placed]:
    found = _value(_whole(path, encoding))
    if isinstance(found, ValueError):
        raise UsageError(
            str(found), where=str(path), hint="a file of one object a line is called .jsonl"
        )
    yield from _listed(path, found)


def _yaml(path: Path, encoding: str) -> Iterator[Placed]:
    del encoding  # YAML is UTF-8
    yield from _listed(path, read_yaml(path).data)


def _whole(path: Path, encoding: str) -> str:
    with _opened(path) as file:
        data = file.read(LARGEST_WHOLE + 1)
    if len(data) > LARGEST_WHOLE:
        raise UsageError(
            f"holds more than {LARGEST_WHOLE // 1024**2} MiB and can only be read whole",
            where=str(path),
            hint="write it as JSON Lines, one object a line, which is read as a stream",
        )
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode(encoding)
    except UnicodeDecodeError as error:
        raise UsageError(
            f"is not {encoding} at byte {error.start}",
            where=str(path),
            hint="save it as UTF-8, or say what it is: `--encoding latin-1`",
        ) from None


def _listed(path: Path, found: Any) -> Iterator[Placed]:
    """The rows of a list, or of the list that an object has under a known key."""
    shared: dict[str, Any] = {}
    if isinstance(found, Mapping):
        key = next((key for key in _CONTAINERS if isinstance(found.get(key), list)), None)
        if key is None:
            yield str(path), found  # one row
            return
        shared = {"": {name: value for name, value in found.items() if name != key}}
        found = found[key]
    if not isinstance(found, list):
        raise UsageError("holds no list of rows", where=str(path))
    for number, row in enumerate(found, 1):
        yield f"{path}[{number}]", {**row, **shared} if isinstance(row, Mapping) else row


def _csv(path: Path, encoding: str, delimiter: str = ",") -> Iterator[Placed]:
    csv.field_size_limit(_LARGEST_CELL)
    with _text(path, "utf-8-sig" if encoding == "utf-8" else encoding) as lines:
        first = next(lines, "")
        # As spreadsheets write it where the comma is the decimal mark.
        if delimiter == "," and ";" in first and "," not in first:
            delimiter = ";"
        reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            _check_header(header, path)
            for cells in reader:
                place = f"{path}:{reader.line_num}"
                if not any(map(str.strip, cells)):
                    continue
                if len(cells) != len(header):
                    yield place, ValueError(f"{len(cells)} cells under {len(header)} columns")
                else:
                    yield place, dict(zip(header, cells, strict=True))
        except csv.Error as error:
            raise UsageError(
                f"bad CSV: {error}", where=f"{path}:{reader.line_num}", hint="quote the cell"
            ) from None


def _check_header(header: list[str], path: Path) -> None:
    doubled = [name for name in header if header.count(name) > 1]
    if not any(header):
        raise UsageError("has no line with the names of its columns", where=str(path))
    if doubled:
        name = f"the name `{doubled[0]}`" if doubled[0] else "no name"
        raise UsageError(f"two columns have {name}", where=f"{path}:1")


def _tsv(path: Path, encoding: str) -> Iterator[Placed]:
    yield from _csv(path, encoding, "\t")


def _parquet(path: Path, encoding: str) -> Iterator[Placed]:
    del encoding
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise UsageError(
            "Parquet files need pyarrow", where=str(path), hint="pip install pyarrow"
        ) from None
    with _opened(path) as file:
        try:
            number = 0
            for batch in parquet.ParquetFile(file).iter_batches(1024):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}[{number}]", row
        except (ValueError, OSError) as error:  # pyarrow's own are of these
            raise UsageError(f"bad Parquet: {error}", where=str(path)) from None


_KINDS: dict[str, Callable[[Path, str], Iterator[Placed]]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json,
    ".csv": _csv,
    ".tsv": _tsv,
    ".parquet": _parquet,
    ".yaml": _yaml,
    ".yml": _yaml,
}


def as_line(row: Any) -> str:
    """A row as a line of JSON; what JSON has no type for is written as its text."""
    return json.dumps(row, ensure_ascii=False, default=str) + "\n"
