"""Which of many short texts are nearly the same."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
# A character of a script without spaces is a word of its own, and so is a sign before a number.
_WORD = re.compile(rf"[{_SPACELESS}]|(?:(?![{_SPACELESS}])[^\W_])+|[-+*/=<>^×÷](?=\s*\d)")
# What no reader sees: format characters, marks on letters, and blanks that count as letters.
_UNSEEN = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "Mn", "Me"})
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# Letters of other alphabets that look like Latin ones.
_LOOKALIKES = str.maketrans("аеорсухіјѕԁһԛԝвкмнтгαεορνυικτηɑɡ", "aeopcyxijsdhqwbkmhtraeopvuikthag")
MOST_SHARED = 50  # a run of words in more texts than this is a template's, and identifies none
MOST_COMPARED = 20  # of a cluster's texts, with which one more is compared
COPIES = 0.75  # from here on two prompts are one question; no two shipped ones are above 0.69
MOST_ADDED = 3  # words about a question that leave it the same question
LITTLE = 5  # runs of words: what is left beside a template must be more to tell two texts apart

Shingles = frozenset[tuple[str, ...]]


def shingles(text: str) -> Shingles:
    """The text's runs of three words as a reader sees them, beginning and end taken for words.

    Letter case, punctuation, accents, characters that cannot be seen and letters of another
    alphabet that look the same make no difference.
    """
    words = ["^", *words_of(text), "$"]
    return frozenset(tuple(words[at : at + 3]) for at in range(max(1, len(words) - 2)))


def words_of(text: str) -> list[str]:
    """The text's words as a reader sees them, see `shingles`."""
    if text.isascii():
        folded = text.casefold()
    else:
        plain = unicodedata.normalize("NFKD", text)
        seen = (
            " " if character.isspace() else character
            for character in plain
            if character.isspace()
            or (character not in _BLANKS and unicodedata.category(character) not in _UNSEEN)
        )  # fmt: skip
        folded = "".join(seen).casefold().translate(_LOOKALIKES)
    # Where there is no word, as in a row of emoji, the characters are all there is.
    return _WORD.findall(folded) or folded.split()


def similarity(first: Shingles, second: Shingles) -> float:
    """The Jaccard similarity of two texts, from 0 for nothing in common to 1 for the same words.

    Broder, "On the resemblance and containment of documents" (1997).
    """
    return len(first & second) / len(first | second)


def similar_pairs(texts: Sequence[Shingles], threshold: float) -> Iterator[tuple[int, int]]:
    """The places of each two texts that are at least that similar, the earlier place first."""
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        shared: Counter[int] = Counter()
        for shingle in text:
            known = holders[shingle]
            if len(known) <= MOST_SHARED:
                shared.update(known)
            known.append(place)
        for other in sorted(shared):
            if similarity(texts[other], text) >= threshold:
                yield other, place


@dataclass(frozen=True, slots=True)
class Question:
    """What a case asks, as its runs of words, and what is expected of the answer, as text."""

    words: Shingles
    expected: str = ""


def clusters(questions: Sequence[Question], threshold: float = COPIES) -> list[int]:
    """For each question the place of the first one of its cluster, its own where it is alone.

    One joins the cluster of any that it is at least that similar to, or that it repeats with up
    to three words more, the same being expected. However many copies there are of one, its runs of
    words do not count as a template's for that. What more than half of all different questions
    have in common, such as the instructions before each, does not make them similar as long as
    enough is left.
    """
    found = _Clusters(_template(questions), threshold)
    for question in questions:
        found.add(question)
    return found.firsts


class _Clusters:
    """Clusters that grow by one question after another."""

    def __init__(self, template: Shingles, threshold: float) -> None:
        self.firsts: list[int] = []
        self._template = template
        self._threshold = threshold
        self._members: dict[int, list[Question]] = {}
        self._whole: dict[Shingles, int] = {}
        self._holders: defaultdict[tuple[str, ...], dict[int, None]] = defaultdict(dict)

    def add(self, question: Question) -> None:
        """Put the question into the cluster that it belongs to, or into one of its own."""
        known = self._whole.get(question.words)
        if known is not None:
            self.firsts.append(known)
            return
        joined = sorted(
            first
            for first in self._near(question.words)
            if any(self._copies(one, question) for one in self._members[first])
        )
        first = joined[0] if joined else len(self.firsts)
        self.firsts.append(first)
        self._whole[question.words] = first
        self._keep(question, first)
        for other in joined[1:]:  # it is a copy of both
            self._merge(other, first)

    def _near(self, words: Shingles) -> dict[int, None]:
        """The clusters that share a run of words, but for those of a template."""
        near: dict[int, None] = {}
        for shingle in words:
            holders = self._holders.get(shingle, {})
            if len(holders) <= MOST_SHARED:
                near.update(holders)
        return near

    def _keep(self, question: Question, first: int) -> None:
        kept = self._members.setdefault(first, [])
        if len(kept) < MOST_COMPARED:
            kept.append(question)
            for shingle in question.words:
                self._holders[shingle][first] = None

    def _merge(self, other: int, first: int) -> None:
        for question in self._members.pop(other):
            for shingle in question.words:
                self._holders[shingle].pop(other, None)
            self._keep(question, first)
        self.firsts = [first if one == other else one for one in self.firsts]
        self._whole = {words: first if one == other else one for words, one in self._whole.items()}

    def _copies(self, one: Question, other: Question) -> bool:
        if one.expected == other.expected and _repeats(*sorted((one.words, other.words), key=len)):
            return True
        if similarity(one.words, other.words) < self._threshold:
            return False
        rest, others = one.words - self._template, other.words - self._template
        if min(len(rest), len(others)) < LITTLE:
            return True
        return similarity(rest, others) >= self._threshold


def _template(questions: Sequence[Question]) -> Shingles:
    different = {question.words for question in questions}
    counts = Counter(shingle for words in different for shingle in words)
    return frozenset(one for one, count in counts.items() if 2 * count > len(different) > 2)


def _repeats(short: Shingles, long: Shingles) -> bool:
    """Whether the longer text is the shorter one with a few words more at an end."""
    inner = {one for one in short if one[0] != "^" and one[-1] != "$"}
    return bool(inner) and len(long) - len(short) <= MOST_ADDED and inner <= long
