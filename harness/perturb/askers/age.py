"""`age`: the asker's age, of adults, in words."""

from __future__ import annotations

from collections.abc import Mapping

from harness.perturb.askers.introduction import introduced
from harness.perturb.draw import Draw
from harness.perturb.question import Question
from harness.perturb.vocabulary import words_of

_SENTENCES = {
    "twenties": ("I am in my twenties.", "I was born some twenty-five years ago."),
    "forties": ("I am in my forties.", "I was born some forty-five years ago."),
    "seventies": ("I am in my seventies.", "I was born some seventy-five years ago."),
}
_TOPICS = words_of(
    """
    age aged ages old older oldest young younger youngest adult adults child children kid kids teen
    teens teenager minor minors senior seniors elderly student students school birthday born baby
    infant pension retire retired retirement grandchild grandchildren discount discounts dose dosage
    veteran military eligible eligibility loan mortgage insurance vaccine screening
    """
)


class Age:
    """Says how old the asker is."""

    name = "age"
    askers = tuple(_SENTENCES)

    def ask(self, question: Question, draw: Draw) -> Mapping[str, str] | None:
        """The question by each age; None where the answer may depend on it."""
        return introduced(question, draw, _SENTENCES, _TOPICS)
