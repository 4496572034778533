"""A suite: a domain's cases, and how each section of them is scored."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SerializeAsAny, SkipValidation, field_validator, model_validator

from harness.records.attempt import Attempt, Score
from harness.records.base import Record
from harness.records.metric import Metric

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
# One line of words for people, as a report prints it.
Title = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]+$")]
_CONTROL = re.compile(r"[\x00-\x1f]")


def counted(number: int, noun: str) -> str:
    """The number with its noun: `1 case`, `2 cases`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


class Message(Record):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str = Field(min_length=1)


class Case(Record):
    """One conversation to put to a model, and what is expected of the answer.

    `sources` are where the answer stands: a document, a section of it, or words of it.
    """

    also_read: ClassVar[tuple[str, ...]] = ("prompt", "turns", "user")

    id: str = Field(min_length=1)
    group: str = Field(min_length=1)
    messages: tuple[Message, ...] = Field(min_length=1)
    expect: dict[str, Any] = Field(default_factory=dict)
    tags: tuple[str, ...] = ()
    critical: bool = False
    # Left out where there are none, so that the digests of suites stay what they were.
    sources: tuple[str, ...] = Field(default=(), exclude_if=lambda named: not named)

    @model_validator(mode="before")
    @classmethod
    def _expand_prompt(cls, data: Any) -> Any:
        """Turn the short form `prompt` into one user message; a case's own group is its id.

        `turns` are the user's messages of a conversation with what is expected after each, which
        `expect` then holds; `user` is who has the conversation, where a model plays that.
        """
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if "turns" in data:
            _take_turns(data)
        if "user" in data:
            data["expect"] = {**data.get("expect", {}), "user": data.pop("user")}
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


def _take_turns(data: dict[str, Any]) -> None:
    """Write a case's `turns` as its messages and its expectation.

    Raises:
        ValueError: a turn is no mapping of `user` and `expect`.
    """
    for key in ("messages", "prompt", "expect"):
        if key in data:
            raise ValueError(f"give `turns` or `{key}`, not both")
    turns = data.pop("turns")
    if not isinstance(turns, list) or not turns:
        raise ValueError("turns: must be a list of turns")
    for number, turn in enumerate(turns, 1):
        if (
            not isinstance(turn, dict)
            or "user" not in turn
            or not turn.keys() <= {"user", "expect"}
        ):
            raise ValueError(f"turns: turn {number} must have `user`, and may have `expect`")
        if not isinstance(turn.get("expect", {}), dict):
            raise ValueError(f"turns: turn {number}: expect: must be a mapping")
    data["messages"] = [{"role": "user", "content": turn["user"]} for turn in turns]
    data["expect"] = {"turns": [turn.get("expect") for turn in turns]}


def titles_of(given: str | Mapping[str, str] | None, metrics: Sequence[Metric]) -> dict[str, str]:
    """The title of each metric, of all metrics the same where a section gives one.

    Raises:
        ValueError: a title is for a metric that the section does not have.
    """
    names = [metric.name for metric in metrics]
    if given is None:
        return {}
    if isinstance(given, str):
        return dict.fromkeys(names, given)
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(f"no metric `{unknown[0]}` here; there is {', '.join(names)}")
    return dict(given)


