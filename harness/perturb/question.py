"""A question as its words, each free to be changed or not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.perturb.vocabulary import ABOUT_FORM, COMMON, NEGATIONS, UNITS
from harness.records.suite import Case

# The tag of a case that is to be asked as it is written, in no other form.
AS_WRITTEN = "as-written"

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# What is no prose: addresses, code, placeholders, quotations, tokens with digits or signs.
_FIXED = re.compile(
    r"```.*?```|`[^`]*`|https?://\S+|www\.\S+|\S+@\S+"
    r"|\"[^\"]*\"|“[^”]*”|‘[^’]*’|«[^»]*»|(?<!\w)'[^'\n]*'(?!\w)"
    r"|<[^>\n]*>|\{[^}\n]*\}|\[[^\]\n]*\]"
    r"|\S*[\d_\\/=|~^*#@&%$€£¥+]\S*|\S+\.\w+\b",
    re.DOTALL,
)
# Keys of expectations that say how an answer is read, and hold nothing of it.
_NO_ANSWERS = frozenset({"behavior", "match", "tolerance", "must", "must_not"})
_BEGINS = re.compile(r"(?:^|[.!?:;\n]\s*|[\"“‘«(]\s*)$")
_ENGLISH_SHARE = 5  # one word in so many is a common one in any English sentence


@dataclass(frozen=True, slots=True)
class Word:
    """A word at its place in a question; only a `free` one may be changed."""

    text: str
    start: int
    end: int
    free: bool

    @property
    def lower(self) -> str:
        """The word in lower case with a plain apostrophe."""
        return _lower(self.text)


@dataclass(frozen=True)
class Question:
    """The user's last message, with its words in their order."""

    text: str
    words: tuple[Word, ...]
    # The words of the case's own answers, in lower case.
    kept: frozenset[str] = frozenset()

    @cached_property
    def lowered(self) -> frozenset[str]:
        """All of its words in lower case."""
        return frozenset(word.lower for word in self.words)

    @property
    def english(self) -> bool:
        """Whether so many of its words are common English ones that it is English."""
        common = sum(word.lower in COMMON for word in self.words)
        return common * _ENGLISH_SHARE >= len(self.words) > 0

    @property
    def about_form(self) -> bool:
        """Whether it asks about a text's own form, so that another form is another question."""
        return bool(self.lowered & ABOUT_FORM)

    @property
    def free(self) -> tuple[Word, ...]:
        """The words that may be changed."""
        return tuple(word for word in self.words if word.free)

    @property
    def loose(self) -> tuple[Word, ...]:
        """Those whose letters may be changed: plain lower-case words that stand there once."""
        often = Counter(word.lower for word in self.words)
        return tuple(
            word
            for word in self.free
            if word.text.isalpha() and word.text.islower() and often[word.lower] == 1
        )

    def tells(self, variant: str) -> bool:
        """Whether a variant brings in a word of the case's own answers."""
        said = {_lower(word) for word in _WORD.findall(variant)}
        return bool((said - self.lowered) & self.kept - COMMON)

    def with_words(self, changes: Mapping[Word, str]) -> str | None:
        """The text with these words in place of others; None where it stays what it is."""
        parts, end = [], 0
        for word in self.words:
            if word in changes:
                parts += [self.text[end : word.start], changes[word]]
                end = word.end
        changed = "".join([*parts, self.text[end:]])
        return None if changed == self.text else changed


def read(case: Case) -> Question:
    """The last question of a case; what its expectation holds is not free."""
    text = case.messages[-1].content
    fixed = [match.span() for match in _FIXED.finditer(text)]
    answers = {key: value for key, value in case.expect.items() if key not in _NO_ANSWERS}
    kept = frozenset(_lower(word) for said in _texts(answers) for word in _WORD.findall(said))
    words = []
    for match in _WORD.finditer(text):
        start, end = match.span()
        inside = any(begin < end and start < stop for begin, stop in fixed)
        free = not inside and _free(match.group(), text[:start], kept)
        words.append(Word(match.group(), start, end, free))
    return Question(text, tuple(words), kept)


def _free(word: str, before: str, kept: frozenset[str]) -> bool:
    lower = _lower(word)
    if lower in kept or lower in NEGATIONS or lower in UNITS or lower.endswith("n't"):
        return False
    if word == "I" or lower.startswith("i'"):
        return True
    if word == lower:
        return True
    # A capital inside a sentence is a name's; at its beginning only a common word is none.
    return bool(_BEGINS.search(before)) and lower in COMMON and word[1:] == word[1:].lower()


def _lower(word: str) -> str:
    return word.lower().replace("’", "'")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
