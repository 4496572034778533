"""What a case of `gold` expects: reference answers, how they are matched, and what else counts."""

from __future__ import annotations

import unicodedata
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from harness.records.base import Record
from harness.scorers.answers.dates import only_date
from harness.scorers.answers.numbers import reference_number
from harness.scorers.answers.times import times
from harness.scorers.answers.words import cleaned
from harness.scorers.patterns import checked_pattern
from harness.validation import KeyProblem

Match = Literal["contains", "exact", "regex", "number", "f1", "yes_no", "date", "time"]
_OF_NUMBERS = "number"
_LISTS = ("answers", "not_", "all_of", "only")


class GoldExpect(Record):
    """A case's reference answers, any one of which is enough, and how they are matched.

    `tolerance` (absolute), `anywhere` (any number counts, not the final claim only) and `unit`
    belong to `match: number`. `all_of` are values that the answer must hold, all of them; a case
    may have them instead of `answers`. `not` are values that make it wrong. `only` lists values
    that exclude each other: one besides the reference leaves the answer undetermined.
    """

    model_config = ConfigDict(populate_by_name=True)

    match: Match = "contains"
    tolerance: float = Field(default=0.0, ge=0.0, strict=True)
    anywhere: bool = Field(default=False, strict=True)
    unit: str | None = Field(default=None, min_length=1)
    all_of: tuple[str, ...] | None = Field(default=None, min_length=1)
    not_: tuple[str, ...] = Field(default=(), alias="not")
    only: tuple[str, ...] = ()
    answers: tuple[str, ...] = Field(default=(), min_length=1)

    @field_validator("tolerance", "anywhere", "unit")
    @classmethod
    def _of_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("match", _OF_NUMBERS) != _OF_NUMBERS:
            raise ValueError("belongs to `match: number` only")
        return value

    @field_validator(*_LISTS, mode="before")
    @classmethod
    def _as_text(cls, answers: Any, info: ValidationInfo) -> Any:
        if info.data.get("match") != _OF_NUMBERS or not isinstance(answers, list | tuple):
            return answers
        return [_number_as_text(answer) for answer in answers]

    @field_validator(*_LISTS)
    @classmethod
    def _can_be_found(
        cls, answers: tuple[str, ...] | None, info: ValidationInfo
    ) -> tuple[str, ...] | None:
        if "match" in info.data and answers:
            for place, answer in enumerate(answers):
                check_answer(answer, info.data["match"], place)
            if info.data["match"] != "regex" and not any(map(has_words, answers)):
                raise KeyProblem("holds no word", len(answers) - 1)
        return answers

    @model_validator(mode="after")
    def _answers_or_all_of(self) -> Self:
        if not self.answers and not self.all_of:
            raise KeyProblem("missing key", "answers")
        if self.match in {"regex", "f1", "yes_no"}:
            for key, given in (("all_of", self.all_of), ("only", self.only)):
                if given and self.match != "regex":
                    raise KeyProblem(f"does not go with `match: {self.match}`", key)
        return self


def _number_as_text(answer: Any) -> Any:
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return answer
    return repr(answer) if isinstance(answer, int) else format(answer, "f")


def has_words(answer: str) -> bool:
    """Whether there is anything to look for: letters, figures or symbols, not punctuation alone."""
    return any(unicodedata.category(sign)[0] in "LNSM" or sign in "#@&*%/\\" for sign in answer)


def check_answer(answer: str, match: str, place: int) -> None:
    """Nothing, where the scorer can look for the answer.

    Raises:
        KeyProblem: it cannot, and why.
    """
    if match == "regex":
        try:
            checked_pattern(answer)
        except ValueError as error:
            raise KeyProblem(str(error), place) from None
    elif match == "number" and reference_number(answer) is None:
        raise KeyProblem("must hold exactly one number", place)
    elif match == "date" and only_date(cleaned(answer)) is None:
        raise KeyProblem("must be one date, of which day and month are plain", place)
    elif match == "time" and len(list(times(cleaned(answer)))) != 1:
        raise KeyProblem("must hold exactly one time of day", place)
    elif match == "yes_no" and answer.strip().casefold() not in {"yes", "no"}:
        raise KeyProblem("must be `yes` or `no`", place)
