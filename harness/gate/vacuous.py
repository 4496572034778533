"""Rules that cannot fail: even the worst candidate that there can be passes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from harness.gate.differences import worst_and_best
from harness.gate.rules.metric_rule import WORST_PASSES
from harness.records.attempt import Score, Term
from harness.records.comparison import ComparisonRecord, PairedCase, PairedMetric
from harness.records.label import Label
from harness.records.metric import SHARE, Metric
from harness.records.rule import Planned, Policy, Rule
from harness.records.verdict import EvidenceWarning, RuleResult

NO_RULE = "no rule of the policy can fail: even the worst possible candidate would pass"
LEAST_SCORED, MOST_UNDETERMINED, LARGEST_ALPHA = 0.9, 0.2, 0.2


def vacuous_rules(
    comparison: ComparisonRecord, policy: Policy, results: tuple[RuleResult, ...]
) -> tuple[bool, ...]:
    """For each rule of the policy whether the worst candidate on these cases passes it too.

    The worst candidate is wrong in every case and has every answer cut off; the baseline, the
    groups and the cases without a score stay what they are.
    """
    worst: dict[float | None, ComparisonRecord] = {}
    found = []
    for rule, result in zip(policy.rules, results, strict=False):
        passes = result.outcome == "pass"
        if passes and rule.decided_by == "latency":
            passes = rule.vacuous(None, policy.alpha) != ""
        elif passes:
            if rule.value_cap not in worst:
                worst[rule.value_cap] = worst_candidate(comparison, rule.value_cap)
            passes = _passes(rule, worst[rule.value_cap], policy.alpha)
        found.append(passes)
    return tuple(found)


def vacuous_warnings(
    comparison: ComparisonRecord, policy: Policy, vacuous: tuple[bool, ...]
) -> Iterator[EvidenceWarning]:
    """A warning for each rule of the policy that cannot fail."""
    for rule, passes in zip(policy.rules, vacuous, strict=True):
        if passes:
            place = rule.metric_name or rule.require
            why = rule.vacuous(None, policy.alpha) or rule.why_worst_passes(comparison)
            what = why or WORST_PASSES
            yield EvidenceWarning(code="cannot-fail", place=place, what=what)


def lax_policy(policy: Policy, planned: dict[str, Planned]) -> Iterator[tuple[str, str]]:
    """The keys of a policy that let nearly everything pass, each with what about it.

    `planned` holds what is known of each metric before any request, by its full name.
    """
    for place, rule in enumerate(policy.rules):
        if words := rule.vacuous(planned.get(rule.metric_name or ""), policy.alpha):
            yield f"rules[{place}]", words
    if policy.min_scored < LEAST_SCORED:
        share = 100 * policy.min_scored
        yield "min_scored", f"the verdict may rest on {share:g} % of a section's cases"
    if policy.max_undetermined > MOST_UNDETERMINED:
        share = 100 * policy.max_undetermined
        yield "max_undetermined", f"a scorer may leave {share:g} % of a section undetermined"
    if policy.alpha > LARGEST_ALPHA:
        yield "alpha", f"each rule may pass wrongly in {100 * policy.alpha:g} % of all gates"


def worst_candidate(comparison: ComparisonRecord, cap: float | None) -> ComparisonRecord:
    """The comparison as if the candidate were as wrong as can be; what has no bound stays."""
    metrics = {name: _worst(metric, cap) for name, metric in comparison.metrics.items()}
    meanings = {name: metric.metric for name, metric in comparison.metrics.items()}
    cases = tuple(_lost(case, meanings, cap) for case in comparison.cases)
    labels = tuple(_lost_label(label, meanings) for label in comparison.candidate_labels)
    return replace(comparison, metrics=metrics, cases=cases, candidate_labels=labels)


def _lost_label(label: Label, metrics: dict[str, Metric]) -> Label:
    """The label as if people found the answer as wrong as can be, by its section's first metric."""
    if label.value is None:
        return label
    own = (
        metric for name, metric in metrics.items() if name.startswith(".".join(label.place) + ".")
    )
    worst = label.scale[1 if next(own, SHARE).lower_is_better else 0]
    return label.model_copy(update={"value": worst})


def _passes(rule: Rule, worst: ComparisonRecord, alpha: float) -> bool:
    try:
        return rule.judge(worst, alpha).outcome == "pass"
    except Exception:  # noqa: BLE001 - a rule that raises ends a gate, so nobody passes it
        return False


def _worst(metric: PairedMetric, cap: float | None) -> PairedMetric:
    try:
        value, _ = worst_and_best(metric.metric, cap)
    except ValueError:
        return metric
    # A case that says nothing of a side may say something of a side that answers it wrongly.
    den = np.maximum(metric.candidate_den, metric.baseline_den)
    alone = None if metric.alone is None else _worst(metric.alone, cap)
    return replace(metric, candidate_num=value * den, candidate_den=den, alone=alone)


def _lost(case: PairedCase, metrics: dict[str, Metric], cap: float | None) -> PairedCase:
    if case.candidate_score.status != "scored":
        return case
    ended = case.candidate_attempt.model_copy(update={"finish_reason": "length"})
    lost = replace(
        case,
        candidate_attempt=ended,
        candidate_score=_lost_score(case.candidate_score, metrics, cap),
    )
    if case.change == "not_comparable":  # but a rule may look at the candidate alone
        return lost
    passed = case.baseline_score.passed
    return replace(
        lost, change="worse" if passed is None else "new_failure" if passed else "still_failing"
    )


def _lost_score(score: Score, metrics: dict[str, Metric], cap: float | None) -> Score:
    terms = {}
    for name, term in score.terms.items():
        metric = metrics.get(f"{score.suite}.{score.section}.{name}", SHARE)
        try:
            num = worst_and_best(metric, cap)[0] * term.den
        except ValueError:
            num = term.num
        terms[name] = Term(num=num, den=term.den)
    value = next((term.num / term.den for term in terms.values() if term.den), score.value)
    passed = None if score.passed is None else False
    return score.model_copy(update={"terms": terms, "value": value, "passed": passed})
