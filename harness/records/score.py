"""A score: what a scorer made of one attempt."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from harness.records.attempt import AttemptState
from harness.records.base import Record
from harness.records.metric import Metric


class Term(Record):
    """A case's part in a metric, which is the sum of `num` over the sum of `den`.

    Each case's `num` over its `den` is within the bounds of the metric, so that the sums are too.

    A mean has `den` 1 in every case; F1 has `num` 2·tp and `den` 2·tp + fp + fn; a case that says
    nothing about a metric (recall of refusing, where an answer is due) has no term in it.
    """

    num: float
    den: float = Field(ge=0.0)

    def check(self, metric: Metric) -> None:
        """Nothing, where a case can give the term to the metric.

        Raises:
            ValueError: it is out of the metric's bounds.
        """
        if metric.high is not None and self.num > metric.high * self.den:
            scale = "" if metric.high == 1.0 else f"{metric.high:g} times "
            raise ValueError(f"num {self.num:g} is more than {scale}den {self.den:g}")
        if metric.low is not None and self.num < metric.low * self.den:
            scale = f"{metric.low:g}" if metric.low == 0.0 else f"{metric.low:g} times den"
            raise ValueError(f"num {self.num:g} is less than {scale}")
        if self.den == 0.0 and self.num != 0.0:
            raise ValueError(f"num {self.num:g} stands over a den of 0")


class Score(Record):
    """`scored` with a value, `unscored` with a reason, or `failed` with a cause.

    The value is within the bounds of its section's metrics. A score without `passed` is a grade:
    nothing says which values are good enough.
    """

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
    value: float | None = None
    passed: bool | None = None
    terms: dict[str, Term] = Field(default_factory=dict)
    label: str = ""
    reason: str = ""

    @model_validator(mode="after")
    def _value_only_when_scored(self) -> Score:
        if (self.status == "scored") != (self.value is not None) or (
            self.status != "scored" and self.passed is not None
        ):
            raise ValueError("a value and an outcome belong to `scored`, and only to it")
        if self.status != "scored" and (not self.reason or self.terms):
            raise ValueError("what is not scored has a reason and no terms")
        return self

    @property
    def path(self) -> str:
        """The case's full name `<suite>/<section>/<case>`."""
        return f"{self.suite}/{self.section}/{self.case}"
