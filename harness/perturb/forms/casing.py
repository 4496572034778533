"""`casing`: a question all in lower case, or all in capitals."""

from __future__ import annotations

from harness.perturb.draw import Draw
from harness.perturb.question import Question


class Casing:
    """Writes the words that are free in lower case, or in capitals where all of them are free."""

    name = "casing"

    def perturb(self, question: Question, draw: Draw) -> str | None:
        """The question in lower case; in capitals where nothing in it has a case of its own."""
        lower = question.with_words({word: word.text.lower() for word in question.free})
        capitals = question.with_words({word: word.text.upper() for word in question.free})
        whole = len(question.free) == len(question.words)
        if whole and draw.below(2):
            return capitals
        return lower
