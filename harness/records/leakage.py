"""What of the suites stands in a side's training data, and what the metrics are without it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.records.base import Record
from harness.records.metric import OfMetric

LeakKind = Literal["verbatim", "normalised", "edited", "reordered", "overlap"]


class TrainingData(Record):
    """What is known of the data that a target was trained on.

    `files` are as the dossier or the configuration names them, with their digests, None where a
    file is missing. `problems` are sentences on what is missing, or is no longer what it was.
    """

    target: str
    known: bool
    files: dict[str, str | None] = Field(default_factory=dict)
    conversations: int = Field(default=0, ge=0)
    problems: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all of it is known and could be compared."""
        return self.known and not self.problems


class LeakedCase(Record):
    """A case whose prompt stands in training data, and where: file and line.

    `answered` tells whether an accepted answer stands right behind it.
    """

    case: str
    group: str
    kind: LeakKind
    target: str
    place: str
    critical: bool = False
    answered: bool = False


class MetricWithout(OfMetric):
    """A metric of both sides on all groups, and on those without a leaked case."""

    metric: str
    candidate: float | None = None
    baseline: float | None = None
    candidate_without: float | None = None
    baseline_without: float | None = None
    gain_without: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n: int = Field(ge=0)
    groups: int = Field(ge=0)


class Leakage(Record):
    """What a comparison of training data with suites found.

    `compared` counts cases, `not_compared` names sections without prompts that could be.
    `answers` counts the cases of which an accepted answer stands in training: a domain's facts
    must be there, so that is no leak. `left_out` counts the cases of leaked groups.
    """

    training: tuple[TrainingData, ...]
    compared: int = Field(ge=0)
    not_compared: tuple[str, ...] = ()
    answers: int = Field(default=0, ge=0)
    leaked: tuple[LeakedCase, ...] = ()
    groups: int = Field(default=0, ge=0)
    left_out: int = Field(default=0, ge=0)
    metrics: tuple[MetricWithout, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The full names of the leaked cases, each once."""
        return tuple(dict.fromkeys(one.case for one in self.leaked))
