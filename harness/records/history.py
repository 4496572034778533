"""The gates of one suite in the order of time: as they are logged, and as a history shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from harness.records.base import Record
from harness.records.metric import OfMetric
from harness.records.verdict import Decision, RuleResult, Verdict

_FIRST, _LAST = 2000, 2200


def instant(text: str) -> datetime:
    """The moment of an ISO 8601 text, in UTC.

    Raises:
        ValueError: it is none, has no time zone, or is in a year that no gate was given in.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"`{text[:40]}` is no moment in ISO 8601") from None
    if moment.tzinfo is None:
        raise ValueError(f"`{text[:40]}` has no time zone")
    if not _FIRST <= moment.year <= _LAST:
        raise ValueError(f"`{text[:40]}` is not in the years {_FIRST} to {_LAST}")
    return moment.astimezone(UTC)


def _moment(text: str) -> str:
    instant(text)
    return text


def _timed(verdict: Verdict) -> Verdict:
    instant(verdict.created)
    return verdict


Moment = Annotated[str, AfterValidator(_moment)]


class Values(OfMetric):
    """A metric on both sides of a gate, None where there was nothing to compute it from."""

    candidate: float | None = None
    baseline: float | None = None


class Promotion(Record):
    """A baseline that was sealed from a gate's candidate."""

    name: str
    sealed: Moment


class PromotionException(Record):
    """What somebody who promoted was told, and promoted all the same.

    `trusted_runs` are those whose answers were not asked for in this project's folder.
    """

    looks: int = Field(default=1, ge=1)
    despite_looks: str = ""
    trusted_runs: tuple[str, ...] = ()


class Asking(Record):
    """When the first answer of a run was asked for; `freshness` counts how often all were.

    `journal` is the first link of the chain of that run's journal, which tells two askings of one
    second apart; lines of earlier versions have none.
    """

    began: Moment
    freshness: int = 0
    journal: str | None = None

    def is_that_of(self, other: Asking) -> bool:
        """Whether both are one asking, as far as both tell."""
        if (self.began, self.freshness) != (other.began, other.freshness):
            return False
        return None in (self.journal, other.journal) or self.journal == other.journal


class Asked(Record):
    """Whose answers a gate judged, and the asking that each side has its own from.

    `identity` is the digest of the candidate and of how it is served and asked, `model` that of
    the candidate alone, by whatever name and address it goes; lines of earlier versions have none.
    """

    identity: str
    model: str | None = None
    candidate: Asking
    baseline: Asking


class PastGate(Record):
    """A line of `.harness/gates.jsonl`.

    `suites` holds the digest of each suite that was judged and `metrics` every metric of them, a
    rule on it or not. The verdict comes without its section on latency, which is bulk: `latency`
    is the digest of what was measured, none in lines of earlier versions. Where the
    candidate was promoted, the gate has a second line, with the `promotion`. Lines of earlier
    versions do not say when the answers were `asked` for, nor by which `policy` they were judged.
    """

    schema_version: Literal[1] = 1
    suites: dict[str, str]
    metrics: dict[str, Values]
    verdict: Annotated[Verdict, AfterValidator(_timed)]
    promotion: Promotion | None = None
    asked: Asked | None = None
    latency: str | None = None
    policy: dict[str, Any] | None = None


class HeldGate(Record):
    """One gate as far as it concerns the suite.

    `suite_version` is the digest of the suite, or of all suites of the gate where nothing tells
    that of this one. `rules` are those on the suite's metrics, on latency and on critical cases.
    """

    created: Moment
    candidate: str
    baseline: str
    verdict: Decision
    reason: str
    alpha: float
    suite_version: str
    rules: tuple[RuleResult, ...]
    metrics: dict[str, Values]
    promotions: tuple[Promotion, ...] = ()
    harness_version: str

    @property
    def at(self) -> datetime:
        """When the verdict was given."""
        return instant(self.created)

    def rules_on(self, metric: str) -> tuple[RuleResult, ...]:
        """The results of the rules on that metric."""
        return tuple(rule for rule in self.rules if rule.metric == metric)


class History(Record):
    """`history.json`: the gates of a suite, the oldest first."""

    schema_version: Literal[1] = 1
    suite: str
    gates: tuple[HeldGate, ...]

    def metrics(self) -> tuple[str, ...]:
        """Every metric with a value: those with a rule first, as the latest policy orders them."""
        ruled = [
            rule.metric
            for gate in reversed(self.gates)
            for rule in gate.rules
            if rule.metric is not None
        ]
        others = sorted({name for gate in self.gates for name in gate.metrics})
        return tuple(dict.fromkeys((*ruled, *others)))


def identity_of(verdict: Verdict) -> tuple[str, ...]:
    """What two records of one gate have in common."""
    return (
        verdict.created,
        verdict.candidate,
        verdict.baseline,
        *(verdict.hashes.suites, verdict.hashes.config),
        *(verdict.hashes.candidate, verdict.hashes.baseline),
    )
