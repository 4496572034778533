"""Which number of an answer is its claim, and which are only the working."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from harness.scorers.answers import vocabulary as voc
from harness.scorers.answers.numbers import Number, numbers, prepared
from harness.scorers.answers.words import read

_BOXED = re.compile(r"\\boxed\s?\{([^{}]{0,200})\}")
_MARKED = re.compile(
    r"(?:^|\n)\s*(?:####|A\s?:|ANS(?:WER)?\s?:)|\b(?:(?:final|correct|right)\s)?(?:answer|result"
    r"|solution)\b"
    r"(?:\s(?:to|of)\s[^.\n]{1,80}?)?\s?(?:is|are|was|:|=|would be|comes to)"
    r"|\b(?:Antwort|réponse|respuesta|resposta|risposta|Ergebnis|antwoord)\s?(?:ist|lautet|est"
    r"|es|é|è|is|:)"
    r"|答案是?[::]?",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[^\d\s][.!?])\s+|(?<=\d[.!?])\s+(?=[A-Z\"“(])|(?<=[。！？])|\n+")
_OPERATOR_AFTER = re.compile(
    r"\s{0,2}(?:[^\W\d]+\s?){0,3}(?:[+*×÷=·^]|[-/](?=\s?\d)|-(?=\s))"
    r"|\s?(?:times|plus|minus|divided)\b",
    re.IGNORECASE,
)
_LIMIT_BEFORE = re.compile(
    r"\b(?:over|under|above|below|after|before|every|each|per|than|within|up to|for|in"
    r"|at)\s(?:the\s)?[$€£¥₹]?$",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"\bhow many\s((?:[\w'-]+\s?){1,4})|\bhow (much|old|long|far|tall|often|wide|deep|heavy|fast)\b"
    r"|\b(?:number|amount|count) of\s((?:[\w'-]+\s?){1,3})",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"\b(?:costs?|price[ds]?|fees?|fare|charge[ds]?|rent|deposit|pay|paid|salary|earn(?:s|ed)?"
    r"|worth|"
    r"spend|spent|profit|income|budget|refund|fine|toll|tuition)\b",
    re.IGNORECASE,
)
# The units that a question after `how` asks for.
_MEASURES = {
    "old": "year month",
    "long": "second minute hour day week month year metre km cm mile foot inch",
    "far": "km mile metre foot yard",
    "tall": "metre cm foot inch",
    "wide": "metre cm mm foot inch",
    "deep": "metre cm foot inch",
    "heavy": "kg gram lb ounce mg",
    "fast": "kmh mph km mile",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """The number an answer claims, how that was told, and the others it may mean as well.

    It is `open` where some of those are of the same kind and nothing tells them apart.
    """

    number: Number
    how: str
    rivals: tuple[Number, ...] = ()
    open: bool = False


def final_claim(clean: str, found: list[Number], question: str, unit: str) -> Claim | None:
    """The claim among the numbers of a prepared text, or None where there is no number.

    A boxed or marked result goes first, then what carries the unit that was asked for, then what
    the last sentence with numbers ends on. `unit` is the reference's own, or nothing.
    """
    if not found:
        return None
    marked = _marked(clean, found)
    if marked is not None:
        return Claim(marked, "the marked answer")
    last = _last_sentence(clean, found)
    result = _result(clean, last)
    if result is not None:
        return Claim(result, "the result of the last sentence")
    results = [number for number in last if not _OPERATOR_AFTER.match(clean, number.end)]
    asked = _asked(question) | ({unit} if unit else set())
    works = _working(clean)
    fitting = [number for number in (results if works else found) if number.unit in asked]
    if works and not fitting and all(number.unit for number in results):
        # The last sentence speaks of other things than what was asked for.
        fitting = [number for number in found if number.unit in asked][-1:]
    pool = fitting or results or last
    free = [number for number in pool if not _limit(clean, number)] or pool
    told = _told(question)
    free = [number for number in free if not _aside(clean, number, told, asked)] or free
    chosen = free[-1]
    rivals = tuple(number for number in fitting or results if number is not chosen)
    if not fitting and not works:
        rivals += tuple(number for number in found if number.end <= last[0].start)
    apart = any(number.values != chosen.values for number in free)
    return Claim(chosen, "the last sentence", rivals, bool(fitting) and apart and not works)


@lru_cache(maxsize=1024)
def _told(question: str) -> frozenset[float]:
    return frozenset(number.values[0] for number in numbers(prepared(question)))


def _aside(clean: str, number: Number, told: frozenset[float], asked: set[str]) -> bool:
    """Whether the question has said the number, it is in brackets, or a year among counts."""
    before = clean[max(0, number.start - 40) : number.start]
    if before.rfind("(") > before.rfind(")"):
        return True
    value = number.values[0]
    year = value.is_integer() and 1900 <= value <= 2100 and number.unit not in asked
    return value in told or (bool(asked) and year)


_REASON = re.compile(r",\s[a-z]|\b(?:since|because|as|which|where|for)\b")


def _marked(clean: str, found: list[Number]) -> Number | None:
    """The number in the last box or after the last mark of an answer."""
    for pattern in (_BOXED, _MARKED):
        places = list(pattern.finditer(clean))
        for place in reversed(places):
            begin = place.start(1) if pattern is _BOXED else place.end()
            end = place.end() if pattern is _BOXED else _end_of_sentence(clean, begin)
            inside = [number for number in found if begin <= number.start < end]
            if inside:
                equal = clean.rfind("=", begin, end)
                after = [number for number in inside if number.start > equal]
                summed = not _REASON.search(clean, inside[0].end, max(equal, inside[0].end))
                return after[0] if equal >= 0 and after and summed else inside[0]
    return None


_STATED = re.compile(
    r"\b(?:is|are|was|were|be|equals?|gives|total of|totals|answer)\s(?:about |only |exactly "
    r"|now )?[$€£¥₹]?$"
)


def _result(clean: str, last: list[Number]) -> Number | None:
    """The number after the last equals sign, or what the sentence ends on after `is`."""
    equal = clean.rfind("=", last[0].start)
    after = [number for number in last if number.start > equal >= 0]
    if after and not clean[equal + 1 : after[0].start].strip(" $€£¥₹*-−≈\u00a0"):
        return after[0]
    end = _end_of_sentence(clean, last[-1].end)
    if len(clean[last[-1].end : end].split()) <= 2 and _STATED.search(
        clean, max(0, last[-1].start - 24), last[-1].start
    ):
        return last[-1]
    return None


def _end_of_sentence(clean: str, begin: int) -> int:
    start = begin + len(clean[begin:]) - len(clean[begin:].lstrip())
    match = _SENTENCE.search(clean, start)
    return match.start() if match else len(clean)


def _last_sentence(clean: str, found: list[Number]) -> list[Number]:
    line = clean.rfind("\n", 0, found[-1].start) + 1
    begins = [line, *(match.end() for match in _SENTENCE.finditer(clean, line))]
    begin = max(each for each in begins if each <= found[-1].start)
    return [number for number in found if number.end > begin]


def _limit(clean: str, number: Number) -> bool:
    return _LIMIT_BEFORE.search(clean, max(0, number.start - 14), number.start) is not None


def _working(clean: str) -> bool:
    """Whether the text calculates, so that its earlier numbers are steps."""
    return re.search(r"\d\s*[-+*/×÷=]\s*[$€£]?\d", clean) is not None


def _asked(question: str) -> set[str]:
    """The units or things that a question asks the number of."""
    wanted: set[str] = set()
    for match in _ASKED.finditer(question):
        if match[2]:
            measures = _MEASURES.get(match[2].lower())
            wanted |= set(measures.split()) if measures else voc.CURRENCIES
        else:
            words = [word.form for word in read(match[1] or match[3])]
            wanted |= {voc.UNITS.get(word, word) for word in words if word not in voc.FUNCTION}
    if _MONEY.search(question):
        wanted |= voc.CURRENCIES
    return wanted
