"""What came of the sections of a suite that are more than one request a case, for one target."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from harness.records.attempt import Attempt, Score
from harness.records.base import Record
from harness.records.metric import Metric
from harness.records.suite import Case


class RecordedCase(Record):
    """One case: the conversation as it is to be shown, what came back, and its score.

    `case.messages` is the conversation up to the last message of the user's, and the attempt the
    answer to it. `judge` is the digest of what judged answers in it, None where nothing did, and
    `baseline` that of the baseline that it asked. A `broken` one ended by an exception: another
    time it may find out what it could not.
    """

    case: Case
    attempt: Attempt
    score: Score
    judge: str | None = None
    baseline: str | None = None
    broken: bool = False

    @model_validator(mode="after")
    def _of_one_case(self) -> RecordedCase:
        ours, theirs = ((each.key, each.path, each.repeat) for each in (self.attempt, self.score))
        if ours != theirs or self.case.id != self.score.case:
            raise ValueError("case, attempt and score do not belong together")
        return self


class RecordedSection(Record):
    """All cases of one section, every one of them run in one session.

    `rests_on` has the digest of each thing that the scores depend on beside suite and target, as
    the configuration described it; `judge` is that of the configuration's judge, None where it was
    not asked. `parts` are those of the section that the scores depend on; without them it is the
    whole suite. Without a `session` it is of a time when nothing was kept of what it rests on.
    `agreement` is Krippendorff's alpha of the people who judged, by metric, where it is known.
    """

    suite: str
    section: str
    metrics: tuple[Metric, ...]
    cases: tuple[RecordedCase, ...] = Field(min_length=1)
    session: str = ""
    judge: str | None = None
    rests_on: dict[str, str] = Field(default_factory=dict)
    parts: dict[str, str] = Field(default_factory=dict)
    scorer: str = "pytest"
    agreement: dict[str, float] = Field(default_factory=dict, exclude_if=lambda known: not known)

    @property
    def place(self) -> tuple[str, str]:
        """Suite and section."""
        return self.suite, self.section

    @property
    def baselines(self) -> set[str]:
        """The digests of the baselines that its tests asked: one, or none."""
        return {each.baseline for each in self.cases if each.baseline is not None}

    @property
    def fleeting(self) -> bool:
        """Whether a request failed or a case broke: that is never taken for found out."""
        return any(each.score.status == "failed" or each.broken for each in self.cases)

    @model_validator(mode="after")
    def _each_once(self) -> RecordedSection:
        ids = [(each.case.id, each.score.repeat) for each in self.cases]
        if len(set(ids)) < len(ids):
            raise ValueError("a case is there twice")
        if {each.score.place for each in self.cases} != {self.place}:
            raise ValueError("a case is of another section")
        return self


class Recording(Record):
    """`recorded.json` of a run: the sections that were run, and not asked case by case.

    `freshness` is that of the run: a recording from before everything was asked anew is none.
    `begun` are the sections, by suite and name, whose tests a session, the third, has begun and not
    brought to an end, in the order in which they were begun: what is there of them is of another.
    `mac` authenticates all of it where the project has a key.
    """

    schema_version: Literal[1] = 1
    freshness: int = Field(ge=0)
    sections: tuple[RecordedSection, ...]
    begun: tuple[tuple[str, str, str], ...] = ()
    mac: str | None = None

    @field_validator("begun", mode="before")
    @classmethod
    def _by_nobody(cls, given: Any) -> Any:
        """Let it be read where no session is named yet."""
        if not isinstance(given, list | tuple):
            return given
        return [
            (*each, "") if isinstance(each, list | tuple) and len(each) < 3 else each
            for each in given
        ]

    @property
    def unfinished(self) -> set[tuple[str, str]]:
        """The sections that were begun again since, by suite and name."""
        return {(suite, section) for suite, section, _ in self.begun}

    def merged(self, newer: Recording) -> Recording:
        """The sections of both, the newer ones in place of the older.

        A section that comes to its end ends what was begun of it before its own session began it,
        too; what another session has begun after that goes on.
        """
        kept = {each.place: each for each in (*self.sections, *newer.sections)}
        begun = list(dict.fromkeys((*self.begun, *newer.begun)))
        for ended in newer.sections:
            own = (*ended.place, ended.session)
            last = begun.index(own) if own in begun else -1
            begun = [each for at, each in enumerate(begun) if at > last or each[:2] != ended.place]
        return newer.model_copy(update={"sections": tuple(kept.values()), "begun": tuple(begun)})
