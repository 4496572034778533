"""Tone: the share of a brand's voice checks that an answer holds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from harness.records.attempt import Term
from harness.records.base import Record
from harness.records.suite import Case
from harness.scorers.normalize import Phrases, first_of, words
from harness.scorers.patterns import Pattern, SlowPattern, found, one_answer
from harness.scorers.protocol import Judgement, Settings, Unscored
from harness.validation import KeyProblem

LONGEST_QUOTE = 200  # a pattern may match a whole answer; a reason is a sentence


Count = Annotated[int, Field(ge=1, strict=True)]


class ToneCheck(Record):
    """Something that must, or must not, be in an answer: any of the phrases, or the pattern."""

    name: str
    any: Phrases = ()
    regex: Pattern = ""

    @field_validator("name")
    @classmethod
    def _not_blank(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("must not be blank")
        return name

    @model_validator(mode="after")
    def _one_of_both(self) -> ToneCheck:
        if bool(self.any) == bool(self.regex):
            raise ValueError("give either `any` or `regex`")
        return self

    def complaint(self, answer: str, answer_words: list[str], *, wanted: bool) -> str:
        """Why the check does not hold; empty where it holds.

        Raises:
            SlowPattern: the pattern took too long.
        """
        hit = found(self.regex, answer) if self.regex else first_of(answer_words, self.any)
        if (hit is not None) == wanted:
            return ""
        if wanted:
            return f"{self.name}: missing"
        return f"{self.name}: says `{(hit or '')[:LONGEST_QUOTE]}`"


class Rubric(Record):
    """The checks for every case of a section; lengths are in words."""

    must: tuple[ToneCheck, ...] = ()
    must_not: tuple[ToneCheck, ...] = ()
    min_words: Count | None = None
    max_words: Count | None = None

    @model_validator(mode="after")
    def _least_before_most(self) -> Rubric:
        if self.min_words and self.max_words and self.min_words > self.max_words:
            raise KeyProblem("is more than max_words", "min_words")
        return self

    @property
    def size(self) -> int:
        """The number of checks."""
        lengths = (self.min_words is not None) + (self.max_words is not None)
        return len(self.must) + len(self.must_not) + lengths


class ToneSettings(Record):
    """A section's settings: its rubric."""

    rubric: Rubric = Rubric()


class ToneExpect(Record):
    """A case's own phrases, each of which is a check."""

    must: Phrases = ()
    must_not: Phrases = ()


class ToneScorer:
    """Gives `adherence`: the share of the section's and the case's own checks that hold."""

    name = "tone"
    measured = (
        "it holds an answer to the words, patterns and lengths that the suite names, which is a "
        "definition and not a judgement; whether people like the tone it does not say"
    )
    metrics = ("adherence",)
    settings_model = ToneSettings
    expect_model = ToneExpect

    def check_case(self, case: Case, settings: Settings) -> None:
        """Nothing, where there is at least one check in all.

        Raises:
            ValueError: there is none.
        """
        if not ToneSettings.model_validate(settings).rubric.size + len(_own_checks(case)):
            raise KeyProblem("neither the section's rubric nor the case has a check", "must")

    def score(self, answer: str, case: Case, settings: Settings) -> Judgement | Unscored:
        """The judgement; passed where every check holds, else `reason` lists those broken.

        Unscored where the pattern of a check took too long.
        """
        rubric = ToneSettings.model_validate(settings).rubric
        own = _own_checks(case)
        checks = [(True, check) for check in rubric.must]
        checks += [(False, check) for check in rubric.must_not]
        answer_words = words(answer)
        try:
            with one_answer():
                broken = [
                    text
                    for wanted, check in (*checks, *own)
                    if (text := check.complaint(answer, answer_words, wanted=wanted))
                ]
        except SlowPattern as slow:
            return Unscored(str(slow))
        length = len(answer.split())
        if rubric.max_words is not None and length > rubric.max_words:
            broken.append(f"{length} words, at most {rubric.max_words}")
        if rubric.min_words is not None and length < rubric.min_words:
            broken.append(f"{length} words, at least {rubric.min_words}")
        total = rubric.size + len(own)
        value = (total - len(broken)) / total
        reason = f"broken: {'; '.join(broken)}" if broken else f"all {total} checks hold"
        label = "off-voice" if broken else "on-voice"
        return Judgement(value, not broken, {"adherence": Term(num=value, den=1.0)}, label, reason)


def _own_checks(case: Case) -> list[tuple[bool, ToneCheck]]:
    """The checks of a case itself, and whether each is wanted."""
    expect = ToneExpect.model_validate(case.expect)
    return [
        (wanted, ToneCheck.model_construct(name=f"`{phrase}`", any=(phrase,), regex=""))
        for wanted, phrases in ((True, expect.must), (False, expect.must_not))
        for phrase in phrases
    ]
