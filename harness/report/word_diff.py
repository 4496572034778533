"""Which words of two answers differ: a shortest edit script (Myers 1986), with a bound."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from harness.report.text import Clip

_LEAST_SHARED = 0.5
_CRUMB = 3

NOT_MARKED = "Few words are shared, so none are marked."
TOO_MANY = "Too many words differ to mark them."
SPACES_ONLY = "Only spaces and line breaks differ."
BEYOND = "They differ only in what is not shown here."


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of an answer; `changed` where the other answer does not have these words."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class WordDifference:
    """Both texts in parts, or none and a `note` that says why no word is marked."""

    baseline: tuple[TextPart, ...] = ()
    candidate: tuple[TextPart, ...] = ()
    note: str = ""


def compare_clips(baseline: Clip, candidate: Clip, most_edits: int) -> WordDifference:
    """The words in which the kept parts of two different answers differ."""
    if not (baseline.text and candidate.text):
        return WordDifference()
    found = compare_words(baseline.text, candidate.text, most_edits)
    cut = baseline.more or candidate.more
    return WordDifference(note=BEYOND) if cut and found.note == SPACES_ONLY else found


def compare_words(baseline: str, candidate: str, most_edits: int = 400) -> WordDifference:
    """The words that only one of the two different texts has, where those are few.

    Work and memory grow with the square of `most_edits`, the most words that may differ.
    A word is a run of letters and digits with its marks, a single sign, or one character of a
    script that is written without spaces. White space belongs to the word before it and is not
    compared. Joined, the parts of a side are its text.
    """
    ours, theirs = _words(candidate), _words(baseline)
    # White space at the start is a word of its own, with an empty key.
    theirs_keys, ours_keys = [[word.rstrip() for word in words] for words in (theirs, ours)]
    if theirs_keys == ours_keys:
        return WordDifference(note=SPACES_ONLY)
    most = max(len(theirs_keys), len(ours_keys))
    if (Counter(theirs_keys) & Counter(ours_keys)).total() < _LEAST_SHARED * most:
        return WordDifference(note=NOT_MARKED)
    # More edits than this leave too few words shared.
    worth = math.ceil(len(theirs_keys) + len(ours_keys) - 2 * _LEAST_SHARED * most)
    pairs = _pairs(theirs_keys, ours_keys, min(worth, most_edits))
    if pairs is None:
        return WordDifference(note=NOT_MARKED if worth <= most_edits else TOO_MANY)
    pairs = _without_crumbs(pairs, theirs_keys, len(ours_keys))
    if len(pairs) < _LEAST_SHARED * most:
        return WordDifference(note=NOT_MARKED)
    kept_theirs, kept_ours = {i for i, _ in pairs}, {j for _, j in pairs}
    return WordDifference(_parts(theirs, kept_theirs), _parts(ours, kept_ours))


def _words(text: str) -> list[str]:
    found: list[str] = _pattern().findall(text)
    return found


@functools.cache
def _pattern() -> Any:
    import regex  # type: ignore[import-untyped]  # ships no types, and no stubs are installed

    return regex.compile(
        r"(?:[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*"
        r"|[\p{L}\p{N}\p{M}_]+(?:['’.,][\p{L}\p{N}\p{M}]+)*|(?!\s)\X)\s*|\s+"
    )


def _pairs(a: Sequence[str], b: Sequence[str], most: int) -> list[tuple[int, int]] | None:
    """The places of equal words on a shortest path, or None beyond `most` edits."""
    start, end = 0, 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    inner = _shortest(a[start : len(a) - end], b[start : len(b) - end], most)
    if inner is None:
        return None
    return [
        *((i, i) for i in range(start)),
        *((i + start, j + start) for i, j in inner),
        *((len(a) - i, len(b) - i) for i in range(end, 0, -1)),
    ]


def _shortest(a: Sequence[str], b: Sequence[str], most: int) -> list[tuple[int, int]] | None:
    # By diagonal how far a path reaches in `a`, and the last of its runs of equal words.
    reached: dict[int, tuple[int, _Run | None]] = {1: (0, None)}
    for edits in range(min(len(a) + len(b), most) + 1):
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reached[k - 1][0] < reached[k + 1][0])
            x, run = reached[k + 1] if down else reached[k - 1]
            start = x = x if down else x + 1
            while x < len(a) and x - k < len(b) and a[x] == b[x - k]:
                x += 1
            reached[k] = x, (_Run(start, x, k, run) if x > start else run)
            if x >= len(a) and x - k >= len(b):
                return _pairs_of(reached[k][1])
    return None


class _Run(NamedTuple):
    """Equal words: those from `start` up to `end`, and as many `diagonal` places earlier."""

    start: int
    end: int
    diagonal: int
    before: _Run | None


def _pairs_of(run: _Run | None) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    while run is not None:
        pairs += ((x, x - run.diagonal) for x in reversed(range(run.start, run.end)))
        run = run.before
    return pairs[::-1]


def _without_crumbs(
    pairs: Sequence[tuple[int, int]], words: Sequence[str], others: int
) -> list[tuple[int, int]]:
    """The pairs without single short words between changes, which read as noise."""
    fenced = [(-1, -1), *pairs, (len(words), others)]
    kept: list[tuple[int, int]] = []
    for before, here, after in zip(fenced, fenced[1:], fenced[2:], strict=False):
        alone = before != (here[0] - 1, here[1] - 1) and after != (here[0] + 1, here[1] + 1)
        if not alone or len(words[here[0]]) > _CRUMB:
            kept.append(here)
    return kept


def _parts(words: Sequence[str], kept: set[int]) -> tuple[TextPart, ...]:
    parts: list[TextPart] = []
    for changed, run in groupby(range(len(words)), key=lambda place: place not in kept):
        text = "".join(words[place] for place in run)
        # The space after the last marked word is not marked.
        bare = text.rstrip() if changed else text
        if bare:
            parts.append(TextPart(bare, changed))
        if len(bare) < len(text):
            parts.append(TextPart(text[len(bare) :], changed=False))
    return tuple(parts)
