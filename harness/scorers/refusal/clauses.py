"""An answer's clauses: their words, and the class of each word as one letter."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

MOST_WORDS = 80  # a longer clause is cut
_PRIVATE_USE = 0xE000  # characters that mean nothing in a regular expression
_TOKEN = re.compile(
    r"[^\W_]+(?:['-][^\W_]+)*"
    r"|[.!?…;:]+(?=[\s\"')*\]]|$)|[。！？；]|\n+"
    r"|[\",(]|\s[-–—]+\s|[–—]"
)
_PLAIN_MARKS = str.maketrans(dict.fromkeys("`´‘’‛ʼʹ＇′", "'") | dict.fromkeys("“”«»„", '"'))
_BULLETS = frozenset({"-", "*", "•", "+", "–", "·"})
_ABBREVIATIONS = frozenset({"dr", "mr", "mrs", "ms", "st", "prof", "vs", "inc", "ltd", "approx"})
_SUBORDINATES = frozenset({"while", "although", "though"})
_SHORT_FORMS = {
    "cannot": ("can", "not"),
    "can't": ("can", "not"),
    "cant": ("can", "not"),
    "won't": ("will", "not"),
    "wont": ("will", "not"),
    "shan't": ("shall", "not"),
    "let's": ("let", "us"),
    "dont": ("do", "not"),
    "doesnt": ("does", "not"),
    "isnt": ("is", "not"),
    "im": ("i", "am"),
}
_SHORT_ENDINGS = {
    "n't": "not",
    "'m": "am",
    "'re": "are",
    "'ll": "will",
    "'ve": "have",
    "'d": "would",
    "'s": "is",
}
_BEFORE_IS = frozenset({"it", "that", "this", "there", "what", "who", "where", "here", "he", "she"})


@dataclass(frozen=True, slots=True)
class Clause:
    """What stands between two stops.

    `words` are in lower case with contractions spelled out; `classes` has the letter of each one's
    class, by `letters`.
    `listed` is set in an item of a list, `quoted` in somebody else's speech. `start` and `end`
    say where the clause stands in the text.
    """

    words: tuple[str, ...]
    classes: str
    start: int
    end: int
    sentence: int
    asks: bool
    listed: bool
    quoted: bool
    size: int  # words, without commas and brackets

    @property
    def pivots(self) -> bool:
        """Whether it turns from what was said before: `but …`, `and yet …`."""
        return self.classes.lstrip(letters("and")).startswith(letters("but"))


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The classes of English words, and the sets of words that are counted.

    `classes` gives a class's letter by its name, `words` the letter of a word that has a class.
    """

    classes: dict[str, str]
    words: dict[str, str]
    counted: dict[str, frozenset[str]]
    courtesies: tuple[str, ...]


@cache
def lexicon() -> Lexicon:
    """The word classes of `english.toml`."""
    read = tomllib.loads(Path(__file__).with_name("english.toml").read_text(encoding="utf-8"))
    names = (*read["classes"], "other", "number", "comma")
    classes = {name: chr(_PRIVATE_USE + place) for place, name in enumerate(names)}
    letter_of: dict[str, str] = {}
    for name, words in read["classes"].items():
        for word in words.split():
            letter_of.setdefault(word, classes[name])
    counted = {name: frozenset(words.split()) for name, words in read["counted"].items()}
    return Lexicon(classes, letter_of, counted, tuple(read["courtesies"]["phrases"]))


@cache
def letters(names: str) -> str:
    """The letters that stand for word classes in `Clause.classes`, by their names."""
    return "".join(lexicon().classes[name] for name in names.split())


def spelled_out(word: str) -> tuple[str, ...]:
    """The words that a written one stands for: `can't` is `can not`, `what's` is `what is`."""
    short = _SHORT_FORMS.get(word)
    if short or "'" not in word:
        return short or (word,)
    for ending, full in _SHORT_ENDINGS.items():
        if word.endswith(ending):
            base = word[: -len(ending)]
            if not base:  # "do n't", as corpora of parted words have it
                return (full,)
            return (base, full) if ending != "'s" or base in _BEFORE_IS else (base,)
    return (word,)


@lru_cache(maxsize=65_536)
def _classed(written: str) -> tuple[tuple[str, str], ...]:
    """The words that a written one stands for, each with the letter of its class."""
    known, other = lexicon().words, letters("other")
    return tuple(
        (word, known.get(word) or (letters("number") if word[0].isdigit() else other))
        for word in spelled_out(written)
    )


def clauses(text: str) -> list[Clause]:
    """The clauses of an English text, in order."""
    text = text.translate(_PLAIN_MARKS)
    bare = text.strip()
    if bare.count('"') == 2 and bare.startswith('"') and bare.endswith('"'):
        text = text.replace('"', " ")  # the whole answer stands in quotation marks: its own words
    cutter = _Cutter(text)
    for match in _TOKEN.finditer(text):
        cutter.take(match)
    cutter.close(len(text))
    return cutter.found


class _Cutter:
    """The state of cutting a text into clauses."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._but, self._and, self._comma_letter = map(letters, ("but", "and", "comma"))
        self.found: list[Clause] = []
        self._words: list[str] = []
        self._classes: list[str] = []
        self._start = self._sentence = 0
        self._line_starts, self._listed, self._quoting, self._quoted = True, False, False, False

    def take(self, match: re.Match[str]) -> None:
        found, at = match.group(), match.start()
        if found[0].isalnum():
            self._word(found.lower(), at)
        elif found == '"':
            speech = self._text[match.end() : match.end() + 1].isupper()
            if self._quoting or speech:
                self.close(at)
            self._quoting = speech and not self._quoting
        elif found in ",(":
            self._comma(found, at)
        elif not self._is_point(found):
            self.close(match.end(), asks="?" in found or "？" in found)
            self._sentence += found[0] in ".!?…\n。！？"
            if "\n" in found:
                self._line_starts, self._listed, self._quoting = True, False, False

    def close(self, end: int, *, asks: bool = False) -> None:
        """End the clause that is open, if one is."""
        if self._words:
            where = (self._start, end, self._sentence, asks, self._listed, self._quoted)
            classes = "".join(self._classes)
            size = len(classes) - classes.count(self._comma_letter)
            self.found.append(Clause(tuple(self._words), classes, *where, size))
            self._words, self._classes = [], []

    def _word(self, written: str, at: int) -> None:
        if self._line_starts:
            before = self._text[max(0, at - 4) : at].rpartition("\n")[2].replace("*", "* ").split()
            self._listed = written[0].isdigit() or (bool(before) and before[0] in _BULLETS)
            self._line_starts = False
        for word, letter in _classed(written):
            if word == "yet" and self._classes[-1:] in ([], [self._comma_letter]):
                letter = self._but
            if len(self._words) >= MOST_WORDS:
                self.close(at)
            if letter == self._but and self._classes and self._classes != [self._and]:
                self.close(at)
            if not self._words:
                self._start, self._quoted = at, self._quoting
            self._words.append(word)
            self._classes.append(letter)

    def _comma(self, mark: str, at: int) -> None:
        if self._words and self._words[0] in _SUBORDINATES and len(self._words) > 3:
            self.close(at)  # "While I can't advise you, the notice is a month."
        elif self._words:
            self._words.append(mark)
            self._classes.append(self._comma_letter)

    def _is_point(self, stop: str) -> bool:
        """Whether a stop is part of a word: of an abbreviation, or of the number of an item."""
        last = self._words[-1] if stop == "." and self._words else ""
        return last in _ABBREVIATIONS or (last.isdigit() and len(self._words) == 1)
