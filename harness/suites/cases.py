"""The cases of a section, read from their JSON lines."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import SuiteError, UsageError
from harness.files import read_text
from harness.records.base import explain
from harness.records.suite import Case

DEEPEST = 100  # pydantic writes no more than 255 levels, and no scorer reads that many


def read_cases(file: Path) -> Iterator[tuple[str, Case]]:
    """Each case with its `file:line`; blank lines are passed over.

    Raises:
        SuiteError: a file that cannot be read, or a line that is no case.
    """
    try:
        text = read_text(file)
    except UsageError as error:
        raise SuiteError(error.what, where=error.where, hint=error.hint) from None
    # Only a line feed ends a line: str.splitlines would also cut at U+2028 within a string.
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{file}:{number}"
        raw = _parsed(line, place)
        if not isinstance(raw, dict):
            raise SuiteError("must be a JSON object", where=place)
        _refuse_half_characters(raw, place)
        try:
            case = Case.model_validate(raw)
        except ValidationError as error:
            raise SuiteError(explain(error), where=place) from None
        yield place, case


def _parsed(line: str, place: str) -> Any:
    """The JSON value of a line."""
    try:
        return json.loads(
            line, object_pairs_hook=_unique_keys, parse_constant=_finite, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        what = f"bad JSON at column {error.colno}: {error.msg}"
        raise SuiteError(what, where=place) from None
    except RecursionError:
        raise SuiteError("bad JSON: nested too deeply", where=place) from None
    except ValueError as error:
        raise SuiteError(f"bad JSON: {_printable(str(error))}", where=place) from None


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
        return None if _printable(value) == value else ""
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    for key, part in parts:
        if isinstance(key, str) and _printable(key) != key:
            return _printable(key)
        deeper = _half_character(part, room - 1)
        if deeper is not None:
            return f"{key}.{deeper}" if deeper else str(key)
    return None


def _printable(text: str) -> str:
    """The text with lone surrogates spelled out, and every real character as it is."""
    return text.encode("utf-8", "backslashreplace").decode()


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key `{key}` given twice")
        found[key] = value
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no finite number")
    return value
