"""Findings: what was asked and judged, as every process of a session reads it."""

from __future__ import annotations

from pydantic import Field

from harness.records.base import Record
from harness.records.verdict import Decision, RuleResult


class Judged(Record):
    """What the policy makes of one candidate.

    `rules` stand as in the policy. `verdict` and `report`, the folder, are there where everything
    was judged as `harness gate` does it. `new_failures` are the paths of cases by `suite.section`,
    the critical ones again under `critical`.
    """

    problems: tuple[str, ...] = ()
    rules: tuple[RuleResult, ...] = ()
    verdict: Decision | None = None
    reason: str = ""
    report: str | None = None
    new_failures: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class Where(Record):
    """The run that a target's Python tests belong to, and how often it was asked anew."""

    run: str
    freshness: int


class Findings(Record):
    """The finished runs by target, and what became of each candidate.

    `compared` names the run that the others are shown beside: a target among `runs`, or a sealed
    baseline. Where Python tests are still to be run, judging is `late`; `tested` says by target
    where they belong.
    """

    runs: dict[str, str] = Field(default_factory=dict)
    compared: str | None = None
    judged: dict[str, Judged] = Field(default_factory=dict)
    late: bool = False
    tested: dict[str, Where] = Field(default_factory=dict)
