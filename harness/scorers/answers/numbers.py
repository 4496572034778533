"""Numbers in a text: their values, units and places, however they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from harness.scorers.answers import vocabulary as voc
from harness.scorers.answers import windows
from harness.scorers.answers.dates import dates
from harness.scorers.answers.times import times
from harness.scorers.answers.words import UNSPACED, cleaned, read, singular

_VULGAR = dict(zip("½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞", (
    "1/2", "1/3", "2/3", "1/4", "3/4", "1/5", "2/5", "3/5", "4/5", "1/6", "5/6",
    "1/8", "3/8", "5/8", "7/8",
), strict=True))  # fmt: skip
_VULGAR_SIGN = re.compile(f"[{''.join(_VULGAR)}]")
_FRACTION = re.compile(r"\\[dt]?frac\s?\{(\d+)\}\s?\{(\d+)\}")
_MIXED = re.compile(r"(?<![\w.,/])(\d{1,6})[ -]+(\d{1,2})/(\d{1,2})(?![\w/])")
_TEX = re.compile(r"\\(?:[,!;:]|text\s?\{([^{}]*)\}|(?=[$%]))|\{(,)\}")
# A marked result of grade-school solutions, and no heading.
_HASHES = re.compile(r"^[ \t]*####[ \t]*(?=[-−]?[$€£]?\d+(?![.)]?\d*[.)]\s))", re.MULTILINE)
_SPACE = "[ \u00a0\u2007\u2009\u202f]"
_CURRENCY = "[$€£¥₹₩₱₽฿₺₫₴₦]"
_CODE = "USD|EUR|GBP|CHF|INR|JPY|CNY|AUD|CAD|Rs"
_SCALES = {
    "k": 1e3, "thousand": 1e3, "mille": 1e3, "tausend": 1e3, "mil": 1e3,
    "m": 1e6, "mn": 1e6, "mio": 1e6, "mln": 1e6, "million": 1e6, "millionen": 1e6,
    "millones": 1e6, "milioni": 1e6, "bn": 1e9, "mrd": 1e9, "billion": 1e9, "milliarden": 1e9,
    "milliards": 1e9, "trillion": 1e12, "lakh": 1e5, "crore": 1e7, "hundred": 1e2, "dozen": 12.0,
    "万": 1e4, "億": 1e8, "亿": 1e8,
}  # fmt: skip
_NAMED = sorted((name for name in _SCALES if name not in {"k", "m"}), key=len, reverse=True)
_NUMBER = re.compile(
    rf"(?<![^\W{UNSPACED}])(?<!\.)(?<!\d,)(?P<sign>[-−–](?=[\d.$€£¥])|\b(?:minus|negative)\s)?"
    rf"(?P<before>(?:US|CA|AU)?{_CURRENCY}\s?[-−]?|(?:{_CODE})\.?\s?)?"
    rf"(?P<digits>"
    rf"\d{{1,3}}(?:,\d{{3}})++(?!\d)(?:\.\d++)?"  # 1,234,567.8
    rf"|\d{{1,2}}(?:,\d{{2}}(?=,))++,\d{{3}}(?!\d)(?:\.\d++)?"  # 12,34,567
    rf"|\d{{1,3}}(?:\.\d{{3}})++(?![\d.])(?:,\d++)?"  # 1.234.567,8
    rf"|\d{{1,3}}(?:{_SPACE}\d{{3}})++(?!\d)(?:[.,]\d++)?"  # 1 234 567,8
    rf"|\d{{1,3}}(?:['’]\d{{3}})++(?!\d)(?:\.\d++)?"  # 1'234'567.8
    rf"|\d++(?:[.,]\d++)?|\.\d++)"
    rf"(?:/(?P<under>\d{{1,4}})(?![\w/.]))?"
    rf"(?P<scale>(?-i:[kK]|M|(?(before)m|M))(?![\w&'’])|[-\s]?(?:{'|'.join(_NAMED)})\.?(?![^\W\d_一-鿿]))?"
    rf"(?P<after>\s?{_CURRENCY}|\s?%|\s(?:percent|per\scent|{_CODE})\b)?"
    rf"(?![\d]|\.\d)",
    re.IGNORECASE,
)
# What is written with figures and is no quantity.
_NONE = re.compile(
    r"(?P<version>(?<![\w.])v?(?!\d{1,3}(?:\.\d{3})+(?!\.?\d))\d+(?:\.\d+){2,}(?![\w.]*\w))"
    r"|(?P<item>^[ \t]*(?:\d{1,2}[.)]|\(\d{1,2}\)|[-•*])(?=\s)|\b(?:step|part|question|option"
    r"|problem|version)\s\d+\b)"
    rf"|(?P<id>(?<!\w)(?=\w*\d)[^\W\d_{UNSPACED}][\w-]*)"
    r"|(?P<phone>(?<![\w.])(?:\+\d{1,3}(?:[ -]\d{2,4}){2,}|\d{3,4}(?:[ -]\d{3,4}){2,})(?![\w.]))",
    re.IGNORECASE | re.MULTILINE,
)
_RANGE = re.compile(
    r"(?<![\w.,/-])(?P<low>\d+(?:[.,]\d+)*)(?P<dash>\s?[-–—]\s?|\s(?:to|bis|à"
    r"|and)\s)[$€£]?(?P<high>\d+(?:[.,]\d+)*)"
    r"(?![\w/-]|\s?[=*/+×]|[.,]\d)",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d+")
_MOST_DIGITS = 40


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was said: each value it can have, the unit after it, and its place."""

    values: tuple[float, ...]
    unit: str
    start: int
    end: int

    def near(self, wanted: float, tolerance: float) -> bool:
        """Whether one of its values lies within the absolute tolerance of the wanted one."""
        slack = tolerance + 1e-9 * max(1.0, abs(wanted))  # what decimal fractions lose in binary
        return any(abs(value - wanted) <= slack for value in self.values)


