"""Warnings where a rule guards less than it seems to: critical cases, undetermined answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from harness.gate.retries import EXAMPLES
from harness.gate.rules.no_new_critical_failures import CRITICAL
from harness.records.attempt import UNDETERMINED
from harness.records.comparison import ComparisonRecord, PairedMetric
from harness.records.rule import Policy, Rule
from harness.records.verdict import EvidenceWarning, RuleResult


def guard_warnings(
    comparison: ComparisonRecord, policy: Policy, results: Sequence[RuleResult]
) -> Iterator[EvidenceWarning]:
    """What about the results of the policy's rules is weaker than it looks."""
    if any(rule.require == CRITICAL for rule in policy.rules):
        yield from _unguarded(comparison)
    for rule, result in zip(policy.rules, results, strict=False):
        yield from _undetermined(comparison, rule, result, policy.alpha)


def _unguarded(comparison: ComparisonRecord) -> Iterator[EvidenceWarning]:
    """Most critical cases fail for the baseline, so that they cannot fail newly.

    Where all of them do, the rule cannot fail at all, which is another warning.
    """
    critical = {case.path for case in comparison.cases if case.critical}
    failed = {
        case.path
        for case in comparison.cases
        if case.critical and case.baseline_score.passed is False
    }
    if len(critical) / 2 < len(failed) < len(critical):
        yield EvidenceWarning(
            code="critical-unguarded",
            place=CRITICAL,
            what=(
                f"the baseline fails {len(failed)} of {len(critical)} critical cases, so the rule "
                f"guards only the other {len(critical) - len(failed)}: `no_critical_failures` "
                "guards all of them"
            ),
            cases=tuple(sorted(failed))[:EXAMPLES],
        )


def _undetermined(
    comparison: ComparisonRecord, rule: Rule, result: RuleResult, alpha: float
) -> Iterator[EvidenceWarning]:
    """The rule would come out otherwise without the cases whose answers nobody could tell."""
    metric = comparison.metrics.get(rule.metric_name or "")
    if metric is None or result.outcome == "invalid":
        return
    section = metric.name.rpartition(".")[0]
    alone = rule.scale == "value"
    unclear = [
        case
        for case in comparison.cases
        if f"{case.suite}.{case.section}" == section
        and (
            case.candidate_score.label == UNDETERMINED
            or (not alone and case.baseline_score.label == UNDETERMINED)
        )
    ]
    if not unclear:
        return
    lacking = ((metric.alone or metric) if alone else metric).missing.size
    told = replace(comparison, metrics={**comparison.metrics, metric.name: _settled(metric)})
    outcome = rule.judge(told, alpha).outcome
    if outcome != result.outcome:
        paths = tuple(dict.fromkeys(case.path for case in unclear))
        yield EvidenceWarning(
            code="undetermined-decide",
            place=metric.name,
            what=(
                f"{_decisive(lacking, len(paths))} this rule: it is {_WORDS[result.outcome]}, and "
                f"{_WORDS[outcome]} without the cases that have no score; let people or a judge "
                "score them"
            ),
            cases=paths[:EXAMPLES],
        )


def _decisive(lacking: int, unclear: int) -> str:
    """What a rule hangs on: the cases without a score, most often all of undetermined answers."""
    if lacking <= unclear:
        return f"{unclear} undetermined answer{'s decide' if unclear > 1 else ' decides'}"
    return f"{lacking} cases without a score, {unclear} of them undetermined, decide"


_WORDS = {
    "pass": "passed", "fail": "failed", "inconclusive": "inconclusive", "invalid": "invalid",
}  # fmt: skip


def _settled(metric: PairedMetric) -> PairedMetric:
    """The metric of the cases that have a score, as if there were no others."""
    none = np.array([], dtype=np.str_)
    alone = metric.alone
    return replace(
        metric, missing=none, alone=None if alone is None else replace(alone, missing=none)
    )
