"""History: past gates and sealed baselines of one suite, put in the order of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from harness.files import digest_json
from harness.gate.sealed_file import Baseline
from harness.records.comparison import ComparisonRecord
from harness.records.history import (
    Asked,
    HeldGate,
    History,
    PastGate,
    Promotion,
    Values,
    identity_of,
)
from harness.records.rule import Policy, kind_of
from harness.records.run import RunRecord
from harness.records.suite import Suite
from harness.records.verdict import RuleResult, Verdict

Found = dict[tuple[str, ...], HeldGate]


def past_gate(
    verdict: Verdict,
    comparison: ComparisonRecord,
    suites: Sequence[Suite],
    promotion: Promotion | None = None,
    *,
    asked: Asked | None = None,
    policy: Policy | None = None,
) -> PastGate:
    """The record of a gate for the history; no numbers where the evidence cannot be trusted."""
    metrics = {
        name: Values(
            candidate=metric.candidate_value,
            baseline=metric.baseline_value,
            definition=metric.metric.unless_share,
        )
        for name, metric in comparison.metrics.items()
    }
    return PastGate(
        suites={suite.name: suite.digest for suite in suites},
        metrics={} if verdict.problems else metrics,
        verdict=verdict.model_copy(update={"latency": None}),
        promotion=promotion,
        asked=asked,
        latency=None if verdict.latency is None else verdict.latency.digest,
        policy=None if policy is None else policy.model_dump(mode="json", exclude_none=True),
    )


def history(
    suite: str,
    gates: Iterable[PastGate],
    verdicts: Iterable[Verdict],
    baselines: Iterable[Baseline],
    known: Iterable[Mapping[str, str]] = (),
) -> History:
    """The gates of a suite: those kept, those whose verdict alone is left, those of its baselines.

    A gate that occurs in several of them is taken once, and so are gates that judged the same
    evidence with the same outcome: the latest stands for them, or the latest that was promoted.
    `known` are digests of suites by name, as in a project's present suites: a bare verdict tells
    only the digest of all of them together.

    Raises:
        ValueError: a verdict or a promotion has no moment that can be read.
    """
    kept, sealed = tuple(gates), tuple(baselines)
    tables = (*known, *(gate.suites for gate in kept), *(one.header.suites for one in sealed))
    versions = {digest_json(dict(table)): table[suite] for table in tables if suite in table}
    found: Found = {}
    for gate in kept:
        if suite in gate.suites:
            held = _held(suite, gate.verdict, gate.suites[suite], gate.metrics)
            found.setdefault(identity_of(gate.verdict), held)
            _mark(found, identity_of(gate.verdict), gate.promotion)
    for one in sealed:
        key = identity_of(one.verdict)
        measured = _metrics(one)
        if key not in found:
            found[key] = _held(suite, one.verdict, one.header.suites[suite], measured)
        _mark(found, key, Promotion(name=one.name, sealed=one.sealed))
    for verdict in verdicts:
        combined = verdict.hashes.suites
        if combined in versions or suite in map(_suite_of, verdict.rules):
            held = _held(suite, verdict, versions.get(combined, combined), {})
            found.setdefault(identity_of(verdict), held)
    return History(suite=suite, gates=tuple(sorted(_once(found), key=lambda gate: gate.at)))


def _mark(found: Found, key: tuple[str, ...], promotion: Promotion | None) -> None:
    """Add a promotion to the gate, unless the gate has it."""
    gate = found[key]
    if promotion is not None and promotion not in gate.promotions:
        found[key] = gate.model_copy(update={"promotions": (*gate.promotions, promotion)})


def _once(found: Found) -> Iterator[HeldGate]:
    """One gate for all that judged the same evidence with the same outcome."""
    groups: defaultdict[tuple[object, ...], list[HeldGate]] = defaultdict(list)
    for (_, *evidence), gate in found.items():
        # Times are measured anew, also where the answers are the same.
        rules = tuple((rule.metric, rule.outcome, rule.estimate) for rule in gate.rules)
        groups[*evidence, gate.verdict, gate.reason, rules].append(gate)
    for same in groups.values():
        last = max(same, key=lambda gate: (bool(gate.promotions), gate.at))
        marks = dict.fromkeys(mark for gate in same for mark in gate.promotions)
        # One of which the bare verdict is left has fewer metrics.
        known = {name: values for gate in same for name, values in gate.metrics.items()}
        metrics = {**known, **last.metrics}
        yield last.model_copy(update={"promotions": tuple(marks), "metrics": metrics})


def _held(suite: str, verdict: Verdict, version: str, metrics: Mapping[str, Values]) -> HeldGate:
    # Those on the suite, and those on what all suites share.
    rules = tuple(rule for rule in verdict.rules if _suite_of(rule) in (None, suite))
    by_rule = {
        rule.metric: Values(
            candidate=rule.candidate, baseline=rule.baseline, definition=rule.definition
        )
        for rule in rules
        if rule.metric is not None and rule.candidate is not None
    }
    own = {name: value for name, value in metrics.items() if name.startswith(f"{suite}.")}
    return HeldGate(
        created=verdict.created,
        candidate=verdict.candidate,
        baseline=verdict.baseline,
        verdict=verdict.verdict,
        reason=verdict.reason,
        alpha=verdict.alpha,
        suite_version=version,
        rules=rules,
        metrics={**own, **by_rule},
        harness_version=verdict.harness_version,
    )


def _suite_of(rule: RuleResult) -> str | None:
    return kind_of(rule).suite_of(rule.metric)


def _metrics(baseline: Baseline) -> dict[str, Values]:
    """The metrics of a sealed run on its suite."""
    known = baseline.header.definitions()
    summary = baseline.header.summary
    if summary is None:
        summary = RunRecord(baseline.header, baseline.attempts, baseline.scores).summary
    return {
        name: Values(
            candidate=value, definition=known[name].unless_share if name in known else None
        )
        for name, value in summary.metrics.items()
    }