def prepared(text: str) -> str:
    """The text with fractions and TeX in plain figures, without markup; what `numbers` reads."""
    text = _HASHES.sub("Answer: ", text)
    text = _VULGAR_SIGN.sub(lambda match: f" {_VULGAR[match.group()]}", text)
    text = _FRACTION.sub(r" \1/\2", text)
    text = _TEX.sub(lambda match: match[1] or match[2] or "", text)
    return cleaned(text, whole_years=False)


def numbers(prepared_text: str, years: bool = True) -> list[Number]:
    """Every number in a prepared text that stands for a quantity, in order.

    Dates, times, ranges, versions, list numbers and figures within names are none. `years` says
    whether a year counts that is part of a date.
    """
    return _found(_without(prepared_text, years))


@lru_cache(maxsize=4096)
def reference_number(text: str) -> Number | None:
    """The one number of a reference, None where it has none or several.

    What would be no loose number in an answer is one here where it stands alone (`3 pm`).
    """
    clean = prepared(text)
    for found in (numbers(clean), _found(clean)):
        if len(found) == 1:
            return found[0]
    return None


def _found(clean: str) -> list[Number]:
    found = [
        Number((_divided(match),), _unit(clean, match.end()), match.start(), match.end())
        for match in _MIXED.finditer(clean)
        if int(match[3])
    ]
    taken = {place for number in found for place in range(number.start, number.end)}
    for match in windows.matches(_NUMBER, _FIGURE, clean, 32):
        if match.start() not in taken:
            number = _number(match, clean)
            if number is not None:
                found.append(number)
    found += _in_words(clean)
    return sorted(found, key=lambda number: number.start)


def _divided(match: re.Match[str]) -> float:
    return int(match[1]) + int(match[2]) / int(match[3])


def _number(match: re.Match[str], clean: str) -> Number | None:
    digits = match["digits"]
    if len(digits) > _MOST_DIGITS:
        return None
    values = _readings(digits)
    if match["under"] and int(match["under"]):
        values = tuple(value / int(match["under"]) for value in values[:1])
    if match["scale"]:
        scale = _SCALES[match["scale"].strip(" -.\n\t\u00a0").lower()]
        values = tuple(value * scale for value in values)
    before = match["before"] or ""
    if match["sign"] or before.rstrip().endswith(("-", "−")):
        values = tuple(-value for value in values)
    sign = (match["after"] or before).strip(" .-−").lower()
    unit = voc.UNITS.get(sign.removeprefix("us").replace("per cent", "%"), sign) or _unit(
        clean, match.end()
    )
    return Number(values, unit, match.start(), match.end())


