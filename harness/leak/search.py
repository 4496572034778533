"""Which training texts ask what a case asks, in the same words or nearly so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from harness.leak.conversations import Trained
from harness.leak.vocabulary import RARE, Ids, Vocabulary, sentences, split_words
from harness.leak.windows import WindowHasher, Windows
from harness.records.leakage import LeakKind

MOST_EDITS = 3
WORDS_AN_EDIT = 4  # of a text for each small word that may come or go
LEAST_REORDERED = 4  # words that say what a text is about, which its clauses must have
CLAUSE = 3  # of such words in each of three clauses
OVERLAP = 13  # words in a row, as for GPT-3 (Brown et al. 2020) and since
SENTENCE = 6  # words: a shorter sentence within a longer text is anybody's
LONG = 14  # words, from which runs of three tell that a text is another one edited
RUN = 3
MOST_HOLDERS = 5  # texts that have a run of three words in common have it from a template
SLIPS_SHARE = 0.002
OWN = 0.5  # share of a text's runs, or of a stretch's, that must be no template's
CONTAINED = 0.5

Words = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A training text, by its place among the distinct ones, and how it is like a case's text."""

    text: int
    kind: LeakKind


class TrainingTexts:
    """The distinct texts that users of training examples say, ready to be searched.

    `cases` are the texts that will be searched for, and their groups: how often a word or a run of
    words is used tells a template from wording of one's own.
    """

    def __init__(self, examples: Sequence[Trained], cases: Sequence[tuple[str, str]]) -> None:
        self.words = Vocabulary()
        self._texts: dict[Words, int] = {}
        self._letters: dict[tuple[str, tuple[str, ...]], int] = {}
        self._verbatim: set[tuple[int, int]] = set()
        self._sentences: dict[Words, int] = {}
        self._read(examples)
        self._cases = {text: tuple(self.words.number(split_words(text))) for text, _ in cases}
        self._list = list(self._texts)
        self.words.count([*self._list, *set(self._cases.values())])
        self._post()
        self._window(cases)

    def __len__(self) -> int:
        return len(self._list)

    def _read(self, examples: Sequence[Trained]) -> None:
        seen: dict[str, int] = {}
        turns: list[tuple[int, int]] = []
        for place, example in enumerate(examples):
            for raw in example.asked:
                text = " ".join(raw.split())
                if text:
                    known = seen.get(text)
                    if known is None:
                        known = seen[text] = self._add(raw, text)
                    turns.append((known, place))
        said = np.array(turns, dtype=np.int64).reshape(-1, 2)
        said = said[np.lexsort((said[:, 1], said[:, 0]))]
        self._said, self._sayers = said[:, 0], said[:, 1]

    def _add(self, raw: str, text: str) -> int:
        words = tuple(self.words.number(split_words(text)))
        known = self._texts.setdefault(words, len(self._texts))
        self._letters.setdefault(self.words.letters(words), known)
        self._verbatim.add((known, hash(text)))
        parts = sentences(raw)
        for part in parts if len(parts) > 1 else ():
            of_part = tuple(self.words.number(split_words(part)))
            if len(of_part) >= SENTENCE:
                self._sentences.setdefault(of_part, known)
        return known

    def _post(self) -> None:
        """Which texts hold each word that says what a text is about, and how many such each has."""
        count = max(1, len(self._list))
        self._lengths = np.array([len(text) for text in self._list], dtype=np.int64)
        size = int(self._lengths.sum())
        flat = np.fromiter((one for text in self._list for one in text), np.int64, size)
        owner = np.repeat(np.arange(len(self._list), dtype=np.int64), self._lengths)
        said = ~self.words.function[flat]
        word, self._posted = np.divmod(np.unique(flat[said] * count + owner[said]), count)
        self._starts = np.searchsorted(word, np.arange(len(self.words.words) + 1))
        self._sizes = np.bincount(self._posted, minlength=len(self._list))
        # A slip that is made a few times in so many texts is still one.
        common = self.words.frequency[word] > max(RARE, count * SLIPS_SHARE)
        self._common = np.bincount(self._posted[common], minlength=len(self._list))

    def _window(self, cases: Sequence[tuple[str, str]]) -> None:
        """The runs of words that texts, and groups of cases, have in common."""
        self._hasher = WindowHasher(len(self.words.words))
        groups: dict[str, int] = {}
        numbers = [groups.setdefault(group, len(groups)) for _, group in cases]
        asked = [self._cases[text] for text, _ in cases]
        self._runs: dict[int, Windows] = {}
        for size, least in ((RUN, LONG), (OVERLAP, OVERLAP)):
            # Short texts are not told by their runs.
            long = [text if len(text) >= least else () for text in self._list]
            self._runs[size] = self._hasher.index(long, size)
        self._asked = self._hasher.index(asked, RUN, numbers)

    def examples_of(self, text: int) -> Ids:
        """The places of the training examples in which the text is said."""
        low, high = np.searchsorted(self._said, [text, text + 1])
        return np.unique(self._sayers[low:high])

    def matches(self, raw: str, *, near_too: bool = False) -> Iterator[Match]:
        """The training texts that a case's text is found in; of nearly the same ones all.

        Where the words are exactly the same, nearly the same ones are not looked for unless
        `near_too`.
        """
        words = self._cases[raw]
        if not words:
            return
        text = " ".join(raw.split())
        known = self._texts.get(words, self._letters.get(self.words.letters(words)))
        if known is not None:
            same = (known, hash(text)) in self._verbatim
            yield Match(known, "verbatim" if same else "normalised")
        elif words in self._sentences:
            yield Match(self._sentences[words], "overlap")
        if known is None or near_too:
            found: dict[int, LeakKind] = {}
            for place in self._candidates(words):
                kind = self._compare(words, self._list[place])
                if kind is not None:
                    found[place] = kind
            for place, kind in self._long(words):
                found.setdefault(place, kind)
            for place in sorted(found.keys() - {known}):
                yield Match(place, found[place])

    def _candidates(self, words: Words) -> Iterator[int]:
        """The texts that say all that the words are about, and nothing else but for slips.

        A misspelt word is rare, so that a text has hardly a common word that the case has not.
        """
        about = {word for word in words if not self.words.function[word]}
        size = len(about)
        parts = [self._posted[self._starts[one] : self._starts[one + 1]] for one in about]
        if not parts:
            return
        shared = np.bincount(np.concatenate(parts), minlength=len(self._list))
        missed = size - shared
        kept = (
            (shared >= max(1, size - MOST_EDITS))
            & (self._common <= shared + (1 if size >= LEAST_REORDERED else 0))
            & (np.abs(self._sizes - size) <= 2)
            & (self._sizes - shared <= MOST_EDITS)
            & (np.abs(self._lengths - len(words)) <= MOST_EDITS)
            & (missed <= MOST_EDITS)
        )
        yield from (int(place) for place in np.flatnonzero(kept))

    def _compare(self, case: Words, text: Words) -> LeakKind | None:
        """How the text is the case's, None where it asks something else."""
        function = self.words.function
        ours, theirs = Counter(case), Counter(text)
        less, more = list((ours - theirs).elements()), list((theirs - ours).elements())
        slips, meant = 0, {}
        for word in more[:]:
            near = [(self.words.slips(word, one), one) for one in less]
            letters, one = min((pair for pair in near if pair[0]), default=(0, -1))
            if letters:
                slips += letters
                meant[word] = one
                less.remove(one)
                more.remove(word)
        loose = len(less) + len(more)
        if slips + loose > MOST_EDITS or not all(function[word] for word in (*less, *more)):
            return None
        if loose and (len(case) <= WORDS_AN_EDIT or loose > len(case) // WORDS_AN_EDIT):
            return None
        about = list(dict.fromkeys(word for word in case if not function[word]))
        if len(about) < 2 and (loose or len(case) < SENTENCE // 2):
            return None
        mapped = dict.fromkeys(meant.get(word, word) for word in text)
        return _kind_of([about.index(word) for word in mapped if word in about])

    def _long(self, words: Words) -> Iterator[tuple[int, LeakKind]]:
        """The texts that share much of a long text's own wording, which is no template's.

        That is half of its runs of three words, or 13 words in a row.
        """
        if len(words) < OVERLAP:
            return
        runs = self._hasher.row(words, RUN)
        own = (self._runs[RUN].counts(runs) <= MOST_HOLDERS) & (self._asked.counts(runs) <= 1)
        if len(words) >= LONG and own.mean() >= OWN:
            shared = Counter(self._runs[RUN].holders_of(np.unique(runs[own])).tolist())
            for text, count in shared.items():
                if count >= CONTAINED * own.sum():
                    yield text, "edited"
        stretches = self._hasher.row(words, OVERLAP)
        inner = OVERLAP - RUN + 1
        shares = np.convolve(own, np.ones(inner), mode="valid") / inner
        for text in self._runs[OVERLAP].holders_of(stretches[shares >= OWN]).tolist():
            yield text, "overlap"


def _kind_of(order: Sequence[int]) -> LeakKind | None:
    """What was done to a text whose words are in this order: nothing, or clauses were moved.

    Two single words that change places, as in a trip from one city to another, ask another thing.
    """
    runs = [1]
    for one, other in pairwise(order):
        if other == one + 1:
            runs[-1] += 1
        else:
            runs.append(1)
    if len(runs) == 1:
        return "edited"
    if len(order) < LEAST_REORDERED or len(runs) > 3:
        return None
    return "reordered" if len(runs) == 2 or min(runs) >= CLAUSE else None


def contains(text: Sequence[str], part: Sequence[str]) -> bool:
    """Whether the words of the part stand in a row in the text."""
    size = len(part)
    return any(text[at : at + size] == part for at in range(len(text) - size + 1))


def answered_cases(examples: Iterable[Trained], answers: Sequence[Sequence[str]]) -> list[bool]:
    """For each list of accepted answers whether one of them stands in what is trained to say."""
    words = Vocabulary()
    said = dict.fromkeys(text for example in examples for text in example.answers if text)
    texts = [words.number(split_words(text)) for text in said]
    wanted: defaultdict[int, list[tuple[int, list[int]]]] = defaultdict(list)
    for place, accepted in enumerate(answers):
        for answer in accepted:
            numbers = words.number(split_words(answer)[:OVERLAP])
            if numbers:
                wanted[len(numbers)].append((place, numbers))
    found = [False] * len(answers)
    hasher = WindowHasher(len(words.words))
    for size, parts in wanted.items():
        theirs = hasher.index(texts, size)
        rows = np.array([hasher.row(numbers, size)[0] for _, numbers in parts], dtype=np.uint64)
        for (place, _), count in zip(parts, theirs.counts(rows), strict=True):
            found[place] |= bool(count)
    return found
