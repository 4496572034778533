"""Texts as comparable words: what is written in several ways is written in one.

Only differences of writing go: case, accents, markup, footnote marks, possessives, the plural's s,
number words, dotted abbreviations, units after numbers. No meaning is guessed.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from harness.scorers.answers import vocabulary as voc

_LINK = re.compile(r"!?\[([^\[\]\n]{1,300})\]\([^()\s]{1,500}\)")
_NOTE = re.compile(r"\[\^?\d{1,3}\^?\]|【[^【】\n]{0,40}】")
# Raised digits are an exponent after a digit, a sign or a unit (`10²`, `m²`), else a footnote mark.
_RAISED = re.compile(
    r"(?:(?<=[^\W\d_][^\W\d_][^\W\d_])|(?<=[.,;:!?)\"”’ ]))[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}(?!\w)"
)
# Without any of these a text needs no cleaning of them.
_MARKS_OF_PAGES = re.compile(r"[\[【⁰¹²³⁴⁵⁶⁷⁸⁹*_`#>]")
_RAISED_DIGIT = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]")
_POWER = re.compile(r"(?<=\d)(?=[⁰¹²³⁴⁵⁶⁷⁸⁹])")
_LINE_MARK = re.compile(r"^[ \t]*(?:#{1,6}|>)[ \t]+", re.MULTILINE)
_EMPHASIS = re.compile(r"_{2,3}|(?<!\w)_(?=\w)|(?<=\w)_(?!\w)")
_APOSTROPHE = re.compile("[´‘’‛ʼʹ＇′]")
_YEARS = re.compile(r"(?<![\w-])(1\d|20)(\d\d)\s?[-–—/]\s?(\d\d)(?![\w-])")
UNSPACED = (
    "\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003134f\u0e00-\u0e4f\u0e80-\u0ecf\u0edc-\u0edf"
    "\u1000-\u103f\u1050-\u109f\u1780-\u17d3"
)
# Vowel signs and points that belong to a word and are no letters to Python.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0dff\u200c\u200d"
_TOKEN = re.compile(
    r"(?P<plain>(?<!\w)[a-z]++(?![\w'+#♯.]))|"
    rf"(?P<number>(?:(?<![\w.)])[-−])?(?:(?<![^\W\d_])|(?<=[{UNSPACED}]))(?:\d++(?:[.,]\d++)*+|(?<!\w)\.\d++))"
    rf"(?:(?P<suffix>st|nd|rd|th|s)(?![^\W_]))?+"
    rf"|(?P<dotted>(?<!\w)[^\W\d_](?:\.\s?[^\W\d_](?![^\W_])){{1,6}}\.?)"
    rf"|(?P<symbolic>(?<!\w)[A-Za-z]{{1,2}}(?:\+{{1,2}}|[#♯])(?!\w))"
    rf"|(?P<unspaced>[{UNSPACED}])"
    rf"|(?P<word>[^\W_{UNSPACED}](?:[^\W_{UNSPACED}]|[{_MARKS}]|'(?=[^\W\d_]))*)"
    rf"|(?P<sign>[%$€£¥₹₩₱₽฿₺₫₴₦&°])"
)


_UNSPACED = re.compile(f"[{UNSPACED}]")
_HAN_NUMERALS = frozenset("〇零一二三四五六七八九十百千万億亿两")
_THAI_TAILS = frozenset("ะาำๅ")  # vowels after their consonant, letters to Unicode


class Word(NamedTuple):
    """A word as it is compared, and where it stands: `start` and `end` are offsets in the text."""

    form: str
    start: int
    end: int
    capital: bool
    number: bool = False


def is_unspaced(form: str) -> bool:
    """Whether the word is a character of a script without spaces between words."""
    return len(form) == 1 and _UNSPACED.match(form) is not None


def parted(left: Word, right: Word) -> bool:
    """Whether readers part two neighbours, as far as that shows without a dictionary.

    They do not within a run of Katakana or of Han numerals, nor before a vowel or tone mark.
    """
    if right.start != left.end or not (is_unspaced(left.form) and is_unspaced(right.form)):
        return True
    if left.form in _HAN_NUMERALS and right.form in _HAN_NUMERALS:
        return False
    if "\u30a0" <= left.form <= "\u30ff" and "\u30a0" <= right.form <= "\u30ff":
        return False
    return not (unicodedata.category(right.form)[0] == "M" or right.form in _THAI_TAILS)


_SENTENCE_END = re.compile(r"[.!?…](?=[\s\"”')\]]|$)|\n|[。！？]|;\s")


@lru_cache(maxsize=64)
def sentence_ends(clean: str) -> list[int]:
    """The offsets in a cleaned text at which its sentences end, in order."""
    return [match.end() for match in _SENTENCE_END.finditer(clean)]


def cleaned(text: str, whole_years: bool = True) -> str:
    """The text in NFKC without markdown, link targets and footnote marks.

    `whole_years` writes the second of `1979-80` in full.
    """
    if _MARKS_OF_PAGES.search(text):
        text = _LINK.sub(r"\1", text)
        text = _NOTE.sub(" ", text)
        if _RAISED_DIGIT.search(text):
            text = _POWER.sub("^", _RAISED.sub("", text))
        if "#" in text or ">" in text:
            text = _LINE_MARK.sub("", text)
        if "_" in text:
            text = _EMPHASIS.sub("", text)
        text = text.replace("*", "").replace("`", "")
    text = text.replace("per cent", "percent")
    text = _APOSTROPHE.sub("'", unicodedata.normalize("NFKC", text))
    return _YEARS.sub(_whole_years, text) if whole_years else text


def _whole_years(match: re.Match[str]) -> str:
    century, first, last = match.groups()
    return f"{century}{first} {century}{last}" if last > first else match.group()


# The letter of a code (`A-113`, `A 4`), and no article.
_LETTER_A = re.compile(r"[-‐‑]\w|\s\d")


def read(clean: str) -> list[Word]:
    """The words of a cleaned text, in order."""
    found: list[Word] = []
    append, make = found.append, tuple.__new__  # a named tuple's own constructor is slow
    for match in _TOKEN.finditer(clean):
        kind = match.lastgroup
        if kind == "plain" or kind == "word":
            piece = match.group()
            start, end = match.span()
            capital = kind == "word" and piece[0].isupper()
            if piece == "A" and _LETTER_A.match(clean, end):
                append(Word("a.", start, end, True))
                continue
            for form in _forms(piece):
                append(make(Word, (form, start, end, capital, False)))
        else:
            found += _other(match, kind)
    return _measured(_counted(found, clean))


def _other(match: re.Match[str], kind: str | None) -> list[Word]:
    """The words of a token that is none of letters alone."""
    start, end = match.span()
    piece = match.group()
    capital = piece[0].isupper()
    if kind in {"number", "suffix"}:
        suffix = match["suffix"] or ""
        ending = "th" if suffix in {"st", "nd", "rd", "th"} else suffix
        figures = _figures(match["number"])
        return [Word(form + ending, start, end, False, not suffix) for form in figures]
    if kind == "dotted":
        letters = "".join(letter for letter in piece if letter.isalnum())
        forms = voc.ABBREVIATIONS.get(letters) or (letters.casefold(),)
        return [Word(form, start, end, capital) for form in forms]
    if piece in _SIGNS_IN_WORDS:
        return [Word(_SIGNS_IN_WORDS[piece], start, end, False)]
    return [Word(piece.casefold().replace("♯", "#"), start, end, capital)]


_SIGNS_IN_WORDS = {"&": "and", "°": "degree"}


@lru_cache(maxsize=4096)
def _figures(digits: str) -> tuple[str, ...]:
    """`1,234.50` as `1234.5`; what is several numbers (`1,2,3`) as several."""
    sign = "-" if digits[0] in "-−" else ""
    digits = digits.lstrip("-−")
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits):
        digits = digits.replace(",", "")
    elif re.fullmatch(r"\d+,\d{1,2}", digits):
        digits = digits.replace(",", ".")
    return tuple(sign + _plain(each) for each in digits.split(","))


def _plain(digits: str) -> str:
    whole, _, rest = digits.partition(".")
    whole = whole or "0"
    if "." not in rest:
        rest = rest.rstrip("0")
    return f"{whole}.{rest}" if rest else whole


@lru_cache(maxsize=65536)
def _forms(piece: str) -> tuple[str, ...]:
    if piece in voc.ABBREVIATIONS:
        return voc.ABBREVIATIONS[piece]
    if len(piece) > 100:
        return (piece.casefold(),)
    head, mark, tail = piece.partition("'")
    if mark and head.casefold() in voc.ELIDED and tail:
        return _forms(tail)
    word = piece.casefold()
    if not word.isascii():
        word = folded(word)
    if word.endswith("'s"):
        word = word[:-2]
    word = word.replace("'", "")
    if word in voc.ORDINALS:
        return (f"{voc.ORDINALS[word]}th",)
    return (singular(word),)


def folded(word: str) -> str:
    """The word without the accents of Latin letters."""
    apart = unicodedata.normalize("NFD", word)
    kept = "".join(
        letter
        for place, letter in enumerate(apart)
        if not ("\u0300" <= letter <= "\u036f" and _latin_before(apart, place))
    )
    return unicodedata.normalize("NFC", kept).translate(voc.LETTERS)


def _latin_before(apart: str, place: int) -> bool:
    while place > 0 and "\u0300" <= apart[place] <= "\u036f":
        place -= 1
    return apart[place] < "\u0250"


def singular(word: str) -> str:
    """The word without the plural's s, as far as its letters show one."""
    if len(word) < 4 or word[-1] != "s" or word[-2:] in {"ss", "us", "is"} or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    return word[:-1]


