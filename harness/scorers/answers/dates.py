"""Dates in a text: years, months and days, however they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.scorers.answers import windows

_MONTHS = {
    1: "january jan januar janvier enero janeiro gennaio januari",
    2: "february feb februar fevrier fevereiro febrero febbraio februari",
    3: "march mar märz mars marzo março maart",
    4: "april apr avril abril aprile",
    5: "may mai mayo maio maggio mei",
    6: "june jun juni juin junio junho giugno",
    7: "july jul juli juillet julio julho luglio",
    8: "august aug août agosto augustus",
    9: "september sep sept septembre septiembre setembro settembre",
    10: "october oct oktober octobre octubre outubro ottobre",
    11: "november nov novembre noviembre novembro",
    12: "december dec dezember décembre diciembre dezembro dicembre",
}
MONTHS = {name: month for month, names in _MONTHS.items() for name in names.split()}
_NAME = "|".join(sorted(MONTHS, key=len, reverse=True))
_FIRST = "".join(sorted({name[0] for name in MONTHS}))
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_TH = r"(?:st|nd|rd|th|\.|er|º)?"
_YEAR = r"[12]\d{3}"
_DATE = re.compile(
    rf"(?<![\w.-])(?:(?=\d)(?:"
    rf"(?P<y1>{_YEAR})[-/.](?P<m1>1[0-2]|0[1-9])[-/.](?P<d1>{_DAY})"
    rf"|(?P<y2>{_YEAR})\s?年\s?(?P<m2>1[0-2]|0?[1-9])\s?月(?:\s?(?P<d2>{_DAY})\s?[日号])?"
    rf"|(?P<a6>{_DAY})(?P<s6>[-/.])(?P<b6>{_DAY})(?P=s6)(?P<y6>{_YEAR}|\d\d)"
    rf"|(?P<d3>{_DAY}){_TH}\s?[-\s]?\s?(?:of\s|de\s|di\s)?(?P<m3>{_NAME})\b\.?"
    rf"(?:,?[-\s](?:de\s|del\s)?(?P<y3>{_YEAR}))?"
    rf"|(?P<y8>1\d{{3}}|20\d\d)(?:\s?年)?)"
    rf"|(?=[{_FIRST}])(?P<m4>{_NAME})\b\.?(?:"
    rf"[-\s](?:the\s)?(?P<d4>{_DAY}){_TH}\b(?:,?\s(?P<y4>{_YEAR}))?"
    rf"|(?:,|\sof|\sde)?[-\s](?P<y5>{_YEAR}))?"
    rf")(?![\w-]*\w)",
    re.IGNORECASE,
)
# What each date holds at least one of: a figure, or a month as a name is written.
_CLUE = re.compile(
    rf"[\d{_FIRST.upper()}](?:(?<=\d)|(?i:{'|'.join(sorted({name[1:] for name in MONTHS}))})\b)"
)
_LONGEST = 40
_TODAY = 30  # two-digit years up to this are of this century


@dataclass(frozen=True, slots=True)
class Date:
    """A date as far as it was given: what was not said is None. Offsets are those in the text."""

    year: int | None
    month: int | None
    day: int | None
    start: int = 0
    end: int = 0

    def agrees(self, other: Date) -> bool:
        """Whether nothing that both say differs, and they say one thing in common."""
        pairs = [
            (mine, its)
            for mine, its in (
                (self.year, other.year),
                (self.month, other.month),
                (self.day, other.day),
            )
            if mine is not None and its is not None
        ]
        return bool(pairs) and all(mine == its for mine, its in pairs)

    def says_all_of(self, other: Date) -> bool:
        """Whether it agrees with the other, and gives each part that the other gives."""
        return self.agrees(other) and all(
            mine is not None or its is None
            for mine, its in (
                (self.year, other.year),
                (self.month, other.month),
                (self.day, other.day),
            )
        )


def dates(clean: str) -> Iterator[Date]:
    """Every date of the text, in order; one of figures that can be read in two ways, twice."""
    for match in windows.matches(_DATE, _CLUE, clean, _LONGEST):
        part = {name[0]: value for name, value in match.groupdict().items() if value}
        where = (match.start(), match.end())
        year = _year(part["y"]) if "y" in part else None
        if "a" in part:
            first, second = int(part["a"]), int(part["b"])
            if second <= 12:
                yield Date(year, second, first, *where)
            if first <= 12 and first != second:
                yield Date(year, first, second, *where)
            continue
        if part.keys() == {"m"} and not part["m"][0].isupper():
            continue  # `may` and `march` are verbs too
        month = None
        if "m" in part:
            month = int(part["m"]) if part["m"].isdigit() else MONTHS[part["m"].lower()]
        yield Date(year, month, int(part["d"]) if "d" in part else None, *where)


def _year(digits: str) -> int:
    value = int(digits)
    if len(digits) > 2:
        return value
    return value + (2000 if value <= _TODAY else 1900)


def only_date(clean: str) -> Date | None:
    """The date that the text is, where it is one and nothing else."""
    found = list(dates(clean))
    if len(found) != 1:  # none, several, or figures that can be read in two ways
        return None
    rest = clean[: found[0].start] + clean[found[0].end :]
    return found[0] if _ASIDE.fullmatch(rest) else None


_ASIDE = re.compile(
    r"(?:\W|\b(?:in|on|at|the|of|since|by|from|around|about|circa|c|early|ad|ce|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b)*",
    re.IGNORECASE,
)
