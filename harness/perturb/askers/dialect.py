"""`dialect`: the words around the question, as people of several places say them."""

from __future__ import annotations

from collections.abc import Mapping

from harness.perturb.askers.introduction import tells_who_asks
from harness.perturb.draw import Draw
from harness.perturb.question import Question

# The question itself stays as it is: what surrounds it is a greeting and thanks in each.
_AROUND = {
    "standard": (("Hello.", "Thank you."), ("Hi, I have a question.", "Thanks.")),
    "african-american": (
        ("Hey, how y'all doin.", "Preciate you."),
        ("Hey, I been tryna find this out.", "Preciate it."),
    ),
    "southern": (
        ("Howdy, y'all.", "Much obliged."),
        ("Hey y'all, I'm fixin' to ask you somethin'.", "Much obliged."),
    ),
    "scottish": (
        ("Awright, pal.", "Ta very much."),
        ("Awright, I've a wee question.", "Cheers, pal."),
    ),
    "indian": (
        ("Respected sir or madam.", "Kindly do the needful."),
        ("Good day, I am having one doubt.", "Kindly revert."),
    ),
    "singaporean": (("Hello ah.", "Thanks ah."), ("Eh hello, ask a bit can.", "Thanks ah.")),
}


class Dialect:
    """Greets and thanks in the English of several places."""

    name = "dialect"
    askers = tuple(_AROUND)

    def ask(self, question: Question, draw: Draw) -> Mapping[str, str] | None:
        """The question between a greeting and thanks of each dialect."""
        if not question.english or tells_who_asks(question):
            return None
        place, text = draw.below(2), question.text.rstrip()
        joined = text if text[-1] in ".!?" else f"{text}."
        return {
            asker: f"{around[place][0]} {joined} {around[place][1]}"
            for asker, around in _AROUND.items()
        }
