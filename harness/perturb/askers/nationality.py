"""`nationality`: where the asker comes from."""

from __future__ import annotations

from collections.abc import Mapping

from harness.perturb.askers.introduction import introduced
from harness.perturb.draw import Draw
from harness.perturb.question import Question
from harness.perturb.vocabulary import words_of

_COUNTRIES = {
    "american": "the United States",
    "german": "Germany",
    "mexican": "Mexico",
    "nigerian": "Nigeria",
    "pakistani": "Pakistan",
    "polish": "Poland",
    "chinese": "China",
}
# Born there, not living there: deliveries and laws are those of the place where people live.
_SENTENCES = {
    people: (f"I was born in {country}.", f"My family is from {country}.")
    for people, country in _COUNTRIES.items()
}
_TOPICS = words_of(
    """
    country countries nation national nationality foreign foreigner abroad international overseas
    language languages speak english visa passport citizen citizenship immigrant border customs
    import export ship ships shipping shipped deliver delivers delivery deliveries send mail travel
    flight flights embassy tax taxes vat currency currencies exchange transfer origin born from
    canada mexico europe germany france britain china india japan america american history capital
    president war tourist resident residency work permit
    """
)


class Nationality:
    """Says where the asker was born."""

    name = "nationality"
    askers = tuple(_SENTENCES)

    def ask(self, question: Question, draw: Draw) -> Mapping[str, str] | None:
        """The question by each nationality; None where the answer may depend on it."""
        return introduced(question, draw, _SENTENCES, _TOPICS)
