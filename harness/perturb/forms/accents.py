"""`accents`: accents left out, or one too many from a keyboard of another language."""

from __future__ import annotations

import unicodedata

from harness.perturb.draw import Draw
from harness.perturb.question import Question

_SHORTEST = 4
_STRAY = dict(zip("aeiou", "àèìòù", strict=True))
_MOST = 2
_MARKS = "\N{COMBINING GRAVE ACCENT}\N{COMBINING ACUTE ACCENT}\N{COMBINING CIRCUMFLEX ACCENT}"
_WIDER = f"{_MARKS}\N{COMBINING TILDE}\N{COMBINING DIAERESIS}\N{COMBINING CEDILLA}"


class Accents:
    """Leaves accents out where there are any, else puts one on up to two vowels."""

    name = "accents"

    def perturb(self, question: Question, draw: Draw) -> str | None:
        """The question with other accents."""
        bare = question.with_words({word: _bare(word.text) for word in question.free})
        if bare is not None or not question.text.isascii():
            return bare
        words = [word for word in question.loose if len(word.text) >= _SHORTEST]
        return question.with_words(
            {word: _stray(word.text, draw) for word in draw.some(words, _MOST)}
        )


def _bare(word: str) -> str:
    letters = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(each for each in letters if each not in _WIDER))


def _stray(word: str, draw: Draw) -> str:
    places = [place for place, letter in enumerate(word) if letter in _STRAY]
    if not places:
        return word
    place = draw.one(places)
    return word[:place] + _STRAY[word[place]] + word[place + 1 :]
