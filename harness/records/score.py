"""A score: what a scorer made of one attempt."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from harness.records.attempt import AttemptState
from harness.records.base import Record


class Term(Record):
    """A case's share in a metric, which is the sum of `num` over the sum of `den`.

    No case gives more than its `den`, so that every metric lies in [0, 1].

    A mean has `den` 1 in every case; F1 has `num` 2·tp and `den` 2·tp + fp + fn; a case that says
    nothing about a metric (recall of refusing, where an answer is due) has no term in it.
    """

    num: float = Field(ge=0.0)
    den: float = Field(ge=0.0)

    @model_validator(mode="after")
    def _at_most_all(self) -> Term:
        if self.num > self.den:
            raise ValueError(f"num {self.num:g} is more than den {self.den:g}")
        return self


class Score(Record):
    """`scored` with a value in [0, 1], `unscored` with a reason, or `failed` with a cause."""

    key: str
    suite: str
    section: str
    case: str
    repeat: int = Field(ge=0)
    group: str
    critical: bool
    tags: tuple[str, ...] = ()
    status: Literal["scored", "unscored", "failed"]
    state: AttemptState
    value: float | None = Field(default=None, ge=0.0, le=1.0)
    passed: bool | None = None
    terms: dict[str, Term] = Field(default_factory=dict)
    label: str = ""
    reason: str = ""

    @model_validator(mode="after")
    def _value_only_when_scored(self) -> Score:
        if (self.status == "scored") != (self.value is not None and self.passed is not None):
            raise ValueError("a value and an outcome belong to `scored`, and only to it")
        if self.status != "scored" and (not self.reason or self.terms):
            raise ValueError("what is not scored has a reason and no terms")
        return self

    @property
    def path(self) -> str:
        """The case's full name `<suite>/<section>/<case>`."""
        return f"{self.suite}/{self.section}/{self.case}"
