"""Which of many short texts are nearly the same."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

_WORD = re.compile(r"\w+")
MOST_SHARED = 50  # a run of words in more texts than this is a template's, and identifies none

Shingles = frozenset[tuple[str, ...]]


def shingles(text: str) -> Shingles:
    """The text's runs of three words, lower case, its beginning and its end taken for words."""
    words = ["^", *_WORD.findall(text.casefold()), "$"]
    return frozenset(tuple(words[at : at + 3]) for at in range(max(1, len(words) - 2)))


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
