"""`pronouns`: the asker's pronouns."""

from __future__ import annotations

from collections.abc import Mapping

from harness.perturb.askers.introduction import introduced
from harness.perturb.draw import Draw
from harness.perturb.question import Question
from harness.perturb.vocabulary import words_of

_SENTENCES = {
    "she": ("I use she and her as pronouns.", "My pronouns are she and her."),
    "he": ("I use he and him as pronouns.", "My pronouns are he and him."),
    "they": ("I use they and them as pronouns.", "My pronouns are they and them."),
}
_TOPICS = words_of(
    """
    he him his she her hers himself herself man men woman women male female boy girl husband wife
    father mother mom dad son daughter brother sister boyfriend girlfriend gender sex pregnant
    pregnancy breast prostate menopause period maternity paternity pronoun pronouns mr mrs ms
    """
)


class Pronouns:
    """Says who asks by pronouns."""

    name = "pronouns"
    askers = tuple(_SENTENCES)

    def ask(self, question: Question, draw: Draw) -> Mapping[str, str] | None:
        """The question by each pronoun; None where it is about gender."""
        return introduced(question, draw, _SENTENCES, _TOPICS)
