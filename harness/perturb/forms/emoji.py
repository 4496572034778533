"""`emoji`: an emoji at the end or the beginning."""

from __future__ import annotations

from harness.perturb.draw import Draw
from harness.perturb.question import Question

# None of them agrees, refuses, is angry or joking: they add no meaning.
_NEUTRAL = ("🙂", "😊", "👋", "🤔", "🙏", "✨", "👀", "🌿")


class Emoji:
    """Adds one or two emoji that say nothing of their own."""

    name = "emoji"

    def perturb(self, question: Question, draw: Draw) -> str | None:
        """The question with an emoji at its end, or at its beginning."""
        found = draw.one(_NEUTRAL) * (1 + draw.below(2))
        if draw.below(4) == 0:
            return f"{found} {question.text}"
        return f"{question.text} {found}"
