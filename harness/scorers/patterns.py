"""Regular expressions of suites, kept from running away on hostile text."""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_SEARCHED = 4000
_QUANTIFIER = re.compile(r"[*+]|\{\d*,\d*\}|\{(\d+)\}")


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled without regard to flags other than its own.

    Raises:
        ValueError: it is no regular expression, or it repeats a group that holds a repetition or
            an alternative, which is how matching comes to take exponential time.
    """
    try:
        result = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"no regular expression: {error}") from None
    _refuse_nested_repetition(pattern)
    return result


def found(pattern: str, text: str) -> str | None:
    """What the pattern matches in the first 4,000 characters of the text, or None."""
    match = compiled(pattern).search(text[:LONGEST_SEARCHED])
    return None if match is None else match.group(0)


def _refuse_nested_repetition(pattern: str) -> None:
    """Raise ValueError where a group that can match in several ways is itself repeated."""
    open_groups: list[bool] = []  # of each open group: does it hold a repetition or an alternative
    closed_ambiguous = False
    place = 0
    while place < len(pattern):
        letter = pattern[place]
        step = 1
        ambiguous = False
        if letter == "\\":
            step = 2
        elif letter == "[":
            step = _class_length(pattern, place)
        elif letter == "(":
            open_groups.append(False)
        elif letter == ")":
            ambiguous = bool(open_groups) and open_groups.pop()
            if ambiguous and open_groups:
                open_groups[-1] = True
        elif letter == "|":
            open_groups[-1:] = [True] if open_groups else []
        else:
            quantifier = _QUANTIFIER.match(pattern, place)
            if quantifier:
                if closed_ambiguous:
                    raise ValueError(
                        f"repeats a group that holds `|`, `*`, `+` or `{{…}}` at character "
                        f"{place + 1}; such a pattern can take forever"
                    )
                step = len(quantifier.group(0))
                open_groups[-1:] = [True] if open_groups else []
        closed_ambiguous = ambiguous
        place += step


def _class_length(pattern: str, start: int) -> int:
    """How many characters the class `[…]` at `start` takes."""
    place = start + 1
    if pattern[place : place + 1] == "^":
        place += 1
    place += 1  # a `]` in first place is literal
    while place < len(pattern) and pattern[place] != "]":
        place += 2 if pattern[place] == "\\" else 1
    return place + 1 - start
