"""Gold answers: is one of the known right answers in what the model said?"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from harness.records.score import Term
from harness.records.suite import Case
from harness.scorers.normalize import contains, same, token_f1, words
from harness.scorers.numbers import has_number, numbers
from harness.scorers.patterns import SlowPattern, found
from harness.scorers.protocol import Judgement, Settings, Unscored
from harness.scorers.settings import known_keys, pattern

MATCHES = ("contains", "exact", "regex", "number", "f1")
DEFAULT_PASS_F1 = 0.5
_A_WORD = re.compile("[A-Za-z0-9]")  # what is plainly one, without the way through `words`


@dataclass(frozen=True, slots=True)
class _Expectation:
    answers: tuple[str, ...]
    match: str
    tolerance: float


class GoldScorer:
    """Gives `accuracy` (any one answer matches) and `f1` (best token F1 over the answers).

    `regex` and `number` cases have no reference text and so no part in `f1`.
    """

    name = "gold"
    metrics = ("accuracy", "f1")

    def check_section(self, settings: Settings) -> None:
        """Nothing, where the settings are at most `pass_f1`, in (0, 1].

        Raises:
            ValueError: `key: what is wrong`.
        """
        known_keys(settings, ("pass_f1",))
        if "pass_f1" in settings:
            _number(settings["pass_f1"], "pass_f1", low=0.0, high=1.0)
            if settings["pass_f1"] == 0:
                raise ValueError("pass_f1: must be more than 0")

    def check_case(self, case: Case, settings: Settings) -> None:  # noqa: ARG002 - the protocol's
        """Nothing, where `expect` holds `answers` and perhaps `match` and `tolerance`.

        Raises:
            ValueError: `key: what is wrong`.
        """
        _read(case)

    def score(self, answer: str, case: Case, settings: Settings) -> Judgement | Unscored:
        """The judgement; its value is 1 or 0, and the token F1 itself where `match` is `f1`.

        Unscored where no answer matches and a pattern among them took too long to tell.
        """
        expected = _read(case)
        said = words(answer)
        terms = {}
        f1 = 0.0
        if expected.match not in {"regex", "number"}:
            f1 = max(token_f1(said, words(gold)) for gold in expected.answers)
            terms["f1"] = Term(num=f1, den=1.0)
        if expected.match == "f1":
            threshold = float(settings.get("pass_f1", DEFAULT_PASS_F1))
            passed = f1 >= threshold
            reason = f"token F1 {f1:.2f}, needs {threshold:.2f}"
            value = f1
        else:
            try:
                hit = _first_hit(answer, said, expected)
            except SlowPattern as slow:
                return Unscored(str(slow))
            passed = bool(hit)
            reason = _reason(hit, answer, expected)
            value = float(passed)
        terms["accuracy"] = Term(num=float(passed), den=1.0)
        return Judgement(value, passed, terms, "right" if passed else "wrong", reason)


def _first_hit(answer: str, said: list[str], expected: _Expectation) -> str:
    """The first answer that matches, or nothing; a slow one counts only where no other does.

    Raises:
        SlowPattern: no answer matches, and one of them could not be told.
    """
    slow: SlowPattern | None = None
    for gold in expected.answers:
        try:
            if _hit(answer, said, gold, expected):
                return gold
        except SlowPattern as error:
            slow = error
    if slow is not None:
        raise slow
    return ""


def _hit(answer: str, said: list[str], gold: str, expected: _Expectation) -> bool:
    match expected.match:
        case "regex":
            return found(gold, answer) is not None
        case "number":
            return has_number(answer, numbers(gold)[0], expected.tolerance)
        case "exact":
            return same(said, gold)
        case _:
            return contains(said, gold)


def _reason(hit: str, answer: str, expected: _Expectation) -> str:
    if hit:
        return f"matches `{hit}` ({expected.match})"
    listing = " or ".join(f"`{gold}`" for gold in expected.answers)
    what = {"exact": "is not", "number": "has no number", "regex": "does not match"}.get(
        expected.match, "does not contain"
    )
    if expected.match == "number":
        said = ", ".join(f"{value:g}" for value in numbers(answer)[:5]) or "none"
        return f"{what} {listing}; numbers said: {said}"
    return f"{what} {listing}"


def _read(case: Case) -> _Expectation:
    expect = case.expect
    known_keys(expect, ("answers", "match", "tolerance"))
    match = expect.get("match", "contains")
    if match not in MATCHES:
        raise ValueError(f"match: must be one of {', '.join(MATCHES)}")
    if "tolerance" in expect and match != "number":
        raise ValueError("tolerance: belongs to `match: number` only")
    tolerance = _number(expect.get("tolerance", 0.0), "tolerance", low=0.0, high=math.inf)
    answers = expect.get("answers")
    if not isinstance(answers, list | tuple) or not answers:
        raise ValueError("answers: must be a list of at least one answer")
    read = tuple(_answer(gold, f"answers[{place}]", match) for place, gold in enumerate(answers))
    return _Expectation(read, match, tolerance)


def _answer(gold: Any, key: str, match: str) -> str:
    if match == "number" and isinstance(gold, int | float) and not isinstance(gold, bool):
        gold = repr(gold) if isinstance(gold, int) else format(gold, "f")
    if not isinstance(gold, str):
        raise ValueError(f"{key}: must be text, got {type(gold).__name__}")
    if match == "regex":
        return pattern(gold, key)
    if match == "number" and len(numbers(gold)) != 1:
        raise ValueError(f"{key}: must hold exactly one number")
    if match != "number" and not (_A_WORD.search(gold) or words(gold)):
        raise ValueError(f"{key}: holds no word")
    return gold


def _number(value: Any, key: str, *, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key}: must be a number")
    try:
        number = float(value)
    except OverflowError:  # a whole number of more than 308 digits
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{key}: must be a finite number")
    if not low <= number <= high:
        limit = f"between {low:g} and {high:g}" if math.isfinite(high) else f"at least {low:g}"
        raise ValueError(f"{key}: must be {limit}")
    return number
