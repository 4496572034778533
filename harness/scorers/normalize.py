"""Normalisation of answers for scorers: their words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field

from harness.validation import KeyProblem

ARTICLES = frozenset({"a", "an", "the"})
_KEPT_SIGNS = frozenset("%")
_APOSTROPHES = frozenset("'`´‘’‛ʼʹ＇′")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_INNER_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_LEADING_MINUS = re.compile(r"(?<!\w)[-−](?=\d)")
# Stand-ins from a private-use area: the marks that must outlive the removal of punctuation.
_POINT, _MINUS = "\ue000", "\ue001"


class _Folding(dict[int, str]):
    """The normalised form of each character, computed at its first use."""

    def __missing__(self, code: int) -> str:
        self[code] = result = _fold(chr(code))
        return result


def _fold(letter: str) -> str:
    if letter == _POINT:
        return "."
    if letter == _MINUS:
        return "-"
    if letter in _APOSTROPHES:
        return ""
    category = unicodedata.category(letter)
    if letter in _KEPT_SIGNS or category == "Sc":
        return f" {letter} "
    if category == "Cf":  # zero-width marks and soft hyphens sit inside words
        return ""
    if category[0] in "PSZC":
        return " "
    return letter


_FOLDING = _Folding()


def words(text: str) -> list[str]:
    """The text's words: NFKC, case-folded, punctuation and symbols gone, articles kept.

    What tells numbers apart stays: a decimal point, a leading minus, `%` and currency signs (the
    last two as words of their own). Apostrophes vanish (`don't` is `dont`), other punctuation
    parts words. A thousands comma vanishes.
    """
    folded = unicodedata.normalize("NFKC", text).replace(_POINT, " ").replace(_MINUS, " ")
    folded = unicodedata.normalize("NFKC", folded.casefold())
    folded = _THOUSANDS.sub("", folded)
    folded = _INNER_POINT.sub(_POINT, folded)
    folded = _LEADING_MINUS.sub(_MINUS, folded)
    return folded.translate(_FOLDING).split()


def without_articles(found: list[str]) -> list[str]:
    """The words that are no English article, as SQuAD compares them."""
    return [word for word in found if word not in ARTICLES]


def contains(text: list[str], phrase: str) -> bool:
    """Whether the words of a phrase stand in the text, whole, in order and next to each other.

    Articles do not count, unless the phrase ends in one: the `a` of `vitamin A` is its point.
    A phrase without words is nowhere.
    """
    return first_of(text, (phrase,)) is not None


def first_of(text: list[str], phrases: Iterable[str]) -> str | None:
    """The first of the phrases that the text contains, as `contains` decides it, or None."""
    with_articles = f" {' '.join(text)} "
    without = f" {' '.join(without_articles(text))} "
    for phrase in phrases:
        wanted, ends_in_article = _phrase(phrase)
        if wanted and f" {wanted} " in (with_articles if ends_in_article else without):
            return phrase
    return None


@lru_cache(maxsize=4096)
def _phrase(phrase: str) -> tuple[str, bool]:
    """The phrase as it is sought, and whether its articles count."""
    found = words(phrase)
    if found and found[-1] in ARTICLES:
        return " ".join(found), True
    return " ".join(without_articles(found)), False


def token_f1(text: list[str], reference: list[str]) -> float:
    """The F1 in [0, 1] of the two multisets of words, articles left out.

    Source: Rajpurkar et al. 2016, SQuAD, section 6.1. Two empty texts are equal: 1.
    """
    left, right = without_articles(text), without_articles(reference)
    if not left or not right:
        return float(left == right)
    common = sum((Counter(left) & Counter(right)).values())
    return 2.0 * common / (len(left) + len(right))


def _with_words(phrases: tuple[str, ...]) -> tuple[str, ...]:
    for place, phrase in enumerate(phrases):
        if not words(phrase):
            raise KeyProblem("holds no word", place)
    return phrases


# At least one phrase of at least one word each, as a suite writes them.
Phrases = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_with_words)]
