"""`ocr`: letters as a scanner misreads them."""

from __future__ import annotations

from harness.perturb.draw import Draw
from harness.perturb.question import Question
from harness.perturb.vocabulary import is_word

_SHORTEST = 4
_MOST = 3
# Without digits, and without what often gives another word, such as `d` as `cl`.
_MISREAD = {"m": "rn", "w": "vv", "l": "I", "i": "l", "h": "li", "nn": "rm", "g": "q"}


class Ocr:
    """Misreads a letter in up to three words, as text recognition does."""

    name = "ocr"

    def perturb(self, question: Question, draw: Draw) -> str | None:
        """The question with misread letters, no word turned into another."""
        words = [word for word in question.loose if len(word.text) >= _SHORTEST]
        count = min(_MOST, max(1, len(question.words) // 5))
        changes = {word: _misread(word.text, draw) for word in draw.some(words, count)}
        return question.with_words(changes)


def _misread(word: str, draw: Draw) -> str:
    inner = word[1:]  # the first letter carries most of a word
    there = [letters for letters in _MISREAD if letters in inner]
    if not there:
        return word
    letters = draw.one(there)
    found = word[0] + inner.replace(letters, _MISREAD[letters], 1)
    return word if is_word(found) else found
