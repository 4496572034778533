"""A run: all attempts and scores of one target on a set of suites, with its provenance."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import Field

from harness.files import digest_json
from harness.records.attempt import Attempt, Score
from harness.records.base import Record
from harness.records.cost import Asking, Spending, spending
from harness.records.metric import Metric
from harness.records.recording import RecordedCase, RecordedSection, Recording
from harness.records.summary import Summary, Tally
from harness.records.target import Identity

T = TypeVar("T")
Said = tuple[tuple[str, float], ...]
_DIGEST = re.compile(r"-[0-9a-f]{12}")
_ASKED = frozenset({"generation", "sampling_defaults"})


def names_run_of(name: str, target: str) -> bool:
    """Whether a name is a run's of that target, and not of one whose name begins alike."""
    return name.startswith(target) and _DIGEST.fullmatch(name, len(target)) is not None


class Probe(Record):
    """What base and adapter answered to one prompt: tokens with their log-probabilities in nats.

    `prompt` is the digest of the conversation and of the fields that it was sent with. It is of
    those that are asked in every proof, or one that was `drawn` for this one. What was answered
    `again` was asked alone, the others together; proofs of earlier versions have none.
    """

    prompt: str
    drawn: bool = False
    base: Said
    adapter: Said
    base_again: Said | None = Field(default=None, exclude_if=lambda said: said is None)
    adapter_again: Said | None = Field(default=None, exclude_if=lambda said: said is None)


class AdapterProof(Record):
    """Evidence that the server answers with the adapter applied.

    `probes` counts those on which two askings of the base agree in their tokens and `forked` the
    others; `differing` those of the probes on which adapter and base differ by clearly more than
    `noise`, the largest difference between the two askings. Gaps are in nats, on
    log-probabilities of generated tokens. The `fingerprint` is what a later proof of the same
    adapter on the same server must find again.
    """

    model: str
    parent: str
    adapter: str
    probes: int = Field(ge=1)
    forked: int = Field(default=0, ge=0)
    differing: int = Field(ge=0)
    largest_gap: float = Field(ge=0.0)
    noise: float = Field(ge=0.0)
    fingerprint: tuple[Probe, ...] = ()

    @property
    def applied(self) -> bool:
        """Whether the adapter shows on half of the probes beyond what the base itself does.

        As many probes as the base forked on may differ by chance; where it forked on more than a
        quarter of all, nothing can be told.
        """
        steady = 3 * self.forked <= self.probes
        return steady and 2 * (self.differing - self.forked) >= self.probes


class SectionPlan(Record):
    """What a run set out to ask in one section, and what its metrics mean."""

    suite: str
    section: str
    scorer: str
    metrics: tuple[Metric, ...]
    planned: int = Field(ge=1)


class FileSeal(Record):
    """The length in bytes and the digest of a file when its run was finished."""

    size: int = Field(ge=0)
    digest: str


class Link(FileSeal):
    """What a journal held when a process had written to it; `link` is chained to those before."""

    link: str


# The key of a selection that says at which look of a gate the cases were chosen.
LOOK = "look"


class RunHeader(Record):
    """`run.json`: where a run's numbers come from.

    `generation` is what was sent, and `sampling_defaults` what a managed server added to it;
    `request_form` is the digest of how a chatbot's requests are formed, whichever it is.
    `freshness` counts how often everything was asked again with `--no-cache`: answers are only
    ever taken over from runs of the same freshness; `afresh` tells of such an asking that was not
    finished yet. A finished run has its files sealed, the fingerprint of the `scorers` that scored
    it, where they have one, and a summary. The `chain` says what the journal held each time that a
    process had written to it, and `mac` authenticates all of this where the project has a key.
    """

    schema_version: Literal[1] = 1
    run_id: str
    target: str
    identity: Identity
    generation: dict[str, Any]
    sampling_defaults: dict[str, Any] = Field(
        default_factory=dict, exclude_if=lambda defaults: not defaults
    )
    request_form: str | None = Field(default=None, exclude_if=lambda form: form is None)
    system_prompts: dict[str, str | None]
    suites: dict[str, str]
    selection: dict[str, str]
    sections: tuple[SectionPlan, ...]
    planned: int
    config_digest: str
    adapter_proof: AdapterProof | None = None
    packages: dict[str, str] = Field(default_factory=dict)
    git_commit: str | None = None
    host: dict[str, str] = Field(default_factory=dict)
    freshness: int = Field(default=0, ge=0)
    afresh: bool = False
    asking: Asking | None = None
    created: str
    finished: str | None = None
    journal: FileSeal | None = None
    scores: FileSeal | None = None
    scorers: str | None = None
    summary: Summary | None = None
    chain: tuple[Link, ...] = Field(default=(), exclude_if=lambda chain: not chain)
    mac: str | None = Field(default=None, exclude_if=lambda mac: mac is None)

    @property
    def temperature(self) -> float | None:
        """The temperature that answers were asked for with; None where the server chose it."""
        if "temperature" in self.identity.request.omit:
            return None
        return float(self.generation.get("temperature", 0.0))

    def reopened(self) -> RunHeader:
        """The header of the run under way again, with nothing sealed."""
        ended = ("finished", "journal", "scores", "scorers", "summary")
        return self.model_copy(update=dict.fromkeys(ended))

    def tally(self) -> Tally:
        """A tally of the run's records with nothing counted yet."""
        repeats = int(self.generation.get("repeats", 1)) > 1
        return Tally(self.planned, tuple(self.definitions()), repeats=repeats)

    def definitions(self) -> dict[str, Metric]:
        """What each metric means, by its full name."""
        return {
            f"{section.suite}.{section.section}.{metric.name}": metric
            for section in self.sections
            for metric in section.metrics
        }


