"""Words of texts as numbers, and which of them say what a text is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from harness.suites.similar import words_of

Ids = npt.NDArray[np.int64]
# Words that can come, go or change without another thing being asked. No question words, negations,
# directions or numbers: those make it another question.
FUNCTION = frozenset(
    {
        "a", "an", "the", "this", "that", "these", "those", "it", "its", "i", "me", "my", "mine",
        "we", "us", "our", "you", "your", "yours", "they", "them", "their", "do", "does", "did",
        "am", "is", "are", "was", "were", "be", "been", "being", "have", "has", "had", "can",
        "could", "will", "would", "shall", "may", "might", "of", "at", "in", "on", "for", "to",
        "and", "so", "just", "also", "please", "kindly", "hi", "hello", "hey", "dear", "thanks",
        "thank", "ok", "okay", "well", "then", "there", "here", "some", "any", "really",
    }
)  # fmt: skip
# Words that everybody knows, however few texts there are to count them in.
KNOWN = FUNCTION | {
    "what", "when", "where", "who", "whom", "whose", "which", "why", "how", "not", "no", "never",
    "from", "with", "without", "before", "after", "up", "down", "off", "out", "over", "under",
    "or", "if", "but", "than", "by", "he", "she", "her", "his", "him", "should", "must", "need",
}  # fmt: skip
_SHORTENED = re.compile(r"['’](?:s|m|re|ll|ve|d)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.?!。？！])\s+|\n+")
_DIGIT = re.compile(r"\d")
# A word in more texts than this, and in more than this share of another's, is no slip of a pen.
RARE, RARE_SHARE = 2, 0.1
LONG_WORD = 5  # letters, from which two of them may be wrong


def split_words(text: str) -> list[str]:
    """The words of a text as they are compared: without case, punctuation and short verb forms."""
    return words_of(_SHORTENED.sub("", text) if "'" in text or "’" in text else text)


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [part for part in _SENTENCE.split(text) if part.strip()]


class Vocabulary:
    """Numbers of words, and in how many texts each is."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.words: list[str] = []
        self.frequency: Ids = np.zeros(0, dtype=np.int64)
        self.function: npt.NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)

    def number(self, words: Iterable[str]) -> list[int]:
        """The number of each word; one that is new gets the next."""
        found = []
        for word in words:
            known = self.numbers.get(word)
            if known is None:
                known = self.numbers[word] = len(self.words)
                self.words.append(word)
            found.append(known)
        return found

    def count(self, texts: Iterable[Sequence[int]]) -> None:
        """Count in how many of the texts each word is; the vocabulary is complete by then."""
        frequency = [0] * len(self.words)
        for text in texts:
            for word in set(text):
                frequency[word] += 1
        self.frequency = np.array(frequency, dtype=np.int64)
        self.function = np.array([word in FUNCTION for word in self.words], dtype=np.bool_)

    def letters(self, words: Iterable[int]) -> tuple[str, tuple[str, ...]]:
        """The letters of a text without blanks, and its words with digits."""
        found = [self.words[word] for word in words]
        return "".join(found), tuple(word for word in found if _DIGIT.search(word))

    def slips(self, word: int, other: int) -> int:
        """In how many letters one word is likely the other misspelt; 0 where it is another word.

        A slip drops, adds or replaces a letter, or swaps it with the next one. A number is never
        misspelt, nor is a known word that differs in more than a letter from another known one.
        """
        one, two = self.words[word], self.words[other]
        if min(len(one), len(two)) < 2 or _DIGIT.search(one) or _DIGIT.search(two):
            return 0
        most = 2 if max(len(one), len(two)) >= LONG_WORD else 1
        if abs(len(one) - len(two)) > most or max(len(one), len(two)) < 3:
            return 0
        low, high = sorted((int(self.frequency[word]), int(self.frequency[other])))
        if (low > RARE and low > RARE_SHARE * high) or (one in KNOWN and two in KNOWN):
            return 0
        found = edit_distance(one, two)
        return found if found <= most else 0


def edit_distance(one: str, two: str) -> int:
    """How many letters are dropped, added, replaced or swapped with the next one between the two.

    Optimal string alignment: Damerau's four kinds of error (1964), no letter touched twice.
    """
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, letter in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(two, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and (letter, other) == (two[j - 2], one[i - 2]):
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
