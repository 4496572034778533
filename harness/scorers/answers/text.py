"""An answer as it is searched: its words, its sentences and its dates, each read once."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise

from harness.scorers.answers import vocabulary as voc
from harness.scorers.answers.dates import Date, dates
from harness.scorers.answers.words import Word, cleaned, read, sentence_ends

# Where a page's text was taken without its markup: spaces lost, citation marks glued to words.
_GLUED = re.compile(r"[^\W\d_]\d|\d[^\W\d_]|[a-z.,][A-Z]|\d{5}")
_CITED = re.compile(r"([^\W\d_]{4})\d{1,3}(?=[\s.,;:!?)]|$)", re.MULTILINE)
_CITED_YEAR = re.compile(r"(?<![\d.,])((?:1[1-9]|20)\d\d)\d{1,2}(?=\s*[.;]|$)", re.MULTILINE)
_LOST_SPACE = re.compile(r"([a-z])(?=[A-Z\d])|(\d)(?=[a-z]{3})|([.,])(?=[A-Z])")


class Text:
    """An answer as it is searched: its words in order, its sentences and its dates."""

    def __init__(self, text: str) -> None:
        self.raw = unicodedata.normalize("NFKC", text)
        self.clean = cleaned(text)
        self.words = read(self.clean)
        self.bare = [word for word in self.words if word.form not in voc.ARTICLES]
        self.line = line_of([word.form for word in self.words])
        self.bare_line = line_of([word.form for word in self.bare])

    @cached_property
    def forms(self) -> frozenset[str]:
        """Every word there is."""
        return frozenset(word.form for word in self.words)

    @cached_property
    def dates(self) -> tuple[Date, ...]:
        """Every date there is, in order."""
        return tuple(dates(self.clean))

    @cached_property
    def sentences(self) -> list[list[Word]]:
        """The words that are no articles, by sentence."""
        ends = sentence_ends(self.clean)
        parts: list[list[Word]] = [[] for _ in range(len(ends) + 1)]
        for word in self.bare:
            parts[bisect_right(ends, word.start)].append(word)
        return [part for part in parts if part]

    @cached_property
    def closed(self) -> tuple[str, dict[int, int]]:
        """The words that are no articles without spaces, and which begins where."""
        pieces = [guarded(word.form) for word in self.bare]
        begins = [0, *accumulate(map(len, pieces))]
        return "".join(pieces), {at: place for place, at in enumerate(begins)}

    @cached_property
    def mended(self) -> Text | None:
        """Where citation marks were glued or spaces lost, put right; None where nowhere.

        Only those sentences are there and their neighbours, since a name may hold a full stop:
        what the others hold was found without this.
        """
        if not _GLUED.search(self.clean):
            return None
        ends = [*sentence_ends(self.clean), len(self.clean)]
        parts = [self.clean[begin:end] for begin, end in pairwise([0, *ends])]
        mended = [_put_right(part) for part in parts]
        changed = [place for place, part in enumerate(parts) if mended[place] != part]
        if not changed:
            return None
        near = {place + step for place in changed for step in (-1, 0, 1)}
        return Text("".join(part for place, part in enumerate(mended) if place in near))


def _put_right(sentence: str) -> str:
    if not _GLUED.search(sentence):
        return sentence
    mended = _CITED_YEAR.sub(r"\1", _CITED.sub(r"\1", sentence))
    return _LOST_SPACE.sub(r"\g<0> ", mended)


@lru_cache(maxsize=8)
def reading(text: str) -> Text:
    """The text, read once for all that ask for it in a row."""
    return Text(text)


def line_of(forms: Iterable[str]) -> str:
    """The words with one space between them and at either end."""
    return f" {' '.join(forms)} "


def guarded(form: str) -> str:
    """The word, so marked that figures do not run together with those beside them."""
    return f"\x01{form}\x01" if form[0].isdigit() or form[-1].isdigit() else form
