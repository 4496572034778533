"""A costly pattern tried only around the places where it can match."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SPACE = re.compile(r"\s")


def matches(
    pattern: re.Pattern[str], clue: re.Pattern[str], text: str, reach: int
) -> Iterator[re.Match[str]]:
    """The matches of a pattern that each hold a match of the clue, in order.

    These are all matches of the pattern, where each of them holds a clue and ends within `reach`
    characters, or the word there, on either side of it.
    """
    for begin, end in _windows(clue, text, reach):
        yield from pattern.finditer(text, begin, end)


def blanked(pattern: re.Pattern[str], clue: re.Pattern[str], text: str, reach: int) -> str:
    """The text with spaces in the place of each of the `matches`."""
    parts: list[str] = []
    place = 0
    for match in matches(pattern, clue, text, reach):
        parts += [text[place : match.start()], " " * len(match.group())]
        place = match.end()
    return "".join(parts) + text[place:]


def _windows(clue: re.Pattern[str], text: str, reach: int) -> Iterator[tuple[int, int]]:
    """The parts of the text around the clues, without overlaps; each ends with a space."""
    begin = end = -1
    for hit in clue.finditer(text):
        if hit.start() - reach > end:
            if end >= 0:
                yield begin, end
            before = max(0, hit.start() - reach)
            space_before = max(text.rfind(" ", 0, before), text.rfind("\n", 0, before))
            begin = max(end, space_before + 1)
        if hit.end() + reach > end:
            space = _SPACE.search(text, hit.end() + reach)
            end = space.end() if space else len(text)
    if end >= 0:
        yield begin, end
