"""Phrases of rules: patterns over an answer's words.

In a phrase `a|b` stands for either word and `a_b` within such a choice for two words, `stem~` for
any word that begins so, `word?` for one that may be missing, `*` for up to four words, `<name>` for
any phrase of that list, `<number>` for one in figures, and `this & that` for both in one sentence,
in any order. Articles may stand anywhere. Contractions are spelled out: `can't` is `can not`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from harness.scorers.normalize import words
from harness.scorers.refusal.clauses import spelled_out
from harness.validation import KeyProblem, nearest

_ARTICLE = "(?:(?:a|an|the) )?"
_GAP = r"(?:\S+ ){0,4}?"
_NUMBER = r"-?\d[\d.]* "
_DEEPEST = 4  # lists within lists
_PLAIN_MARKS = str.maketrans(dict.fromkeys("`´‘’‛ʼʹ＇′", "'"))
_UNIT_BEHIND = re.compile(r"(?<=\d)(?=[^\W\d_])")

Lists = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase as it is written, and the patterns that must all be found in one sentence."""

    written: str
    parts: tuple[re.Pattern[str], ...]


@lru_cache(maxsize=8192)
def forms(token: str) -> tuple[str, ...]:
    """The words that a run of characters without spaces stands for."""
    plain = token.translate(_PLAIN_MARKS).casefold().strip("\"'“”()[]*_.,;:!?")
    parts = [word for part in spelled_out(plain) for word in words(_UNIT_BEHIND.sub(" ", part))]
    return tuple(parts)


def compiled(phrases: tuple[str, ...], lists: Lists) -> tuple[Phrase, ...]:
    """The phrases as they are sought.

    Raises:
        KeyProblem: a phrase without words, or one that names a list that is not there.
    """
    return tuple(_phrase(phrase, place, lists) for place, phrase in enumerate(phrases))


def _phrase(phrase: str, place: int, lists: Lists) -> Phrase:
    parts = []
    for part in phrase.split("&"):
        try:
            pattern = _pattern(part, lists, _DEEPEST)
        except ValueError as error:
            raise KeyProblem(str(error), place) from None
        parts.append(re.compile(rf"(?<= ){pattern}"))
    return Phrase(phrase, tuple(parts))


def _pattern(part: str, lists: Lists, depth: int) -> str:
    tokens = part.split()
    if not any(any(map(str.isalnum, token)) for token in tokens):
        raise ValueError("holds no word")
    return "".join(_choice(token, lists, depth) for token in tokens)


def _choice(written: str, lists: Lists, depth: int) -> str:
    if written == "*":
        return _GAP
    missing = written.endswith("?")
    either = [
        form for one in written.removesuffix("?").split("|") for form in _forms(one, lists, depth)
    ]
    if not either:
        raise ValueError(f"`{written}` holds no word")
    choice = f"{_ARTICLE}(?:{'|'.join(either)})"
    return f"(?:{choice})?" if missing else choice


def _forms(one: str, lists: Lists, depth: int) -> list[str]:
    if one == "<number>":
        return [_NUMBER]
    if one.startswith("<") and one.endswith(">"):
        name = one[1:-1]
        if name not in lists:
            raise ValueError(f"no list `{name}`{nearest(name, lists)}")
        if not depth:
            raise ValueError(f"list `{name}` holds lists that hold lists without end")
        return [_pattern(entry, lists, depth - 1) for entry in lists[name]]
    spelled = [form for piece in one.rstrip("~").split("_") for form in forms(piece)]
    if not spelled:
        return []
    return [" ".join(map(re.escape, spelled)) + (r"\S* " if one.endswith("~") else " ")]