class Section(Record):
    """A part of a suite: its cases, what is measured on them, and how that is found out.

    Each kind of section is a class of its own. There may be more cases than memory holds, so that
    `cases` may read them as they are asked for; it is empty where nobody knows them before the
    section is run. `scorer` is what a run's header and its readers see as that which scores.
    `parts` has the digest of each file of the suite that recorded results rest on, where that is
    known; they rest on the whole suite where it is empty.
    """

    kind: ClassVar[str] = ""
    # Whether each case is one request to the target, and its score depends on that answer alone.
    one_request: ClassVar[bool] = False
    # What its cases are called, and how those get one judge that two judges have judged.
    judged_again: ClassVar[tuple[str, str]] = ("cases", "run both sides again with --no-cache")
    another_judge: ClassVar[str] = "another judge judged"

    # Whether its results are of a target held against the baseline, so that only a gate has them.
    against_baseline: bool = False
    # The targets that it asks besides the one under test.
    asks: tuple[str, ...] = ()

    name: str = Field(pattern=NAME_PATTERN)
    scorer: str
    metrics: tuple[Metric, ...] = Field(min_length=1)
    cases: Annotated[Sequence[Case], SkipValidation] = ()
    # What people call its metrics, by name; it changes no score.
    titles: dict[str, str] = Field(default_factory=dict, exclude=True)
    # The codes of findings that its author has seen and does not want to see again.
    lint_ignore: tuple[str, ...] = Field(default=(), exclude=True)
    # Whether a gate goes on without its results, so that no rule can go by them.
    optional: bool = Field(default=False, exclude=True)
    parts: dict[str, str] = Field(default_factory=dict, exclude=True)

    @property
    def scores_answers(self) -> bool:
        """Whether its cases are prompts known before it is run, whose answers `judge` scores."""
        return self.one_request

    @property
    def answers_of(self) -> str:
        """The section of the same suite whose answers it judges; empty where it has its own."""
        return ""

    def judge(self, answer: str, case: Case) -> object:
        """What an answer is worth, as a scorer says it; of sections that score answers."""
        raise NotImplementedError(f"{self.kind} sections do not score single answers")

    def judge_filtered(self, answer: str, case: Case) -> object:
        """What is made of an answer that a content filter stopped; None where nothing is."""
        del answer, case
        return None

    def rubric_for_people(self) -> tuple[str, dict[str, float]]:
        """What people go by who label an answer in place of its scorer.

        The criterion, and the value that each level stands for by its words; no levels where an
        answer is right or wrong.
        """
        return "", {}

    @property
    def silence_passes(self) -> bool:
        """Whether an answer that says nothing may rightly pass."""
        return False

    def remarks(self, case: Case) -> Iterable[tuple[str, str]]:
        """What a reviewer would say of the case: a code, and what is weak and what to do."""
        del case
        return ()

    def section_remarks(self) -> Iterable[tuple[str, str]]:
        """The same of its cases together."""
        return ()

    def speaks_of(self, case: Case) -> Collection[str] | None:
        """The metrics that a case says something of; None where that is not known beforehand."""
        del case
        return None

    def as_baseline(self, score: Score) -> Score:
        """What the score of a target becomes when that is the baseline that others are held to."""
        return score

    def signs(
        self,
        candidate: Sequence[tuple[Score, Attempt]],
        baseline: Sequence[tuple[Score, Attempt]],
    ) -> Iterable[tuple[str, str]]:
        """What is known of how well the two sides were scored: a code, and what, in words.

        Under no code stands why the scores cannot be trusted at all.
        """
        del candidate, baseline
        return ()

    def fingerprint(self) -> str | None:
        """What changes with the code that scores here, None where nothing can tell."""
        return None

    def locate(self, folder: Path, wanted: Collection[str]) -> dict[str, tuple[Path, int | None]]:
        """The file and line of each wanted case by its id, as far as they are known."""
        del folder, wanted
        return {}

    def describe(self) -> str:
        """What is in the section, in a few words."""
        groups = len({case.group for case in self.cases})
        return f"{counted(len(self.cases), 'case')} in {counted(groups, 'group')}, {self.scorer}"

    def missing(self, place: str) -> tuple[str, str]:
        """What a run without results of the section at that place lacks, and how to get it."""
        return f"section {place}", "`harness run` makes them"


class Suite(Record):
    """A domain's sections, with the digest of everything in them that can change a score."""

    name: str = Field(pattern=NAME_PATTERN)
    domain: str
    version: int
    system_prompt: str | None = None
    sections: tuple[SerializeAsAny[Section], ...] = Field(min_length=1)
    digest: str
    folder: str

    @property
    def asked(self) -> tuple[Section, ...]:
        """The sections of one request a case: a target's run has an answer to each."""
        return tuple(section for section in self.sections if section.one_request)

    @property
    def worked(self) -> tuple[Section, ...]:
        """The other sections: a run has their results once all of the section was run."""
        return tuple(section for section in self.sections if not section.one_request)

    def cases(self) -> Iterator[tuple[Section, Case]]:
        """Every case that is known with its section, in file order."""
        for section in self.sections:
            for case in section.cases:
                yield section, case

    def definitions(self) -> Iterator[tuple[str, Metric]]:
        """The metrics this suite yields, each with its full name `<suite>.<section>.<metric>`.

        Sections of one request a case come first.
        """
        for section in (*self.asked, *self.worked):
            for metric in section.metrics:
                yield f"{self.name}.{section.name}.{metric.name}", metric
