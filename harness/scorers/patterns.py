"""Regular expressions of suites, with a limit on the time of all searches in an answer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import regex  # type: ignore[import-untyped]  # ships no types, and no stubs are installed
from pydantic import AfterValidator, Field

from harness.clock import SYSTEM_CLOCK

SECONDS = 2.0  # of all searches in an answer; one takes half of what is left at most
LEAST = 0.001  # seconds that every search has: a quick pattern may come after slow ones
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


@dataclass(slots=True)
class _Budget:
    """The seconds that are left for searches."""

    left: float = SECONDS


_BUDGET: ContextVar[_Budget | None] = ContextVar("budget", default=None)


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
        SlowPattern: half of the time that is left for the answer was not enough to tell.
    """
    budget = _BUDGET.get() or _Budget()
    expression = compiled(pattern)
    began = SYSTEM_CLOCK.now()
    try:
        match = expression.search(text, timeout=max(LEAST, budget.left / 2.0))
    except TimeoutError:
        raise SlowPattern(SLOW) from None
    finally:
        budget.left -= SYSTEM_CLOCK.now() - began
    return None if match is None else str(match.group(0))


@contextmanager
def one_answer() -> Iterator[None]:
    """A block whose searches share their time; blocks within it have none of their own."""
    if _BUDGET.get() is not None:
        yield
        return
    token = _BUDGET.set(_Budget())
    try:
        yield
    finally:
        _BUDGET.reset(token)


def checked_pattern(pattern: str) -> str:
    """The pattern, where it is a regular expression that can be used.

    Raises:
        ValueError: it does not compile.
    """
    compiled(pattern)
    return pattern


# A regular expression as a suite writes it.
Pattern = Annotated[str, Field(min_length=1), AfterValidator(checked_pattern)]