_GAP = re.compile(rf"{_SPACE}|['’]")


@lru_cache(maxsize=4096)
def _readings(digits: str) -> tuple[float, ...]:
    """The values that the figures can mean; two where one group of three follows one sign."""
    plain = _GAP.sub("", digits)
    point, comma = plain.rfind("."), plain.rfind(",")
    if point >= 0 and comma >= 0:
        decimal, grouping = (".", ",") if point > comma else (",", ".")
        return (float(plain.replace(grouping, "").replace(decimal, ".")),)
    sign = "." if point >= 0 else ","
    if plain.count(sign) > 1:
        return (float(plain.replace(sign, "")),)
    values = (float(plain.replace(",", ".")),) if plain != sign else ()
    whole, _, rest = plain.partition(sign)
    if plain.count(sign) == 1 and len(rest) == 3 and 0 < len(whole) <= 3 and whole != "0":
        grouped = float(whole + rest)
        return (grouped, *values) if sign == "," else (*values, grouped)
    return values


def _without(text: str, years: bool) -> str:
    """The text with everything blank that is written with figures and is no quantity."""
    text = windows.blanked(_NONE, _FIGURE, text, 32)
    kept = list(text)
    for date in dates(text):
        if date.month is not None and not (years and date.day is None and date.year):
            kept[date.start : date.end] = " " * (date.end - date.start)
    text = "".join(kept)
    for time in times(text):
        kept[time.start : time.end] = " " * (time.end - time.start)
    return _RANGE.sub(_blank_range, "".join(kept))


def _blank_range(match: re.Match[str]) -> str:
    low, high = (_readings(match[name])[:1] for name in ("low", "high"))
    words = match["dash"].strip(" -–—") != ""
    before = match.string[max(0, match.start() - 12) : match.start()].lower()
    if "and" in match["dash"] and not before.endswith("between "):
        return match.group()
    if words and "from " in before:
        return match.group()
    return " " * len(match.group()) if low and high and low < high else match.group()


_UNIT_AFTER = re.compile(r"[\s-]{0,2}([^\W\d_]+)(?:[\s-]([^\W\d_]+))?(?:[\s-]([^\W\d_]+))?")


def _unit(clean: str, end: int) -> str:
    """The unit or the thing counted that follows, singular and in lower case, or nothing."""
    match = _UNIT_AFTER.match(clean, end)
    if not match:
        return ""
    following = [singular(word.casefold()) for word in match.groups() if word]
    for word in following[:2]:
        if word in voc.UNITS:
            return voc.UNITS[word]
        if word in voc.FUNCTION:
            break
    return next((word for word in following[:1] if word not in voc.FUNCTION), "")


_LETTERS = re.compile(r"[^\W\d_]+")
_COUNTING = frozenset({*voc.CARDINALS, *voc.SCALES, "and"})


def _in_words(clean: str) -> list[Number]:
    """The numbers in words, each run of them read with the word before and the word after."""
    words = list(_LETTERS.finditer(clean))
    forms = [match.group().lower() for match in words]
    found: list[Number] = []
    place = 0
    while place < len(forms):
        if forms[place] not in voc.CARDINALS:
            place += 1
            continue
        beyond = place + 1
        while beyond < len(forms) and forms[beyond] in _COUNTING:
            beyond += 1
        begin = words[max(0, place - 1)].start()
        end = words[min(len(words), beyond + 1) - 1].end()
        for word in read(clean[begin:end]):
            if word.number and clean[begin + word.start].isalpha():
                span = (begin + word.start, begin + word.end)
                found.append(Number((float(word.form),), _unit(clean, span[1]), *span))
        place = beyond
    return found
