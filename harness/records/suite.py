"""A suite: a domain's cases, and how each section of them is scored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SkipValidation, field_validator, model_validator

from harness.records.base import Record
from harness.records.metric import Metric

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
_CONTROL = re.compile(r"[\x00-\x1f]")


class Message(Record):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str = Field(min_length=1)


class Case(Record):
    """One conversation to put to a model, and what is expected of the answer."""

    id: str = Field(min_length=1)
    group: str = Field(min_length=1)
    messages: tuple[Message, ...] = Field(min_length=1)
    expect: dict[str, Any] = Field(default_factory=dict)
    tags: tuple[str, ...] = ()
    critical: bool = False

    @model_validator(mode="before")
    @classmethod
    def _expand_prompt(cls, data: Any) -> Any:
        """Turn the short form `prompt` into one user message; a case's own group is its id."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if "prompt" in data:
            if "messages" in data:
                raise ValueError("give `prompt` or `messages`, not both")
            data["messages"] = [{"role": "user", "content": data.pop("prompt")}]
        data.setdefault("group", data.get("id"))
        return data

    @field_validator("id", "group")
    @classmethod
    def _trim(cls, value: str) -> str:
        value = value.strip()
        if not value:
            raise ValueError("must not be blank")
        if _CONTROL.search(value):
            raise ValueError("must not hold control characters")
        return value

    @field_validator("messages")
    @classmethod
    def _ends_with_user(cls, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        if messages[-1].role != "user":
            raise ValueError("the last message must be the user's")
        return messages


class Section(Record):
    """Cases of a suite that one scorer judges by the same settings.

    There may be more cases than memory holds, so that `cases` may read them as they are asked for.
    """

    name: str = Field(pattern=NAME_PATTERN)
    scorer: str
    metrics: tuple[Metric, ...]
    settings: dict[str, Any] = Field(default_factory=dict)
    cases_file: str
    cases: Annotated[Sequence[Case], SkipValidation]


class PythonSection(Record):
    """A section of a suite whose cases are the Python tests of a file, marked with its name.

    What the tests are is known once pytest has collected them; a run has their scores once pytest
    has run them all. Each has the same metrics.
    """

    metrics: ClassVar[tuple[Metric, ...]] = (Metric(name="accuracy"),)

    name: str = Field(pattern=NAME_PATTERN)
    file: str


class Suite(Record):
    """A domain's sections, with the digest of everything in them that can change a score."""

    name: str = Field(pattern=NAME_PATTERN)
    domain: str
    version: int
    system_prompt: str | None = None
    sections: tuple[Section, ...] = Field(min_length=1)
    tests: tuple[PythonSection, ...] = ()
    digest: str
    folder: str

    def cases(self) -> Iterator[tuple[Section, Case]]:
        """Every case with its section, in file order."""
        for section in self.sections:
            for case in section.cases:
                yield section, case

    def yields(self) -> Iterator[tuple[str, tuple[Metric, ...]]]:
        """Every section's name with its metrics, those of Python tests last."""
        for section in self.sections:
            yield section.name, section.metrics
        for tests in self.tests:
            yield tests.name, tests.metrics

    def metrics(self) -> tuple[str, ...]:
        """The full names `<suite>.<section>.<metric>` this suite yields."""
        return tuple(
            f"{self.name}.{section}.{metric.name}"
            for section, metrics in self.yields()
            for metric in metrics
        )
