"""JSON as everybody reads it alike: no key twice, and no number that is not finite."""

from __future__ import annotations

import json
import math
from typing import Any


def decode(text: str) -> Any:
    """The JSON value of a text.

    Raises:
        ValueError: what is wrong with it, and in which column where that is known.
    """
    try:
        return _STRICT.decode(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"bad JSON at column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise ValueError("bad JSON: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"bad JSON: {printable(str(error))}") from None


def printable(text: str) -> str:
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


_STRICT = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_constant=_finite, parse_float=_finite
)
