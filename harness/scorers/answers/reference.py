"""A reference answer as it is sought, with the other ways of writing the same fact."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from harness.scorers.answers import vocabulary as voc
from harness.scorers.answers.dates import Date, only_date
from harness.scorers.answers.words import Word, cleaned, read

_PLAIN = "without what surrounds it"
UNQUALIFIED = "without what stands in brackets"


@dataclass(frozen=True)
class Phrase:
    """A reference answer as it is sought, in each way that says the same."""

    text: str
    signs: str
    bare: tuple[str, ...]
    whole: tuple[str, ...] | None
    date: Date | None
    name: tuple[Word, ...]
    variants: tuple[tuple[str, tuple[str, ...]], ...]
    parts: tuple[tuple[str, ...], ...]
    place: tuple[str, ...]
    words: tuple[Word, ...]


def forms_of(text: str) -> tuple[str, ...]:
    """The words of a short text that are no articles."""
    return tuple(word.form for word in read(cleaned(text)) if word.form not in voc.ARTICLES)


@lru_cache(maxsize=8192)
def phrase(text: str) -> Phrase:
    """The reference answer, ready to be sought."""
    clean = cleaned(text)
    words = tuple(read(clean))
    forms = tuple(word.form for word in words)
    bare = tuple(form for form in forms if form not in voc.ARTICLES)
    article = forms and forms[-1] in voc.ARTICLES
    unit = len(forms) == 2 and forms[0] in voc.ARTICLES and forms[1] in voc.UNITS
    date = only_date(clean)
    parts = _parts(clean)
    return Phrase(
        text,
        "" if forms else "".join(unicodedata.normalize("NFKC", text).split()),
        bare,
        forms if article or unit else None,
        date,
        _name(words),
        () if date else tuple(_variants(clean, bare, bool(parts))),
        parts,
        () if parts or date else _first_place(clean),
        words,
    )


def _first_place(clean: str) -> tuple[str, ...]:
    """`Lyon` of `Lyon, France`: the words before the comma, where names stand on either side."""
    head, comma, tail = clean.partition(", ")
    return leading_off(forms_of(head)) if comma and tail[:1].isupper() else ()


def _name(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """The words of a person's name without titles, nothing where it does not look like one."""
    named = tuple(word for word in words if word.form not in voc.TITLES | voc.SUFFIXES)
    if 2 <= len(named) <= 5 and all(word.capital and not word.number for word in named):
        return named
    return ()


def _parts(clean: str) -> tuple[tuple[str, ...], ...]:
    """The members of a list (`grass and sedges`), each without articles; none of anything else."""
    pieces = re.split(r",?\s+and\s+|\s*&\s*|,\s+|\s*;\s*", clean)
    if len(pieces) < 2 or (len(pieces) == 2 and not re.search(r"\sand\s|&", clean)):
        return ()
    parts = tuple(forms_of(piece) for piece in pieces)
    return parts if all(parts) else ()


def _variants(
    clean: str, bare: tuple[str, ...], is_list: bool
) -> Iterator[tuple[str, tuple[str, ...]]]:
    plain = _BRACKETED.sub(" ", clean)
    inside = _BRACKETED.search(clean)
    same = inside and (_initials(plain) == inside.group().strip(" ()[].").replace(".", "").lower())
    candidates = [
        (_PLAIN if not inside or same else UNQUALIFIED, forms_of(plain)),
        ("without titles", _untitled(plain)),
    ]
    candidates += [("ordinal", forms) for forms in _ordinals(bare)]
    clause = _RELATIVE.match(plain)
    if clause:
        candidates.append(("without the relative clause", forms_of(clause[1])))
    inches = _INCHES.fullmatch(plain.strip())
    if inches:
        candidates.append(("unit in full", forms_of(f"{inches[1]} inch")))
    if not is_list:
        candidates += [("one of alternatives", forms_of(part)) for part in _alternatives(plain)]
        head, comma, tail = plain.partition(",")
        if comma and _CALLED.fullmatch(head.strip()) and _CALLED.fullmatch(tail.strip()):
            candidates.append(("turned round", forms_of(f"{tail} {head}")))
        elif comma and _ASIDE.match(tail):
            candidates.append(("without the aside", forms_of(head)))
    seen = {bare}
    for name, forms in candidates:
        for kept in (forms, leading_off(forms)):
            if kept and kept not in seen and not all(form in voc.FUNCTION for form in kept):
                seen.add(kept)
                yield name, kept


_BRACKETED = re.compile(r"\s*[(\[][^()\[\]]{0,200}[)\]]")
_RELATIVE = re.compile(r"(.{3,200}?),? (?:who|which|that|where|when)\b")
_INCHES = re.compile(r"(\d+(?:\.\d+)?)\s*(?:in\.?|″|\")")
_CALLED = re.compile(r"[A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,2}")  # what can be a first or last name
_ASIDE = re.compile(
    r"\s*(?:[a-z]|prince|princess|duke|duchess|earl|count|king|queen)", re.IGNORECASE
)


def _alternatives(plain: str) -> list[str]:
    """The parts of `this or that` and `this / that`; none where there is one part only."""
    parts = re.split(r"\s+/\s+|,?\s+or\s+(?!more\b|less\b|so\b|fewer\b)", plain)
    if len(parts) == 1 and re.fullmatch(r"\s*[^\W\d]+(?:/[^\W\d]+)+\s*", plain):
        parts = plain.split("/")
    return parts if len(parts) > 1 else []


def _ordinals(bare: tuple[str, ...]) -> list[tuple[str, ...]]:
    """`25` as `25th`, and `3rd season` as `season 3`."""
    if len(bare) == 1 and bare[0].isdigit():
        return [(f"{bare[0]}th",)]
    if len(bare) == 2 and bare[0][:-2].isdigit() and bare[0].endswith("th"):
        return [(bare[1], bare[0][:-2])]
    return []


def _initials(plain: str) -> str:
    return "".join(word[0] for word in re.findall(r"\w+", plain)).lower()


def _untitled(plain: str) -> tuple[str, ...]:
    """The words without titles before a name and letters after it."""
    words = [word for word in read(plain) if word.form not in voc.ARTICLES]
    first, last = 0, len(words)
    while first < last - 1 and words[first].form in voc.TITLES and words[first + 1].capital:
        first += 1
    while last > first + 1 and words[last - 1].form in voc.SUFFIXES:
        last -= 1
    return tuple(word.form for word in words[first:last])


def leading_off(forms: tuple[str, ...]) -> tuple[str, ...]:
    """The words without those at the start that only place them (`in`, `about`, `usually`)."""
    first = 0
    while first < len(forms) - 1 and forms[first] in voc.LEADING:
        first += 1
    return forms[first:]
