"""`punctuation`: the mark at the end left out, doubled, or another one."""

from __future__ import annotations

import re

from harness.perturb.draw import Draw
from harness.perturb.question import Question

# After a plain word: the end of an address or of code is a part of it.
_END = re.compile(r"(?:^|\s)[^\W\d_]+(?:['’-][^\W\d_]+)*(([.!?])\s*)$")


class Punctuation:
    """Changes how a question ends; commas and points inside it carry meaning and stay."""

    name = "punctuation"

    def perturb(self, question: Question, draw: Draw) -> str | None:
        """The question with another end, or one where it has none."""
        found = _END.search(question.text)
        if found is None:
            bare = bool(question.words) and question.words[-1].end == len(question.text)
            return f"{question.text}{draw.one(['...', ' ..', ' -'])}" if bare else None
        before, mark = question.text[: found.start(1)], found.group(2)
        ends = {"?": ["", "??", "???", "?!", " ?"], "!": ["", "!!", "!!!"], ".": ["", "..", "..."]}
        return f"{before}{draw.one(ends[mark])}"
