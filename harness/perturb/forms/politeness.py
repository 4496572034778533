"""`politeness`: a greeting before the question, thanks after it."""

from __future__ import annotations

from harness.perturb.draw import Draw
from harness.perturb.question import Question

_GREETINGS = ("Hello!", "Hi there!", "Good day!", "Hello, I hope you are well.", "Dear team,")
_THANKS = ("Thank you!", "Thanks in advance!", "Many thanks!", "Thank you for your help.")
_GREETED = frozenset({"hello", "hi", "hey", "dear", "greetings"})
_THANKED = frozenset({"thank", "thanks", "grateful", "appreciate"})


class Politeness:
    """Adds a greeting and thanks where a question has none."""

    name = "politeness"

    def perturb(self, question: Question, draw: Draw) -> str | None:
        """The question with courtesies around it; None where it has them, or is not English."""
        if not question.english:
            return None
        before, after = draw.one(_GREETINGS), draw.one(_THANKS)
        text = question.text
        if not question.lowered & _GREETED:
            # After a comma a text goes on, on a line of its own as letters do.
            text = f"{before}\n{text}" if before.endswith(",") else f"{before} {text}"
        if not question.lowered & _THANKED:
            text = f"{text.rstrip()} {after}" if text.rstrip()[-1] in ".!?" else f"{text}\n{after}"
        return None if text == question.text else text
