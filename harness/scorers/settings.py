"""Reading what a suite wrote for a scorer; every complaint is `key: what is wrong`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.scorers.normalize import words
from harness.scorers.patterns import compiled


def known_keys(given: Mapping[str, Any], allowed: Iterable[str]) -> None:
    """Nothing, where every key is allowed.

    Raises:
        ValueError: an unknown key, with the list of known ones.
    """
    known = tuple(allowed)
    for key in given:
        if key not in known:
            listing = ", ".join(known) or "none"
            raise ValueError(f"{key}: unknown key; known here: {listing}")


def phrases(value: Any, key: str) -> tuple[str, ...]:
    """A non-empty list of phrases that each hold at least one word.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"{key}: must be a list of at least one phrase")
    for place, phrase in enumerate(value):
        if not isinstance(phrase, str):
            raise ValueError(f"{key}[{place}]: must be text, got {type(phrase).__name__}")
        if not words(phrase):
            raise ValueError(f"{key}[{place}]: holds no word")
    return tuple(value)


def pattern(value: Any, key: str) -> str:
    """A regular expression that can be used.

    Raises:
        ValueError: it is not text or does not compile.
    """
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key}: must be a regular expression as text")
    try:
        compiled(value)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None
    return value


def count(value: Any, key: str) -> int:
    """A whole number of at least 1.

    Raises:
        ValueError: anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{key}: must be a whole number of at least 1")
    return value
