"""A run: all attempts and scores of one target on a set of suites, with its provenance."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from harness.files import digest_json
from harness.records.attempt import Attempt
from harness.records.base import Record
from harness.records.score import Score
from harness.records.target import Identity


class Probe(Record):
    """What base and adapter said to one prompt: tokens with their log-probabilities in nats.

    `prompt` is the digest of the conversation.
    """

    prompt: str
    base: tuple[tuple[str, float], ...]
    adapter: tuple[tuple[str, float], ...]


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


class Accounting(Record):
    """planned = scored + unscored + failed, always."""

    planned: int = Field(ge=0)
    scored: int = Field(ge=0)
    unscored: int = Field(ge=0)
    failed: int = Field(ge=0)

    @property
    def balanced(self) -> bool:
        """Whether every planned attempt is accounted for."""
        return self.planned == self.scored + self.unscored + self.failed


class SectionPlan(Record):
    """What a run set out to ask in one section."""

    suite: str
    section: str
    scorer: str
    metrics: tuple[str, ...]
    planned: int = Field(ge=1)


class JournalSeal(Record):
    """The length in bytes and the digest of a journal when its run was finished."""

    size: int = Field(ge=0)
    digest: str


class RunHeader(Record):
    """`run.json`: where a run's numbers come from.

    `freshness` counts how often everything was asked again with `--no-cache`: answers are only
    ever taken over from runs of the same freshness.
    """

    schema_version: Literal[1] = 1
    run_id: str
    target: str
    identity: Identity
    generation: dict[str, Any]
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
    created: str
    finished: str | None = None
    journal: JournalSeal | None = None

    def begun_again(self, freshness: int) -> RunHeader:
        """The header of the run with nothing asked yet, at this freshness."""
        update = {"freshness": freshness, "finished": None, "journal": None}
        return self.model_copy(update=update)


@dataclass(frozen=True, slots=True)
class Run:
    """A run as read back from disk."""

    header: RunHeader
    attempts: tuple[Attempt, ...]
    scores: tuple[Score, ...]

    def accounting(self) -> Accounting:
        """What became of every planned attempt."""
        count = Counter(score.status for score in self.scores)
        return Accounting(
            planned=self.header.planned,
            scored=count["scored"],
            unscored=count["unscored"],
            failed=count["failed"],
        )

    def commonest_trouble(self, suite: str | None = None, section: str | None = None) -> str:
        """What most often kept answers of a section (or of all) from a score; empty if nothing."""
        troubles = Counter(
            f"{score.status}: {score.reason}"
            for score in self.scores
            if score.status != "scored"
            and suite in (None, score.suite)
            and section in (None, score.section)
        )
        if not troubles:
            return ""
        (reason, count) = troubles.most_common(1)[0]
        return f"{count} {reason}"

    def digest(self) -> str:
        """The digest of what was asked, answered and scored; times and places are left out."""
        header = self.header.model_dump(
            mode="json",
            include={"identity", "generation", "system_prompts", "suites", "selection", "sections"},
        )
        attempts = sorted(
            [attempt.key, attempt.status, attempt.text or "", attempt.finish_reason or ""]
            for attempt in self.attempts
        )
        scores = {score.key: score.model_dump(mode="json") for score in self.scores}
        return digest_json([header, attempts, scores])

    def metrics(self) -> dict[str, float]:
        """Each metric by its full name: the sum of its terms' `num` over that of their `den`."""
        sums: dict[str, list[float]] = {}
        for score in self.scores:
            for metric, term in score.terms.items():
                total = sums.setdefault(f"{score.suite}.{score.section}.{metric}", [0.0, 0.0])
                total[0] += term.num
                total[1] += term.den
        names = [
            f"{section.suite}.{section.section}.{metric}"
            for section in self.header.sections
            for metric in section.metrics
        ]
        return {name: sums[name][0] / sums[name][1] for name in names if sums.get(name, [0, 0])[1]}

    def repeats(self) -> tuple[int, int]:
        """In how many cases the repeats' texts differ, and how many have two answers or more."""
        texts: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
        for attempt in self.attempts:
            if attempt.text is not None:
                texts[attempt.suite, attempt.section, attempt.case].append(attempt.text)
        repeated = [said for said in texts.values() if len(said) > 1]
        return sum(len(set(said)) > 1 for said in repeated), len(repeated)

    def states(self) -> dict[str, int]:
        """How many attempts ended in each state, zero counts left out."""
        return dict(Counter(attempt.state for attempt in self.attempts))
