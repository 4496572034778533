"""Regular expressions of suites, with a limit on the time of a search."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Annotated, Any

import regex  # type: ignore[import-untyped]  # ships no types, and no stubs are installed
from pydantic import AfterValidator, Field

SECONDS = 1.0
SLOW = "the pattern took too long"
MOST_REPEATS = 1_000_000
_TOKEN = regex.compile(
    r"(?s)\\."
    r"|\[\^?\]?(?:\[:\^?\w+:\]|\\.?|[^\]\\])*+(?:\]|\Z)"
    r"|(?P<comment>\(\?#[^)]*\))"
    r"|(?P<open>\()|(?P<close>\))"
    r"|\{(?P<least>\d+)(?:,\d*)?\}"
    r"|."
)
_OTHER_SYNTAX = regex.compile(r"\(\?[A-Za-z\d-]*(?:x|V1)")  # free spacing, sets within sets


class SlowPattern(Exception):
    """A search that exceeded its time: it is unknown whether the pattern matches."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """The pattern as the package `regex` compiles it, without flags other than its own.

    Raises:
        ValueError: it is no regular expression, or its repeats make more than a million copies.
    """
    # `regex` writes least counts out when it compiles: nested ones would fill the memory.
    if _copies(pattern) > MOST_REPEATS:
        raise ValueError("its counted repeats make more than a million copies")
    try:
        return regex.compile(pattern)
    except (regex.error, ValueError, LookupError, OverflowError, RecursionError) as error:
        raise ValueError(f"no regular expression: {error}") from None


def _copies(pattern: str) -> int:
    """How many copies the least counts of a pattern make: a product along nesting, else a sum."""
    sums = [0]
    last = 0  # the copies within what the next count would repeat
    counts = []
    for token in _TOKEN.finditer(pattern):
        if token["comment"]:
            continue
        if token["least"]:
            count = max(1, int(token["least"]))
            counts.append(count)
            sums[-1] += max(1, last) * count - last
            last = 0
        elif token["close"] and len(sums) > 1:
            last = sums.pop()
            sums[-1] += last
        else:
            last = 0
            if token["open"]:
                sums.append(0)
    if len(sums) > 1 or _OTHER_SYNTAX.search(pattern):
        return math.prod(counts)  # nesting is not known: as if all were nested
    return sums[0]


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


def checked_pattern(pattern: str) -> str:
    """The pattern, where it is a regular expression that can be used.

    Raises:
        ValueError: it does not compile.
    """
    compiled(pattern)
    return pattern


# A regular expression as a suite writes it.
Pattern = Annotated[str, Field(min_length=1), AfterValidator(checked_pattern)]
