"""A text as rules read it: its sentences, and what in them is claimed."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from harness.scorers.answers.words import sentence_ends
from harness.scorers.compliance.phrases import Phrase, forms

_TOKEN = re.compile(r"[^\s–—/]+")
_BREAK = re.compile(r"[,:()–—]|\s-\s")
_TURNS = frozenset({"but", "because", "so", "although", "though", "however", "while", "since"})
# A negation, unless it strengthens what follows.
_DENIES = re.compile(
    r"(?<= )(?:not(?! only)|never|no(?! (?:doubt|question|matter|one))|nor|neither|nobody|no one|"
    r"none|without|unable|hardly|rather than|instead of|refuse to|avoid|stop|against)(?= )"
)
_SUPPOSES = re.compile(
    r"(?<= )(?:if|whether|unless|until|in case|before|suppose|assuming|which)(?= )"
)
_DENIES_BEHIND = re.compile(
    r"(?:^| )(?:is|are|would be) (?:not|never|wrong|false|untrue|a myth|nonsense)\b"
)
_ABBREVIATED = re.compile(r"(?i)\b(?:dr|mr|mrs|ms|st|prof|e\.g|i\.e|approx|no)\.$")


@dataclass(frozen=True, slots=True)
class Claim:
    """A phrase that is said: where in the text, in which words, and why that is doubtful, if so."""

    first: int
    last: int
    said: str
    doubt: str = ""


class Sentence:
    """A sentence: its words in one line with spaces around them, and where each stands."""

    def __init__(self, text: str, begin: int, end: int, first: int) -> None:
        self.asks = text[begin:end].rstrip("\"')]* \n").endswith(("?", "？"))
        self.first = first
        self._text = text
        self._begins: list[int] = []  # of each word in the line
        self._spans: list[tuple[int, int]] = []  # of each word in the text
        pieces, at, breaks = [" "], 1, []
        for token in _TOKEN.finditer(text, begin, end):
            gap = text[self._spans[-1][1] : token.start()] if self._spans else ""
            for place, form in enumerate(forms(token.group())):
                behind = text[self._spans[-1][1] - 1] if self._spans else ""
                if not place and (_BREAK.search(gap) or behind in ",:)" or form in _TURNS):
                    breaks.append(at)
                self._begins.append(at)
                self._spans.append(token.span())
                pieces.append(f"{form} ")
                at += len(form) + 1
        self.line = "".join(pieces)
        self._breaks = breaks

    def __len__(self) -> int:
        return len(self._begins)

    def find(self, phrases: Sequence[Phrase]) -> tuple[int, int] | None:
        """Where in the line the first of the phrases that is there stands, or None."""
        for phrase in phrases:
            hits = [part.search(self.line) for part in phrase.parts]
            found = [hit.span() for hit in hits if hit is not None]
            if len(found) == len(hits):
                return min(begin for begin, _ in found), max(end for _, end in found)
        return None

    def all(self, phrases: Sequence[Phrase]) -> Iterator[tuple[int, int]]:
        """Where each of the phrases stands that is there."""
        for phrase in phrases:
            one = self.find((phrase,))
            if one is not None:
                yield one

    def before(self, at: int) -> str:
        """What stands in the same clause before a place in the line."""
        place = bisect_right(self._breaks, at)
        return self.line[(self._breaks[place - 1] - 1) if place else 0 : at]

    def after(self, at: int) -> str:
        """What stands in the same clause from a place in the line on."""
        place = bisect_right(self._breaks, at - 1)
        return self.line[at : self._breaks[place] if place < len(self._breaks) else None]

    def claim(self, begin: int, end: int, doubt: str = "") -> Claim:
        """The words of a stretch of the line, as they are written."""
        first = max(0, bisect_right(self._begins, begin) - 1)
        last = max(first, bisect_right(self._begins, end - 1) - 1)
        said = self._text[self._spans[first][0] : self._spans[last][1]]
        return Claim(self.first + first, self.first + last, " ".join(said.split()), doubt)


class Text:
    """A text as rules read it."""

    def __init__(self, text: str) -> None:
        self.raw = text

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """Its sentences that hold words, in order."""
        found, begin, first = [], 0, 0
        for end in [*sentence_ends(self.raw), len(self.raw)]:
            if _ABBREVIATED.search(self.raw[begin:end]) and end < len(self.raw):
                continue
            sentence = Sentence(self.raw, begin, end, first)
            if len(sentence):
                found.append(sentence)
                first += len(sentence)
            begin = end
        return tuple(found)

    def claims(
        self,
        phrases: Sequence[Phrase],
        unless: Sequence[Phrase] = (),
        *,
        asked: bool = False,
        supposed: bool = False,
        denied: bool = False,
    ) -> Iterator[Claim]:
        """Each of the phrases that is said and neither denied nor, as a rule, asked or supposed.

        A sentence that holds one of `unless` claims nothing. `asked` takes questions for claims
        too, `supposed` what stands behind an `if`, and `denied` what is denied.
        """
        for sentence in self.sentences:
            if (sentence.asks and not asked) or sentence.find(unless):
                continue
            for begin, end in sentence.all(phrases):
                before = f" {sentence.before(begin).strip()} "
                denials = len(_DENIES.findall(before))
                if (denials == 1 and not denied) or (not supposed and _SUPPOSES.search(before)):
                    continue
                doubt = ""
                if not denied and denials:
                    doubt = "it is denied twice"
                elif not denied and _DENIES_BEHIND.match(sentence.after(end)):
                    doubt = "what follows denies it"
                yield sentence.claim(begin, end, doubt)

    def said(self, phrases: Sequence[Phrase]) -> Iterator[Claim]:
        """Each of the phrases that stands in the text, whatever is made of it."""
        for sentence in self.sentences:
            for begin, end in sentence.all(phrases):
                yield sentence.claim(begin, end)


@lru_cache(maxsize=16)
def read(text: str) -> Text:
    """The text, read once for all rules that ask for it in a row."""
    return Text(text)
