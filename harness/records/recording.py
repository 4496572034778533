"""A recording: what a suite's Python tests found out about one target."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from harness.records.attempt import Attempt
from harness.records.base import Record
from harness.records.score import Score
from harness.records.suite import Case

# What a run's header and a score's reader see as the scorer of such a section.
SCORER = "pytest"


class RecordedCase(Record):
    """One Python test as a case: the conversation it led, what came back, and its score.

    `case.messages` is the conversation up to the last message of the user's, and the attempt the
    answer to it. `judge` is the digest of what judged answers in it, None where nothing did.
    """

    case: Case
    attempt: Attempt
    score: Score
    judge: str | None = None

    @model_validator(mode="after")
    def _of_one_case(self) -> RecordedCase:
        attempt, score = self.attempt, self.score
        ours = (attempt.key, attempt.suite, attempt.section, attempt.case, attempt.repeat)
        theirs = (score.key, score.suite, score.section, score.case, score.repeat)
        if ours != theirs or self.case.id != score.case:
            raise ValueError("case, attempt and score do not belong together")
        return self


class RecordedSection(Record):
    """All tests of one section, every one of them run in one session."""

    suite: str
    section: str
    metrics: tuple[str, ...]
    cases: tuple[RecordedCase, ...] = Field(min_length=1)

    @property
    def place(self) -> tuple[str, str]:
        """Suite and section."""
        return self.suite, self.section

    @model_validator(mode="after")
    def _each_once(self) -> RecordedSection:
        ids = [each.case.id for each in self.cases]
        if len(set(ids)) < len(ids):
            raise ValueError("a case is there twice")
        if {(each.score.suite, each.score.section) for each in self.cases} != {
            (self.suite, self.section)
        }:
            raise ValueError("a case is of another section")
        return self


class Recording(Record):
    """`recorded.json` of a run: the sections that Python tests scored.

    `freshness` is that of the run: a recording from before everything was asked anew is none.
    `begun` are the sections, by suite and name, whose tests were begun again and did not come to
    an end since: what is there of them is of an earlier session.
    """

    schema_version: Literal[1] = 1
    freshness: int = Field(ge=0)
    sections: tuple[RecordedSection, ...]
    begun: tuple[tuple[str, str], ...] = ()

    def settled(self) -> set[tuple[str, str]]:
        """The sections of which the newest session has told, by suite and name."""
        return {each.place for each in self.sections} - set(self.begun)

    def merged(self, newer: Recording) -> Recording:
        """The sections of both, the newer ones in place of the older."""
        kept = {each.place: each for each in (*self.sections, *newer.sections)}
        ended = {each.place for each in newer.sections}
        begun = dict.fromkeys(place for place in (*self.begun, *newer.begun) if place not in ended)
        return newer.model_copy(update={"sections": tuple(kept.values()), "begun": tuple(begun)})