def _counted(found: list[Word], clean: str) -> list[Word]:
    """The words with number words and scales as figures (`two hundred` as `200`)."""
    kept: list[Word] = []
    place, last = 0, len(found)
    while place < last:
        word = found[place]
        if word.form not in voc.CARDINALS and not (
            word.number and place + 1 < last and found[place + 1].form in voc.SCALES
        ):
            kept.append(word)
            place += 1
            continue
        if word.form == "one" and _pronoun(found, place):
            kept.append(word)
            place += 1
            continue
        value, beyond = _count(found, place, clean)
        kept.append(Word(value, word.start, found[beyond - 1].end, word.capital, True))
        place = beyond
    return kept


def _measured(found: list[Word]) -> list[Word]:
    """The words with units after numbers in one way of writing, currency signs among them."""
    for place, word in enumerate(found):
        if not word.number:
            continue
        if place and found[place - 1].form in voc.CURRENCIES:
            sign = found[place - 1]
            if place < 2 or not found[place - 2].number:
                found[place - 1], found[place] = word, sign
            continue
        if place + 1 < len(found):
            after = found[place + 1]
            unit = voc.UNITS.get(after.form)
            if unit and unit != after.form:
                found[place + 1] = Word(unit, after.start, after.end, after.capital)
    return found


