"""Regular expressions of suites, kept from running away."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import regex  # type: ignore[import-untyped]  # ships no types, and no stubs are installed

SECONDS = 1.0
SLOW = "the pattern took too long"
MOST_REPEATS = 1_000_000
_REPEAT = regex.compile(r"\{(\d+)(?:,\d*)?\}")


class SlowPattern(Exception):
    """A search that did not end in its time: nobody knows whether the text holds the pattern."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """The pattern as the package `regex` compiles it, without flags other than its own.

    Raises:
        ValueError: it is no regular expression, or its repeats multiply to more than a million.
    """
    # `regex` writes counted repeats out when it compiles: nested ones would fill the memory.
    if math.prod(max(1, int(count)) for count in _REPEAT.findall(pattern)) > MOST_REPEATS:
        raise ValueError("its counted repeats multiply to more than a million")
    try:
        return regex.compile(pattern)
    except (regex.error, ValueError, LookupError, OverflowError, RecursionError) as error:
        raise ValueError(f"no regular expression: {error}") from None


def found(pattern: str, text: str) -> str | None:
    """What the pattern matches first in the text, or None.

    Raises:
        SlowPattern: one second was not enough to tell.
    """
    try:
        match = compiled(pattern).search(text, timeout=SECONDS)
    except TimeoutError:
        raise SlowPattern(SLOW) from None
    return None if match is None else str(match.group(0))
