"""Answers that are far longer or shorter than the others."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np

from harness.data.lint.check import CheckSettings, Inspection, found
from harness.data.lint.pairs import MOST_COMPARED
from harness.data.lint.row import DataRow
from harness.records.finding import Finding

TIMES = 10  # the median
ENOUGH = 20
LONG = 100  # words: a shorter answer is not long, whatever the others are


class Lengths:
    """Finds `long-answer` and `short-answer`."""

    name = "lengths"
    about = "answers that are far longer or shorter than the others"

    def begin(self, settings: CheckSettings) -> Inspection:
        """A new inspection."""
        del settings
        return _Inspection()


class _Inspection(Inspection):
    def __init__(self) -> None:
        self._answers, self._asked = array("I"), array("I")
        self._places: list[str] = []

    def see(self, row: DataRow) -> Iterator[Finding]:
        if row.answer.strip() and len(self._places) < MOST_COMPARED:
            self._answers.append(_length(row.answer))
            self._asked.append(_length(row.asked))
            self._places.append(row.place)
        return iter(())

    def finish(self, compared: object) -> Iterator[Finding]:
        del compared
        if len(self._answers) < ENOUGH:
            return
        lengths = np.frombuffer(self._answers, np.uint32)
        middle = float(np.median(lengths))
        for number in np.flatnonzero(lengths > max(TIMES * middle, LONG)).tolist():
            what = (
                f"the answer has {lengths[number]} words, {middle:g} is usual: shorten or split it"
            )
            yield found(self._places[number], "long-answer", what)
        for number in np.flatnonzero(lengths * TIMES < middle).tolist():
            what = f"the answer has {lengths[number]} words, {middle:g} is usual: is it complete?"
            yield found(self._places[number], "short-answer", what)

    def facts(self) -> Iterator[tuple[str, str]]:
        for name, kept in (("words of answers", self._answers), ("words of prompts", self._asked)):
            if kept:
                low, middle, high, most = np.percentile(
                    np.frombuffer(kept, np.uint32), [5, 50, 95, 100]
                )
                yield (
                    name,
                    f"median {middle:g}, 5th percentile {low:g}, 95th {high:g}, most {most:g}",
                )


def _length(text: str) -> int:
    """Words; two characters of a script without spaces are about one."""
    words = len(text.split())
    return words if text.isascii() else max(words, len(text) // 8)
