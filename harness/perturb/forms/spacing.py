"""`spacing`: blanks too many between words, at the ends and before the last mark."""

from __future__ import annotations

import re
from itertools import pairwise

from harness.perturb.draw import Draw
from harness.perturb.question import Question

_MARK = re.compile(r"(?<=[^\W\d_])([?!])$")
_MOST = 3


class Spacing:
    """Puts blanks where there is one between two free words, at the ends, before the last mark."""

    name = "spacing"

    def perturb(self, question: Question, draw: Draw) -> str | None:
        """The question with other blanks; no word is joined or cut."""
        text = question.text
        gaps = [
            (one.end, other.start)
            for one, other in pairwise(question.words)
            if one.free and other.free and text[one.end : other.start] == " "
        ]
        for start, end in reversed(draw.some(gaps, max(1, min(_MOST, len(gaps) // 4)))):
            text = f"{text[:start]}{draw.one(['  ', '   ', chr(10)])}{text[end:]}"
        if draw.below(2):
            text = _MARK.sub(r" \1", text)
        if draw.below(2):
            text = f" {text}"
        return f"{text} " if text == question.text else text
