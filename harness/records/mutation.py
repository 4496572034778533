"""What a gate said of broken forms of a candidate."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.records.base import Record
from harness.records.verdict import Decision

# Killed: it would not have been promoted. Equivalent: it answers every case as the candidate does.
# Not judged: requests failed, which says nothing of the suites.
MutantOutcome = Literal["killed", "survived", "equivalent", "not judged", "not made"]


class Unseen(Record):
    """A case that the candidate and a mutant answer differently, with the same scores."""

    path: str
    question: str
    candidate: str
    mutant: str


class MutantResult(Record):
    """A mutant, and what became of it.

    `about` says what is broken, or why it was not made. `by` are the rules that did not pass, or
    the fault in the evidence. `changed` of its `answers` are others than the candidate's. `unseen`
    is the case of a survivor whose two answers have the same score and the least in common.
    """

    name: str
    about: str
    outcome: MutantOutcome
    verdict: Decision | None = None
    by: tuple[str, ...] = ()
    changed: int = Field(default=0, ge=0)
    answers: int = Field(default=0, ge=0)
    unseen: Unseen | None = None


class MutationReport(Record):
    """The mutants of a candidate, judged by its project's gate."""

    schema_version: Literal[1] = 1
    candidate: str
    baseline: str
    suites: tuple[str, ...]
    seed: int
    trained: bool
    left_out: tuple[str, ...] = ()
    results: tuple[MutantResult, ...]
    created: str

    def of(self, outcome: MutantOutcome) -> tuple[MutantResult, ...]:
        """The results of that outcome."""
        return tuple(one for one in self.results if one.outcome == outcome)

    @property
    def score(self) -> float | None:
        """The share of killed mutants among those that answer otherwise; None without any."""
        killed, survived = len(self.of("killed")), len(self.of("survived"))
        return killed / (killed + survived) if killed + survived else None

    @property
    def summary(self) -> str:
        """The score in a sentence."""
        killed, survived = len(self.of("killed")), len(self.of("survived"))
        if self.score is None:
            return "no mutant answers otherwise than the candidate"
        return f"{killed} of {killed + survived} mutants killed ({self.score:.0%})"
