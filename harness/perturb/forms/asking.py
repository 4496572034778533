"""`asking`: the question within other words of asking."""

from __future__ import annotations

from harness.perturb.draw import Draw
from harness.perturb.question import Question

_TEMPLATES = (
    "I have a question: {0}",
    "Can you help me with this? {0}",
    "I was wondering: {0}",
    "Please tell me: {0}",
    "What I would like to know: {0}",
    "{0} I have looked for it everywhere.",
    "{0} That is my question.",
    "{0} Do you happen to know?",
    "Could somebody answer this? {0}",
)


class Asking:
    """Puts the question into a template of asking."""

    name = "asking"

    def perturb(self, question: Question, draw: Draw) -> str | None:
        """The question within the template; None where it is not English, or asks nothing."""
        if not question.english or not question.text.rstrip().endswith("?"):
            return None
        return draw.one(_TEMPLATES).format(question.text.rstrip())
