"""Numbers of accounts, cards and people, by their check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from harness.personal_data.span import Span

# What every one of them has; looked for first, since most texts have none.
_MANY_DIGITS = re.compile(r"\d(?:[ ./+-]?\d){4}|[A-Z]{4}\d{2}|[A-Z]{2}\d{2} ?[A-Z]")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
_SHORTEST_IBAN = 15
_CARD = re.compile(r"(?<![\d.,/-])\d(?:[ -]?\d){12,18}(?![\d]|[.,/-]\d)")
# First digits of the large networks; with Luhn's digit one number in 30 passes by chance.
_NETWORK = re.compile(r"4|5[1-5]|2[2-7]|3[47]|30[0-5]|3[689]|35|6(?:011|4|5)")
_BEFORE = 48  # characters in which a word says what a number is
_NAMED = re.compile(
    r"(?i)\b(?:ssn|social security|social insurance|national id|national insurance|"
    r"identity (?:card|number)|id (?:card|number|no)|personal (?:code|number|id)|tax(?:payer)? "
    r"(?:id|number|no)|tin|sin|nhs|bsn|pesel|cpf|aadhaar|aadhar|oib|egn|amka|cnp|pps|tfn|svnr|"
    r"steuer-?(?:id|identifikationsnummer|nummer)|sozialversicherungsnummer|personnummer|"
    r"f[øo]dselsnummer|cpr|burgerservicenummer|codice fiscale|dni|nie|nir|rut|rodn[eé]|kimlik|"
    r"insee|s[eé]curit[eé] sociale)\b"
)


@dataclass(frozen=True, slots=True)
class _Identity:
    """How a country writes its people's numbers, and which module of python-stdnum checks them.

    A number that is `plain`, digits alone that many others could be, counts only behind a word
    that says what it is.
    """

    module: str
    shape: str
    plain: bool = False


_IDENTITIES = (
    _Identity("us.ssn", r"\d{3}-\d{2}-\d{4}"),
    _Identity("us.itin", r"9\d{2}-\d{2}-\d{4}"),
    _Identity("es.dni", r"\d{8}[- ]?[A-Z]"),
    _Identity("es.nie", r"[XYZ]-?\d{7}-?[A-Z]"),
    _Identity("it.codicefiscale", r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]"),
    _Identity("fi.hetu", r"\d{6}[-+A]\d{3}[0-9A-Y]"),
    _Identity("mx.curp", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d"),
    _Identity("br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}"),
    _Identity("cl.rut", r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]"),
    _Identity("ar.cuit", r"\d{2}-\d{8}-\d"),
    _Identity("se.personnummer", r"\d{6}(?:\d{2})?[-+]\d{4}"),
    _Identity("no.fodselsnummer", r"\d{6} \d{5}"),
    _Identity("be.nn", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"),
    _Identity("ch.ssn", r"756\.\d{4}\.\d{4}\.\d{2}"),
    _Identity("cz.rc", r"\d{6}/\d{3,4}"),
    _Identity("kr.rrn", r"\d{6}-\d{7}"),
    _Identity("cn.ric", r"\d{17}[\dXx]"),
    _Identity("fr.nir", r"[12] ?\d{2} ?\d{2} ?\d[0-9AB] ?\d{3} ?\d{3} ?\d{2}"),
    _Identity("in_.aadhaar", r"\d{4} \d{4} \d{4}"),
    _Identity("in_.aadhaar", r"\d{12}", plain=True),
    _Identity("us.ssn", r"\d{9}|\d{3} \d{2} \d{4}", plain=True),
    _Identity("ca.sin", r"\d{3}[- ]?\d{3}[- ]?\d{3}", plain=True),
    _Identity("gb.nhs", r"\d{3}[- ]?\d{3}[- ]?\d{4}", plain=True),
    _Identity("nl.bsn", r"\d{9}", plain=True),
    _Identity("au.tfn", r"\d{3} ?\d{3} ?\d{3}", plain=True),
    _Identity("il.idnr", r"\d{9}", plain=True),
    _Identity("at.vnr", r"\d{4} ?\d{6}", plain=True),
    _Identity("dk.cpr", r"\d{6}-?\d{4}", plain=True),
    _Identity("bg.egn", r"\d{10}", plain=True),
    _Identity("se.personnummer", r"\d{10}|\d{12}", plain=True),
    _Identity("pl.pesel", r"\d{11}", plain=True),
    _Identity("de.idnr", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", plain=True),
    _Identity("br.cpf", r"\d{11}", plain=True),
    _Identity("tr.tckimlik", r"\d{11}", plain=True),
    _Identity("hr.oib", r"\d{11}", plain=True),
    _Identity("gr.amka", r"\d{11}", plain=True),
    _Identity("ee.ik", r"\d{11}", plain=True),
    _Identity("lt.asmens", r"\d{11}", plain=True),
    _Identity("no.fodselsnummer", r"\d{11}", plain=True),
    _Identity("be.nn", r"\d{11}", plain=True),
    _Identity("za.idnr", r"\d{13}", plain=True),
    _Identity("ro.cnp", r"\d{13}", plain=True),
    _Identity("ie.pps", r"\d{7}[A-W][A-IW]?", plain=True),
)
_EDGE = r"(?<![\w.,/+-])(?:{})(?![\w]|[.,/-]\d)"
_PATTERNS = tuple((one, re.compile(_EDGE.format(one.shape))) for one in _IDENTITIES)
_DISTINCT = tuple(pair for pair in _PATTERNS if not pair[0].plain)
_ANY_DISTINCT = re.compile(_EDGE.format("|".join(one.shape for one, _ in _DISTINCT)))


def find_numbers(text: str) -> list[Span]:
    """The spans of IBANs, payment cards and national identity numbers whose check digits hold.

    Luhn's digit (ISO/IEC 7812) for cards, ISO 13616 for IBANs, and each country's own rule.
    """
    if not _MANY_DIGITS.search(text):
        return []
    return [*_ibans(text), *_cards(text), *_identities(text)]


def _ibans(text: str) -> Iterator[Span]:
    for match in _IBAN.finditer(text):
        written = match.group()
        # A word in capitals behind it looks like more of it.
        for end in range(len(written), _SHORTEST_IBAN - 1, -1):
            if written[end - 1] != " " and _valid("iban", written[:end]):
                yield Span(match.start(), match.start() + end, "iban")
                break


def _cards(text: str) -> Iterator[Span]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if _NETWORK.match(digits) and len(set(digits)) > 1 and _valid("luhn", digits):
            yield Span(*match.span(), "card")


def _identities(text: str) -> Iterator[Span]:
    named = _NAMED.search(text) is not None
    if not named and not _ANY_DISTINCT.search(text):
        return
    for identity, pattern in _PATTERNS if named else _DISTINCT:
        for match in pattern.finditer(text):
            before = text[max(0, match.start() - _BEFORE) : match.start()]
            if identity.plain and not _NAMED.search(before):
                continue
            if _valid(identity.module, match.group()):
                yield Span(*match.span(), "national-id")


@cache
def _checker(module: str) -> object:
    return import_module(f"stdnum.{module}")


def _valid(module: str, written: str) -> bool:
    checker = _checker(module)
    return bool(checker.is_valid(written))  # type: ignore[attr-defined]  # every module of stdnum's
