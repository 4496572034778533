"""What makes a value that stands in an answer doubtful: it may be denied, asked or given up."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from harness.scorers.answers.words import sentence_ends

ASKED, DENIED, CORRECTED = "stands in a question", "is denied", "is corrected"
_NOT = (
    r"(?:not|never|no longer|neither|nor|without|isn't|wasn't|aren't|weren't|don't|doesn't|didn't|"
    r"won't|can't|cannot|couldn't|hasn't|haven't|hadn't|shouldn't|wouldn't|rather than|instead of|"
    r"unlike|except|other than|as opposed to)"
)
_DENIED_BEFORE = re.compile(
    rf"\b{_NOT}\b(?!\s+(?:only|just|merely|simply|sure"
    rf"|to mention)\b)(?:[\s(]+(?!until\b)[\w'-]+){{0,3}}[\s(\"“'$€£]*$",
    re.IGNORECASE,
)
_DENIED_AFTER = re.compile(
    r"^[\"”')]*\s*(?:(?:is|was|are|were)\s+(?:not|never|wrong|incorrect|false|a myth"
    r"|a misconception)\b"
    r"|(?:isn't|wasn't|aren't|weren't)\b|does not apply\b|no longer applies\b)",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:was|were|used to be|previously|formerly|originally|at first|initially|in the past"
    r"|until)\b",
    re.IGNORECASE,
)
_NOW = re.compile(
    r"(?<!what )(?:[,;]\s+|\b(?:but|and|it is|it's|is|are|has|have)\s+)now\b(?! known| called)"
    r"|\b(?:but (?:it )?has (?:since )?changed|currently|nowadays|changed to|raised to|replaced by"
    r"|has since (?:been|gone|risen|fallen|moved|changed))\b",
    re.IGNORECASE,
)
_MOVED = r"(?:extended|moved|changed|postponed|raised|lowered|reduced|increased|put back|cut)"
_MOVED_AFTER = re.compile(
    rf"\W*(?:\w+\s)?(?:has|have|had|was|were|is|are)(?:\s(?:been|since|now))*\s{_MOVED}\b"
)
_MOVED_FROM = re.compile(rf"\b(?:{_MOVED}|went|gone|go(?:es)?|rose|risen|fell|fallen)\sfrom\s\W*$")
_TO = re.compile(r"\W*\sto\s")
_DECLINES = re.compile(
    r"\bI(?:'m| am) (?:not (?:sure|certain|aware|able)|unsure|unable)\b"
    r"|\bI (?:do not|don't) (?:actually |really )?know\b"
    r"|\bI (?:can ?not|can't|could not|couldn't|was unable to|was not able to|wasn't able to"
    r"|did not|didn't)"
    r" (?:\w+ )?(?:find|say|tell|confirm|determine|verify|answer|locate|identify)\b"
    r"|\b(?:it is|it's) (?:unclear|unknown|not (?:clear|known))\b"
    r"|\bthere (?:is|was) no (?:definitive|definite|clear|reliable|official|specific) (?:\w+ )?"
    r"(?:answer|information|record|data|evidence|source|date|number)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"[,;:—–]\s|\s-\s|\b(?:but|however|although|though|whereas|while)\b", re.IGNORECASE
)
_QUOTED = re.compile(r"[\"“«]\w")  # a title that is a question
_LONGEST_CLAUSE = 200


_NEGATIVE = re.compile(rf"\b{_NOT}\b|n't\b|\bno\b", re.IGNORECASE)


def negative(question: str) -> bool:
    """Whether a question asks what is not so: what an answer then denies is what it claims."""
    return _NEGATIVE.search(question.replace("’", "'")) is not None


def declines(clean: str) -> str:
    """The words with which the answer says that it does not know, or nothing."""
    found = _DECLINES.search(clean)
    return found.group() if found else ""


def denial(clean: str, start: int, end: int) -> str:
    """Why what stands between the offsets is not what the answer claims, or nothing."""
    first, last = _sentence(clean, start, end)
    close = clean[max(first, last - 10) : last].rstrip(" )]*")
    if close.endswith(("?", "？")) and not _QUOTED.search(clean, end, last):
        return ASKED
    before = clean[max(first, start - _LONGEST_CLAUSE) : start]
    after = clean[end : min(last, end + _LONGEST_CLAUSE)]
    clause = before[max((match.end() for match in _CLAUSE.finditer(before)), default=0) :]
    if _DENIED_BEFORE.search(clause) or _DENIED_AFTER.match(after):
        return DENIED
    if (_PAST.search(clause) and _NOW.search(after)) or _MOVED_AFTER.match(after):
        return CORRECTED
    if _MOVED_FROM.search(clause) and _TO.match(after):
        return CORRECTED
    return ""


def _sentence(clean: str, start: int, end: int) -> tuple[int, int]:
    ends = sentence_ends(clean)
    before = bisect_right(ends, start)
    after = bisect_left(ends, end)
    return ends[before - 1] if before else 0, ends[after] if after < len(ends) else len(clean)