@dataclass(frozen=True, slots=True)
class _Both(Collection[T], Generic[T]):
    """Two collections, one after the other."""

    first: Collection[T]
    second: Collection[T]

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    def __iter__(self) -> Iterator[T]:
        return chain(self.first, self.second)

    def __contains__(self, item: object) -> bool:
        return item in self.first or item in self.second


@dataclass(frozen=True)
class RunRecord:
    """A run as read back from disk, its records possibly anew each time they are gone through.

    `recorded` are those of its cases that Python tests scored: no suite's file holds them.
    `taken` are the sections they were taken from; a sealed run names none, its cases stand.
    `unrecorded` says of a section, by suite and name, why there are none of it.
    """

    header: RunHeader
    attempts: Collection[Attempt]
    scores: Collection[Score]
    recorded: tuple[RecordedCase, ...] = ()
    unrecorded: Mapping[tuple[str, str], str] = field(default_factory=dict)
    taken: tuple[RecordedSection, ...] = ()

    def with_recording(self, recording: Recording) -> RunRecord:
        """The run with what Python tests found out; its header plans and counts them."""
        cases = tuple(case for section in recording.sections for case in section.cases)
        plans = tuple(
            SectionPlan(
                suite=section.suite,
                section=section.section,
                scorer=section.scorer,
                metrics=section.metrics,
                planned=len(section.cases),
            )
            for section in recording.sections
        )
        header = self.header.model_copy(
            update={
                "sections": (*self.header.sections, *plans),
                "planned": self.header.planned + len(cases),
                "summary": None,
            }
        )
        return replace(
            self,
            header=header,
            attempts=_Both(self.attempts, tuple(case.attempt for case in cases)),
            scores=_Both(self.scores, tuple(case.score for case in cases)),
            recorded=cases,
            taken=recording.sections,
        )

    def without(self, why: Mapping[tuple[str, str], str]) -> RunRecord:
        """The run without what was recorded of the sections in `why`, which says why."""
        unrecorded = {**self.unrecorded, **why}
        gone = {each.place: len(each.cases) for each in self.taken if each.place in why}
        if not gone:
            return replace(self, unrecorded=unrecorded)
        sections = self.header.sections
        update = {
            "sections": tuple(each for each in sections if (each.suite, each.section) not in gone),
            "planned": self.header.planned - sum(gone.values()),
            "summary": None,
        }
        return replace(
            self,
            header=self.header.model_copy(update=update),
            attempts=tuple(each for each in self.attempts if each.place not in gone),
            scores=tuple(each for each in self.scores if each.place not in gone),
            recorded=tuple(each for each in self.recorded if each.score.place not in gone),
            unrecorded=unrecorded,
            taken=tuple(each for each in self.taken if each.place not in gone),
        )

    @cached_property
    def summary(self) -> Summary:
        """What the records amount to."""
        tally = self.header.tally()
        for score in self.scores:
            tally.add_score(score)
        for attempt in self.attempts:
            tally.add_attempt(attempt)
        return tally.summary()

    @property
    def agreement(self) -> dict[str, float]:
        """How far the people agree who judged, by full name of the metric, where it is known."""
        return {
            f"{section.suite}.{section.section}.{metric}": alpha
            for section in self.taken
            for metric, alpha in section.agreement.items()
        }

    def trouble_in(self, suite: str, section: str) -> str:
        """What most often kept answers of a section from a score; empty if nothing did."""
        tally = self.header.tally()
        for score in self.scores:
            if score.place == (suite, section):
                tally.add_score(score)
        return tally.summary().trouble

    def digest(self) -> str:
        """The digest of what was asked, answered and scored; times and places are left out."""
        header = self.header.model_dump(
            mode="json",
            include={*_ASKED, "identity", "system_prompts", "suites", "selection", "sections"},
        )
        attempts = sorted(
            [attempt.key, attempt.status, attempt.text or "", attempt.finish_reason or ""]
            for attempt in self.attempts
        )
        scores = {score.key: score.model_dump(mode="json") for score in self.scores}
        return digest_json([header, attempts, scores])

    @property
    def spending(self) -> Spending:
        """The tokens and the cost of the answers."""
        return spending(self.summary.tokens, self.header.asking)


class Watcher(Protocol):
    """Receives the steps and the progress of a run."""

    def say(self, text: str) -> None:
        """Take note of a step that begins."""
        ...

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        """Take note that `done` of `total` are over."""
        ...
