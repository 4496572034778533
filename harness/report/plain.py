"""What a rule found in one sentence without jargon: counts, and what was needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from harness.records.comparison import ComparisonRecord
from harness.records.latency import is_latency
from harness.records.rule import kind_of
from harness.records.verdict import RuleResult
from harness.report.rules import good_above, own_value, requirement, scale_of
from harness.visible_text import one_line

# What a share says of the answers, by scorer and metric, and what it is a share of. `{}` is how
# many of how many; words without a noun are for a share that counts no cases.
_WORDS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("gold", "accuracy"): ("answers {} right", "questions"),
    ("gold", "f1"): ("shares {} of its words with the answers that are expected", ""),
    ("scope", "refusal_recall"): ("refuses {} that it should refuse", "questions"),
    ("scope", "answer_rate"): ("answers {} that it should answer", "questions"),
    ("scope", "accuracy"): ("refuses or answers {} as it should", "questions"),
    ("tone", "adherence"): ("keeps {} of the rules of its voice", ""),
    ("pytest", "accuracy"): ("passes {}", "tests"),
}
_KNOWN = {scorer for scorer, _ in _WORDS}
_TIMES = {
    "ttft": "first word after {}", "service_ttft": "first word after {}",
    "tta": "first word of the answer after {}", "itl": "a pause of {} between words",
    "tpot": "{} for each piece of a word", "e2e": "whole answer after {}",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Side:
    """One side's metric: `total` cases of which `count` are won, None where it counts no cases."""

    value: float | None
    count: int | None
    total: int


def plain_sentence(
    rule: RuleResult, comparison: ComparisonRecord, titles: Mapping[str, str]
) -> str:
    """What the rule found, as somebody says it who knows no statistics; empty where nobody can.

    `titles` are the suites' own, by the metrics' full names.
    """
    if rule.estimate is None or rule.limit is None or rule.metric is None:
        return ""
    if is_latency(rule.metric):
        found = _time(rule)
        return f"{found[0].upper()}{found[1:]}." if found else ""
    metric = comparison.metrics.get(rule.metric)
    if metric is None:
        return ""
    held = metric.alone or metric if scale_of(rule) == "value" else metric
    scorer = _scorer(rule, comparison)
    words, noun = _WORDS.get((scorer, metric.metric.name), ("", ""))
    # Of a share of other things than cases, such as F1, the terms count no cases.
    counted = bool(noun) or (not words and scorer not in _KNOWN and metric.is_mean)
    ours = _side(rule, held.candidate_num, held.candidate_den, rule.candidate, counted)
    theirs = _side(rule, held.baseline_num, held.baseline_den, rule.baseline, counted)
    title = titles.get(rule.metric)
    if (scorer, metric.metric.name) == ("scope", "f1") and not title:
        said = f"{_refusals(rule, comparison)}: together {own_value(rule, ours.value)}"
    else:
        said = _said(rule, title, (words, noun), ours)
    against = "" if scale_of(rule) == "value" else f" (the baseline {_amount(rule, theirs)})"
    needed = _needed(rule, ours, theirs)
    unsure = ", and these cases are too few to be sure" if rule.outcome == "inconclusive" else ""
    # A metric's name stays as policies write it.
    begin = said if said.startswith(rule.metric) else f"{said[0].upper()}{said[1:]}"
    return one_line(f"{begin}{against}; {needed}{unsure}.", 600)


def _scorer(rule: RuleResult, comparison: ComparisonRecord) -> str:
    place = (rule.metric or "").rpartition(".")[0]
    plans = comparison.candidate.header.sections
    return next((one.scorer for one in plans if f"{one.suite}.{one.section}" == place), "")


def _refusals(rule: RuleResult, comparison: ComparisonRecord) -> str:
    """What the candidate refuses, of what it should and of what it should not."""
    place = (rule.metric or "").rpartition(".")[0]
    refused: dict[str, list[bool]] = {"refuse": [], "answer": []}
    for case in comparison.cases:
        due = str(case.expect.get("behavior"))
        score = case.candidate_score
        if f"{case.suite}.{case.section}" == place and score.passed is not None and due in refused:
            refused[due].append(score.passed == (due == "refuse"))
    wanted, other = refused["refuse"], refused["answer"]
    return (
        f"refuses {sum(wanted):,} of {len(wanted):,} questions that it should refuse, and "
        f"{sum(other):,} of {len(other):,} that it should answer"
    )


def _side(
    rule: RuleResult, num: np.ndarray, den: np.ndarray, value: float | None, counted: bool
) -> _Side:
    whole = counted and bool(
        np.all((den == 0.0) | (den == 1.0)) and np.all((num == 0.0) | (num == den))
    )
    counts = whole and kind_of(rule).definition(rule).is_share
    return _Side(value, int(num.sum()) if counts else None, int(den.sum()))


def _amount(rule: RuleResult, side: _Side) -> str:
    return own_value(rule, side.value) if side.count is None else f"{side.count:,}"


def _said(rule: RuleResult, title: str | None, words: tuple[str, str], ours: _Side) -> str:
    phrase, noun = words
    if title or not phrase:
        amount = _amount(rule, ours) + (f" of {ours.total:,}" if ours.count is not None else "")
        return f"{title or rule.metric}: {amount}"
    if not noun:
        return phrase.format(own_value(rule, ours.value))
    if ours.count is None:
        return phrase.format(f"{own_value(rule, ours.value)} of the {noun}")
    return phrase.format(f"{ours.count:,} of {ours.total:,} {noun}")


def _needed(rule: RuleResult, ours: _Side, theirs: _Side) -> str:
    """What the rule needs, as a count where the metric counts cases."""
    limit, above = rule.limit or 0.0, good_above(rule)
    if scale_of(rule) == "ratio":
        return f"needs {requirement(rule)}"
    start = 0.0
    if scale_of(rule) == "difference":
        if theirs.value is None:
            return f"needs {requirement(rule)}"
        start = theirs.value
        if limit == 0.0 and rule.require.startswith("better"):
            return f"needs {'more' if above else 'less'} than that"
    bound = start + limit
    side = "" if above else "at most "
    if ours.count is None or (scale_of(rule) == "difference" and theirs.total != ours.total):
        return f"needs {side}{own_value(rule, bound)}"
    exact = round(bound * ours.total, 6)
    return f"needs {side}{max(0, ceil(exact) if above else floor(exact)):,}"


def _time(rule: RuleResult) -> str:
    """A time in words: `first word after 210 ms for 95 % of requests, the baseline 43 ms; …`."""
    assert rule.metric is not None
    family, _, percentile = rule.metric.rpartition(".")[2].rpartition("_p")
    words = _TIMES.get(family)
    if words is None or not percentile.isdigit() or rule.candidate is None:
        return ""
    share = "half of the requests" if percentile == "50" else f"{percentile} % of the requests"
    theirs = "" if rule.baseline is None else f" (the baseline {own_value(rule, rule.baseline)})"
    found = words.format(own_value(rule, rule.candidate))
    unsure = ", and these requests are too few to be sure" if rule.outcome == "inconclusive" else ""
    return f"{found} for {share}{theirs}; needs {requirement(rule)}{unsure}"
