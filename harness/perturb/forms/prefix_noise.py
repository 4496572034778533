"""`prefix-noise`: a remark before the question that has nothing to do with it."""

from __future__ import annotations

from harness.perturb.draw import Draw
from harness.perturb.question import Question

_REMARKS = (
    "Sorry, I am typing this on my phone.",
    "I hope this is the right place to ask.",
    "A friend told me to ask here.",
    "I am on the train, so the connection is bad.",
    "Just back from lunch, quick question.",
    "Sorry if this was asked before.",
    "My cat is walking over the keyboard.",
    "I have been meaning to write for a while.",
)


class PrefixNoise:
    """Puts a harmless remark before the question."""

    name = "prefix-noise"

    def perturb(self, question: Question, draw: Draw) -> str | None:
        """The question after a remark; None where it is not English."""
        return f"{draw.one(_REMARKS)} {question.text}" if question.english else None
