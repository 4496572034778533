"""A history: the gates of one suite in the order of time, and which of them led to a promotion."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from harness.records.base import Record
from harness.records.past_gate import Moment, Promotion, Values, instant
from harness.records.verdict import Decision, RuleResult, Verdict


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
        *(str(value) for _, value in verdict.hashes),
    )