def _pronoun(found: list[Word], place: int) -> bool:
    before = found[place - 1].form if place else ""
    after = found[place + 1].form if place + 1 < len(found) else ""
    return before in voc.BEFORE_PRONOUN or after in voc.AFTER_PRONOUN


def _count(found: list[Word], place: int, clean: str) -> tuple[str, int]:
    """The figures of a number that starts there, and the place after it."""
    total, part, seen = 0.0, 0.0, ""
    begun = place
    while place < len(found):
        word = found[place]
        if place > begun and clean[found[place - 1].end : word.start].strip(" -\u2010\u2011"):
            break
        if word.form in voc.SCALES and place > begun:
            scale = voc.SCALES[word.form]
            if scale == 100:
                part *= 100
            else:
                total, part = total + part * scale, 0.0
            seen = "scale"
        elif word.form in voc.CARDINALS:
            value = voc.CARDINALS[word.form]
            if seen == "figure" or seen == "unit" or (seen == "ten" and not 0 < value < 10):
                break
            part += value
            seen = "ten" if value >= 20 else "unit"
        elif word.number and place == begun:
            part, seen = float(word.form), "figure"
        elif word.form == "and" and seen == "scale" and _goes_on(found, place + 1):
            pass
        else:
            break
        place += 1
    return _shown(total + part), place


def _goes_on(found: list[Word], place: int) -> bool:
    return place < len(found) and found[place].form in voc.CARDINALS


def _shown(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
