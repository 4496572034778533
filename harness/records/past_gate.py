"""A past gate: a verdict that was given, with what it leaves out of the numbers behind it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator

from harness.records.base import Record
from harness.records.metric import OfMetric
from harness.records.verdict import Verdict

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


class PastGate(Record):
    """A line of `.harness/gates.jsonl`.

    `suites` holds the digest of each suite that was judged and `metrics` every metric of them, a
    rule on it or not. The verdict comes without its section on latency, which is bulk. Where the
    candidate was promoted, the gate has a second line, with the `promotion`.
    """

    schema_version: Literal[1] = 1
    suites: dict[str, str]
    metrics: dict[str, Values]
    verdict: Annotated[Verdict, AfterValidator(_timed)]
    promotion: Promotion | None = None
