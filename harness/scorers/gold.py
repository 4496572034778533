"""Gold answers: whether a reference answer occurs in the model's answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from harness.records.attempt import Term
from harness.records.base import Record
from harness.records.suite import Case
from harness.scorers.gold_lint import lint_gold
from harness.scorers.normalize import contains, has_number, numbers, same, token_f1, words
from harness.scorers.patterns import SlowPattern, checked_pattern, found
from harness.scorers.protocol import Judgement, Settings, Unscored
from harness.validation import KeyProblem

_A_WORD = re.compile("[A-Za-z0-9]")  # what is plainly one, without the way through `words`


class GoldSettings(Record):
    """A section's settings: the lowest token F1 at which a case of `match: f1` passes."""

    pass_f1: float = Field(default=0.5, gt=0.0, le=1.0, strict=True)


class GoldExpect(Record):
    """A case's reference answers, any one of which is enough, and how they are matched.

    `tolerance` is absolute, and belongs to `match: number` only.
    """

    match: Literal["contains", "exact", "regex", "number", "f1"] = "contains"
    tolerance: float = Field(default=0.0, ge=0.0, strict=True)
    answers: tuple[str, ...] = Field(min_length=1)

    @field_validator("tolerance")
    @classmethod
    def _of_numbers(cls, tolerance: float, info: ValidationInfo) -> float:
        if info.data.get("match", "number") != "number":
            raise ValueError("belongs to `match: number` only")
        return tolerance

    @field_validator("answers", mode="before")
    @classmethod
    def _as_text(cls, answers: Any, info: ValidationInfo) -> Any:
        if info.data.get("match") != "number" or not isinstance(answers, list | tuple):
            return answers
        return [_number_as_text(answer) for answer in answers]

    @field_validator("answers")
    @classmethod
    def _can_be_found(cls, answers: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "match" in info.data:
            for place, answer in enumerate(answers):
                _check_answer(answer, info.data["match"], place)
        return answers


def _number_as_text(answer: Any) -> Any:
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return answer
    return repr(answer) if isinstance(answer, int) else format(answer, "f")


def _check_answer(answer: str, match: str, place: int) -> None:
    if match == "regex":
        try:
            checked_pattern(answer)
        except ValueError as error:
            raise KeyProblem(str(error), place) from None
    elif match == "number":
        if len(numbers(answer)) != 1:
            raise KeyProblem("must hold exactly one number", place)
    elif not (_A_WORD.search(answer) or words(answer)):
        raise KeyProblem("holds no word", place)


class GoldScorer:
    """Gives `accuracy` (any one answer matches) and `f1` (best token F1 over the answers).

    `regex` and `number` cases have no reference text and so no part in `f1`.
    """

    name = "gold"
    metrics = ("accuracy", "f1")
    settings_model = GoldSettings
    expect_model = GoldExpect

    def lint(self, case: Case, settings: Settings) -> Iterator[tuple[str, str]]:
        """A code and a sentence for each weakness of the case."""
        del settings
        return lint_gold(case, GoldExpect.model_validate(case.expect))

    def score(self, answer: str, case: Case, settings: Settings) -> Judgement | Unscored:
        """The judgement; its value is 1 or 0, and the token F1 itself where `match` is `f1`.

        Unscored where no answer matches and one of the patterns took too long.
        """
        expected = GoldExpect.model_validate(case.expect)
        answer_words = words(answer)
        terms = {}
        f1 = 0.0
        if expected.match not in {"regex", "number"}:
            f1 = max(token_f1(answer_words, words(gold)) for gold in expected.answers)
            terms["f1"] = Term(num=f1, den=1.0)
        if expected.match == "f1":
            threshold = GoldSettings.model_validate(settings).pass_f1
            passed = f1 >= threshold
            reason = f"token F1 {f1:.2f}, needs {threshold:.2f}"
            value = f1
        else:
            try:
                hit = _first_hit(answer, answer_words, expected)
            except SlowPattern as slow:
                return Unscored(str(slow))
            passed = bool(hit)
            reason = _reason(hit, answer, expected)
            value = float(passed)
        terms["accuracy"] = Term(num=float(passed), den=1.0)
        return Judgement(value, passed, terms, "right" if passed else "wrong", reason)


def _first_hit(answer: str, answer_words: list[str], expected: GoldExpect) -> str:
    """The first answer that matches, or nothing; a slow one counts only where no other does.

    Raises:
        SlowPattern: no answer matches, and one pattern took too long.
    """
    slow: SlowPattern | None = None
    for gold in expected.answers:
        try:
            if _hit(answer, answer_words, gold, expected):
                return gold
        except SlowPattern as error:
            slow = error
    if slow is not None:
        raise slow
    return ""


def _hit(answer: str, answer_words: list[str], gold: str, expected: GoldExpect) -> bool:
    match expected.match:
        case "regex":
            return found(gold, answer) is not None
        case "number":
            return has_number(answer, numbers(gold)[0], expected.tolerance)
        case "exact":
            return same(answer_words, gold)
        case _:
            return contains(answer_words, gold)


def _reason(hit: str, answer: str, expected: GoldExpect) -> str:
    if hit:
        return f"matches `{hit}` ({expected.match})"
    listing = " or ".join(f"`{gold}`" for gold in expected.answers)
    what = {"exact": "is not", "number": "has no number", "regex": "does not match"}.get(
        expected.match, "does not contain"
    )
    if expected.match == "number":
        listed = ", ".join(f"{value:g}" for value in numbers(answer)[:5]) or "none"
        return f"{what} {listing}; numbers said: {listed}"
    return f"{what} {listing}"
