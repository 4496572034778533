"""Limits on the length of texts, so that a page has a size that a browser can use."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from harness.records.comparison import ComparisonRecord, PairedCase
from harness.visible_text import visible

Kind = Literal["new_failure", "other", "still_passing"]

_WHOLE = 20_000
# What gives way first, and how far, before the next does.
_FLOORS: tuple[tuple[Kind, int], ...] = (
    ("still_passing", 300),
    ("other", 600),
    ("new_failure", 2_000),
    ("still_passing", 120),
    ("other", 250),
    ("new_failure", 400),
)
# Bytes: the whole page, and what stands around the texts of a case besides its name.
_PAGE, _AROUND = 29_000_000, 760


@dataclass(frozen=True, slots=True)
class TextLimits:
    """The most characters of a text, by what became of its case.

    `edits` is the most words in which two answers may differ to have them marked.
    """

    of: dict[Kind, int]
    edits: int

    def of_case(self, case: PairedCase) -> int:
        """The most characters of each text in the case."""
        return self.of[_kind(case)]


@dataclass(frozen=True, slots=True)
class _Text:
    kind: Kind
    length: int
    size: int

    def size_within(self, limit: int) -> float:
        """Bytes of as much of it as the limit leaves."""
        whole = min(self.length, _WHOLE) or 1
        return self.size * min(limit, whole) / whole


def choose_limits(comparison: ComparisonRecord) -> TextLimits:
    """The largest limits at which the comparison's page has at most 30 MB, if any has.

    Texts of passing cases are cut first, those of new failures last.
    """
    count = len(comparison.cases)
    room = _PAGE - sum(_AROUND + 3 * min(200, len(case.path)) for case in comparison.cases)
    texts = [text for case in comparison.cases for text in _texts(case)]
    limits: dict[Kind, int] = {"new_failure": _WHOLE, "other": _WHOLE, "still_passing": _WHOLE}
    for kind, floor in _FLOORS:
        own = [text for text in texts if text.kind == kind]
        left = room - sum(
            text.size_within(limits[text.kind]) for text in texts if text.kind != kind
        )
        above = range(floor + 1, limits[kind] + 1)
        limits[kind] = floor + bisect_right(above, left, key=partial(_size, own))
        if _size(own, limits[kind]) <= left:
            break
    return TextLimits(limits, edits=min(400, max(100, 400_000 // max(1, count))))


def _size(texts: list[_Text], limit: int) -> float:
    return sum(text.size_within(limit) for text in texts)


def _kind(case: PairedCase) -> Kind:
    if case.change == "new_failure" or case.change == "still_passing":
        return case.change
    return "other"


def _texts(case: PairedCase) -> Iterator[_Text]:
    ours, theirs = case.candidate_attempt.text or "", case.baseline_attempt.text or ""
    contents = [message.content for message in case.messages]
    # An answer that both gave stands once.
    for text in (*contents, theirs, *([ours] if ours != theirs else [])):
        kept = visible(text[:_WHOLE])
        marks = sum(map(kept.count, "<>&'\""))
        yield _Text(_kind(case), len(text), len(kept.encode()) + 4 * marks)
