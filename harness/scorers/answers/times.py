"""Times of day in a text, however they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.scorers.answers import vocabulary as voc
from harness.scorers.answers import windows

_WORDS = tuple(voc.CARDINALS)[1:21]
_VALUES = {word: value for value, word in enumerate(_WORDS, 1)} | {"twenty-five": 25}
_HOUR = "|".join(_WORDS[:12])
_COUNT = "|".join(sorted(_VALUES, key=len, reverse=True))
_TIME = re.compile(
    rf"(?<![\w.:$€£-])(?:"
    rf"(?:(?P<relation>half|(?:a\s)?quarter|(?:\d{{1,2}}"
    rf"|{_COUNT})(?:\sminutes?)?)\s(?P<side>past|to)\s)?"
    rf"(?P<hour>2[0-4]|1\d|0?\d|{_HOUR})(?!\d|,\d)"
    rf"(?:\s?(?P<parting>[:.h])\s?(?P<minute>[0-5]\d)(?!\d|[.,]\d))?(?::[0-5]\d(?!\d))?"
    rf"(?P<mark>\s?(?:a\.?\s?m\b\.?|p\.?\s?m\b\.?|o['’]?\s?clock\b|Uhr\b|hrs?\b|h(?!\w)"
    rf"|heures?\b))?"
    rf"(?P<part>,?\s(?:in\sthe\s(?:morning|afternoon|evening)|at\snight|tonight))?"
    rf"|(?P<named>noon|midday|midnight)\b)",
    re.IGNORECASE,
)
# What each time holds at least one of. It begins with one class of characters, without regard to
# case only afterwards, since the search for such a class is the fastest there is.
_CLUE = re.compile(
    r"[\d\snNmM](?:(?<=\d)\s?[:.hH]\s?[0-5]\d"
    r"|(?<=[\d\s])(?i:[ap]\.?\s?m\b|o['’]?\s?clock\b|Uhr\b|hrs?\b|h\b|heures?\b"
    rf"|past\s|to\s(?=\d|{_HOUR})|in\sthe\s(?:morning|afternoon|evening)|at\snight|tonight)"
    r"|(?<=[nNmM])(?i:oon|id(?:day|night))\b)"
)
_LONGEST = 64
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day: the minutes since midnight that it can mean, and its place in the text."""

    minutes: frozenset[int]
    start: int
    end: int


def times(clean: str) -> Iterator[Time]:
    """Every time of day in the text, in order; `3:00` without more can be night or afternoon."""
    for match in windows.matches(_TIME, _CLUE, clean, _LONGEST):
        minutes = _minutes(match)
        if minutes:
            yield Time(frozenset(minutes), match.start(), match.end())


def _minutes(match: re.Match[str]) -> set[int]:
    if match["named"]:
        return {0} if match["named"].lower() == "midnight" else {_DAY // 2}
    mark = (match["mark"] or "").strip().lower().replace(".", "").replace(" ", "")
    part = (match["part"] or "").strip(" ,").lower()
    sure = match["minute"] and (match["parting"] == ":" or (match["parting"] == "h"))
    related = match["relation"] and (match["side"].lower() == "past" or not _bare(match))
    if not (sure or part or related or mark in {"am", "pm", "uhr", "heures"} or "clock" in mark):
        return set()
    hour = _value(match["hour"])
    minute = int(match["minute"] or 0)
    if match["relation"]:
        away = _away(match["relation"].lower())
        minute += away if match["side"].lower() == "past" else -away
    return {(each * 60 + minute) % _DAY for each in _hours(match["hour"], hour, mark, part)}


def _bare(match: re.Match[str]) -> bool:
    """Whether `10 to 5` could as well be a range."""
    return match["relation"].isdigit()


def _value(word: str) -> int:
    return int(word) if word.isdigit() else _VALUES[word.lower()]


def _away(relation: str) -> int:
    if "half" in relation:
        return 30
    if "quarter" in relation:
        return 15
    return _value(relation.split()[0])


def _hours(written: str, hour: int, mark: str, part: str) -> set[int]:
    if mark == "am" or "morning" in part:
        return {hour % 12}
    if mark == "pm" or "afternoon" in part or "evening" in part:
        return {hour % 12 + 12} if hour <= 12 else {hour}
    if "night" in part:
        return {hour % 12 + 12} if 6 <= hour < 12 else {hour % 12}
    if 1 <= hour < 12 and not written.startswith("0") and mark not in {"uhr", "heures", "h"}:
        return {hour % 12, hour % 12 + 12}
    return {hour}
