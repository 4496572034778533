"""A label: what one person says of one answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from harness.records.base import Record

CORRECT = "correct"
# The criterion of a preference goes on with the target that an answer was preferred to.
PREFERRED = "preferred"
PREFERRED_OVER = f"{PREFERRED}-over-"
_Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class Label(Record):
    """One person's word on one answer to one case, by one criterion.

    `cases` is the digest of the section's cases when its groups were sampled, and `answer` that of
    the answer's text: a label holds for these alone. A `value` lies within the `scale`; None says
    that the rater cannot tell, with the `reason`. `probability` is the chance with which the case's
    group came into the `sample`, which has a name where there are several. A label given `again` is
    the same rater's second word on an answer: it tells how much the rater agrees with themselves,
    and is no further evidence.
    """

    schema_version: Literal[1] = 1
    suite: _Name
    section: _Name
    cases: str = Field(min_length=1)
    case: _Name
    repeat: int = Field(default=0, ge=0)
    target: _Name
    answer: str = Field(min_length=1)
    rater: _Name
    criterion: _Name = CORRECT
    scale: tuple[float, float] = (0.0, 1.0)
    value: float | None
    reason: str = ""
    probability: float = Field(gt=0.0, le=1.0)
    sample: str = ""
    time: AwareDatetime
    comment: str = ""
    again: bool = False

    @model_validator(mode="after")
    def _within_its_scale(self) -> Label:
        low, high = self.scale
        if low >= high:
            raise ValueError(f"scale: {low:g} is not below {high:g}")
        if self.value is None and not self.reason.strip():
            raise ValueError("value: null says that the rater cannot tell, and needs a `reason`")
        if self.value is not None and not low <= self.value <= high:
            raise ValueError(f"value: {self.value:g} is outside the scale {low:g} to {high:g}")
        return self

    @property
    def place(self) -> tuple[str, str]:
        """Suite and section."""
        return self.suite, self.section

    @property
    def path(self) -> str:
        """The case's full name `<suite>/<section>/<case>`."""
        return f"{self.suite}/{self.section}/{self.case}"

    @property
    def of_answer(self) -> tuple[str, str, str, int, str]:
        """Which answer it is about: suite, section, case, repeat and target."""
        return self.suite, self.section, self.case, self.repeat, self.target

    @property
    def share(self) -> float | None:
        """The value's place on its scale from 0 to 1; None where the rater cannot tell."""
        low, high = self.scale
        return None if self.value is None else (self.value - low) / (high - low)
