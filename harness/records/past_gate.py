"""A past gate: a verdict that was given, with what it leaves out of the numbers behind it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator

from harness.records.base import Record
from harness.records.verdict import Verdict


def instant(text: str) -> datetime:
    """The moment of an ISO 8601 text, in UTC.

    Raises:
        ValueError: it is none, or has no time zone.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"`{text[:40]}` is no moment in ISO 8601") from None
    if moment.tzinfo is None:
        raise ValueError(f"`{text[:40]}` has no time zone")
    return moment.astimezone(UTC)


def _moment(text: str) -> str:
    instant(text)
    return text


def _timed(verdict: Verdict) -> Verdict:
    instant(verdict.created)
    return verdict


Moment = Annotated[str, AfterValidator(_moment)]


class Values(Record):
    """A metric on both sides of a gate, None where there was nothing to compute it from."""

    candidate: float | None = None
    baseline: float | None = None


class PastGate(Record):
    """A line of `.harness/gates.jsonl`.

    `suites` holds the digest of each suite that was judged and `metrics` every metric of them, a
    rule on it or not. The verdict comes without its section on latency, which is bulk.
    """

    schema_version: Literal[1] = 1
    suites: dict[str, str]
    metrics: dict[str, Values]
    verdict: Annotated[Verdict, AfterValidator(_timed)]
