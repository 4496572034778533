"""`typos`: slips of the finger, one in about six words."""

from __future__ import annotations

from harness.perturb.draw import Draw
from harness.perturb.question import Question
from harness.perturb.vocabulary import is_word

_SHORTEST, _OMITTED_FROM = 5, 7
_MOST = 3
# The key to the right of each letter on a keyboard of three rows.
_NEXT_KEY = dict(zip("qwertyuioasdfghjkzxcvbn", "wertyuiopsdfghjklxcvbnm", strict=True))


class Typos:
    """Swaps two letters inside a word, hits the next key too, or leaves a letter out."""

    name = "typos"

    def perturb(self, question: Question, draw: Draw) -> str | None:
        """The question with up to three words mistyped, none of them into another word."""
        words = [word for word in question.loose if len(word.text) >= _SHORTEST]
        count = min(_MOST, max(1, len(question.words) // 6))
        changes = {word: slip(word.text, draw) for word in draw.some(words, count)}
        return question.with_words(changes)


def slip(word: str, draw: Draw) -> str:
    """The word mistyped at one place inside it; itself where that would make another word."""
    place = 1 + draw.below(len(word) - 3)
    swapped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    doubled = word[: place + 1] + _NEXT_KEY.get(word[place], "") + word[place + 1 :]
    omitted = word[:place] + word[place + 1 :]
    kinds = [swapped, doubled, omitted if len(word) >= _OMITTED_FROM else swapped]
    found = draw.one(kinds)
    return word if is_word(found) else found
