"""Which conversations ask nearly the same, of all that were read."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from harness.data.disjoint import DisjointSets
from harness.data.lint.row import DataRow
from harness.leak.vocabulary import FUNCTION, Vocabulary, split_words
from harness.leak.windows import WindowHasher

RUN = 3  # words; the beginning and the end of a text count as one
NEAR = 0.5  # Jaccard similarity of the runs, where one question has only words more
OTHER_WORDS = 0.75  # where each has a word that the other has not, which may be another thing
LONGEST = 400  # words of a text that are compared
MOST_COMPARED = 300_000  # conversations; more are read, and not compared with each other
_ALL_PAIRS = 12  # holders of a run, of which each is paired with each
_NEXT = 3  # of more holders, with how many of the next ones each is paired
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two conversations by their numbers, the earlier first; `same` where they ask the same.

    Then their questions have the same words but for small ones, their order and slips of the pen.
    """

    first: int
    second: int
    same: bool


class Compared:
    """The conversations that were read, as numbers of words, and which of them are alike."""

    def __init__(self) -> None:
        self.places: list[str] = []
        self.groups: list[str] = []
        self.whole: list[bytes] = []  # digests of the conversations as they are read
        self.total = 0
        self.words = Vocabulary()
        self._edges = self.words.number(["^", "$"])
        self._asked: list[array[int]] = []
        self._answers: list[array[int]] = []
        self._about: list[int] = []

    def __len__(self) -> int:
        return len(self.places)

    def add(self, row: DataRow) -> None:
        """Keep what is compared of a row, up to `MOST_COMPARED` of them."""
        self.total += 1
        if len(self.places) >= MOST_COMPARED:
            return
        self.places.append(row.place)
        self.groups.append(row.group)
        asked = split_words(row.asked)[:LONGEST]
        self._asked.append(array("I", self.words.number(asked)))
        self._answers.append(array("I", self.words.number(split_words(row.answer)[:LONGEST])))
        about = " ".join(sorted(word for word in asked if word not in FUNCTION))
        system = " ".join(row.system.split())
        self._about.append(hash((about, system)) if about else 0)
        self.whole.append(_digest((*row.turns, ("", row.rejected))))

    def answer(self, number: int) -> set[str]:
        """The words of an answer."""
        return {self.words.words[word] for word in self._answers[number]}

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Pairs of conversations that ask the same or nearly so.

        Of many that are alike each is paired with some of the others, so that all of them hang
        together.
        """
        self.words.count(self._asked)
        pairs = dict.fromkeys(self._same(), True)
        for one, other, similarity in self._similar():
            if (one, other) not in pairs:
                less, more = self._differences(one, other)
                same = len(less) == len(more) and all(
                    any(self.words.slips(word, meant) for meant in less) for word in more
                )
                if same or similarity >= OTHER_WORDS or not (less and more):
                    pairs[one, other] = same
        return tuple(Pair(*key, same) for key, same in sorted(pairs.items()))

    @cached_property
    def clusters(self) -> list[int]:
        """For each conversation the first one of those that it is alike with, by any chain."""
        sets = DisjointSets(len(self))
        for pair in self.pairs:
            sets.join(pair.first, pair.second)
        return [sets.first(number) for number in range(len(self))]

    def _same(self) -> Iterator[tuple[int, int]]:
        """Each with the first and the one before it that has the same words but for small ones."""
        last: dict[int, tuple[int, int]] = {}
        for number, about in enumerate(self._about):
            if about:
                begin, before = last.get(about, (number, number))
                last[about] = (begin, number)
                yield from ((one, number) for one in {begin, before} - {number})

    def _similar(self) -> Iterator[tuple[int, int, float]]:
        """Those whose runs of words have a Jaccard similarity of at least `NEAR`."""
        begin, end = self._edges
        seen: dict[bytes, int] = {}
        kept: list[int] = []
        for number, text in enumerate(self._asked):  # one of those with exactly the same words
            if text and seen.setdefault(text.tobytes(), number) == number:
                kept.append(number)
        texts = [[begin, *self._asked[number], end] for number in kept]
        windows = WindowHasher(len(self.words.words)).index(texts, RUN)
        del texts
        sizes = np.bincount(windows.holders, minlength=len(kept))
        _, inverse, counts = np.unique(windows.hashes, return_inverse=True, return_counts=True)
        count = counts[inverse]
        common = np.bincount(windows.holders[count > _ALL_PAIRS], minlength=len(kept))
        runs = _runs_by_holder(windows.hashes, windows.holders, sizes)
        for one, other in _candidates(windows.hashes, windows.holders, count, sizes, common):
            mine, theirs = runs[one], runs[other]
            shared = np.intersect1d(mine, theirs, assume_unique=True).size
            similarity = shared / (mine.size + theirs.size - shared)
            if similarity >= NEAR:
                yield kept[one], kept[other], similarity

    def _differences(self, one: int, other: int) -> tuple[list[int], list[int]]:
        """The words of each question that the other has not, but for small ones."""
        ours, theirs = Counter(self._asked[one]), Counter(self._asked[other])
        less = [word for word in (ours - theirs).elements() if not self.words.function[word]]
        more = [word for word in (theirs - ours).elements() if not self.words.function[word]]
        return less, more


def _digest(value: object) -> bytes:
    text = repr(value).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=8).digest()


def _runs_by_holder(
    hashes: npt.NDArray[np.uint64], holders: Ids, sizes: Ids
) -> list[npt.NDArray[np.uint64]]:
    order = np.argsort(holders, kind="stable")
    return np.split(hashes[order], np.cumsum(sizes)[:-1])


def _candidates(
    hashes: npt.NDArray[np.uint64], holders: Ids, count: Ids, sizes: Ids, common: Ids
) -> Iterator[tuple[int, int]]:
    """Pairs that may be similar enough, by the runs that few others hold."""
    total = len(sizes)
    held: list[Ids] = []
    for step in range(1, _ALL_PAIRS):
        same = hashes[step:] == hashes[:-step]
        if step > _NEXT:
            same &= count[step:] <= _ALL_PAIRS
        held.append(holders[:-step][same] * total + holders[step:][same])
    codes, shared = np.unique(np.concatenate(held), return_counts=True)
    one, other = np.divmod(codes, max(total, 1))
    most = np.minimum(sizes[one], sizes[other])
    most = np.minimum(shared + np.minimum(common[one], common[other]), most)
    likely = most >= NEAR * (sizes[one] + sizes[other] - most)
    yield from zip(one[likely].tolist(), other[likely].tolist(), strict=True)
