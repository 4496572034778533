"""Telephone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.personal_data.span import Span

_FEWEST, _MOST = 7, 15  # digits; ITU-T E.164 has no more
_ENOUGH = re.compile(r"\d(?:[ ()./-]{0,3}\d){6}")
# Three, three and four digits, as North America writes them.
_GROUPED = re.compile(
    r"(?<![\w.,/+-])(?:1[-. ])?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\w-])"
)
_NAMED = re.compile(
    r"(?i)\b(?:tel|tel(?:e)?phone|phone|mobile|cell|call|ring|whatsapp|sms|fax|handy|telefon|mobil|"
    r"t[eé]l[eé]phone|tel[eé]fono|cellulare|telefoon|telefone)\b[^\d\n+(]{0,24}"
    r"(?P<value>[+(]?\d[\d ()./-]{5,22}\d)(?![\w-])"
)
_PARTED = re.compile(r"[ ()./-]")
_DATE = re.compile(r"(?:19|20)\d{2}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d{2}")


def find_phones(text: str, regions: Sequence[str] = ()) -> list[Span]:
    """The spans of telephone numbers.

    They are known by a country's code, by the groups of North America, by a word before them that
    says so, or by the way in which one of the `regions` writes them in parts.
    """
    if not _ENOUGH.search(text):
        return []
    return [*_international(text), *_regional(text, regions), *_plain(text)]


def _international(text: str) -> Iterator[Span]:
    if "+" not in text:
        return
    from phonenumbers import Leniency, PhoneNumberMatcher

    for match in PhoneNumberMatcher(text, None, leniency=Leniency.POSSIBLE):
        yield Span(match.start, match.end, "phone")


def _regional(text: str, regions: Sequence[str]) -> Iterator[Span]:
    if not regions:
        return
    from phonenumbers import Leniency, PhoneNumberMatcher

    for region in regions:
        for match in PhoneNumberMatcher(text, region, leniency=Leniency.VALID):
            if _PARTED.search(match.raw_string) and not _DATE.search(match.raw_string):
                yield Span(match.start, match.end, "phone")


def _plain(text: str) -> Iterator[Span]:
    for match in _GROUPED.finditer(text):
        yield Span(*match.span(), "phone")
    for match in _NAMED.finditer(text):
        written = match["value"]
        digits = sum(map(str.isdigit, written))
        if _FEWEST <= digits <= _MOST and not _DATE.search(written):
            yield Span(*match.span("value"), "phone")
