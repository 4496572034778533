"""The percentiles of a load: rows of the table, lines of the drawing, and what follows of rules."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from harness.records.latency import LATENCY_PREFIX, Bounded, LatencyMetric, LoadResult
from harness.records.verdict import Outcome, RuleResult
from harness.report import numbers
from harness.report.latency.model import Extent, Finding, MetricRow, RatioRow, Span
from harness.report.latency.words import split_metric
from harness.report.rules import fine_format

_NOTHING = Span(numbers.NONE, numbers.NONE)


def unbound(value: float | None) -> float:
    """The number, infinity for what a record leaves out as beyond every bound."""
    return inf if value is None else value


def span(found: Bounded | None, form: numbers.Format) -> Span:
    """A value and its bounds as text, `–` for none."""
    if found is None:
        return _NOTHING
    low, high = unbound(found.low), unbound(found.high)
    value, bounds = form(unbound(found.estimate)), numbers.interval(low, high, form)
    return Span(value, numbers.NONE if bounds == numbers.INFINITY else bounds)


def in_words(shown: Span) -> str:
    """A value with its bounds in brackets, where it has any."""
    return shown.value if shown.bounds == numbers.NONE else f"{shown.value} ({shown.bounds})"


def families(metrics: Sequence[LatencyMetric]) -> tuple[tuple[str, tuple[MetricRow, ...]], ...]:
    """The rows of the table, those of one family together, in the order they come in."""
    found: dict[str, list[MetricRow]] = {}
    for metric in metrics:
        found.setdefault(split_metric(metric.metric)[0], []).append(_row(metric))
    return tuple((family, tuple(rows)) for family, rows in found.items())


def _row(metric: LatencyMetric) -> MetricRow:
    return MetricRow(
        name=_name(metric),
        candidate=span(metric.candidate, numbers.duration),
        baseline=span(metric.baseline, numbers.duration),
        ratio=span(metric.ratio, numbers.ratio),
        control=span(metric.control, numbers.ratio),
        shortage=_shortage(metric),
    )


def _name(metric: LatencyMetric) -> str:
    return " ".join(filter(None, split_metric(metric.metric)))


def _shortage(metric: LatencyMetric) -> str:
    if metric.certifiable:
        return ""
    needed = numbers.count(metric.needed)
    return f"not certifiable: {numbers.count(metric.n)} of {needed} requests needed"


def ratio_rows(load: LoadResult, rules: Sequence[RuleResult]) -> tuple[RatioRow, ...]:
    """The lines of the drawing, one for each metric."""
    rows: list[RatioRow] = []
    for metric in load.metrics:
        rule = _ratio_rule(metric, rules)
        rows.append(
            RatioRow(
                label=_name(metric),
                numbers=in_words(span(metric.ratio, numbers.ratio)),
                ratio=extent(metric.ratio),
                control=extent(metric.control),
                limit=rule.limit if rule else None,
                outcome=_outcome_at(load, metric, rule) if rule else None,
                certifiable=metric.certifiable,
            )
        )
    return tuple(rows)


def extent(found: Bounded) -> Extent:
    """A value and its bounds as numbers."""
    return Extent(unbound(found.low), unbound(found.estimate), unbound(found.high))


def _ratio_rule(metric: LatencyMetric, rules: Sequence[RuleResult]) -> RuleResult | None:
    name = f"{LATENCY_PREFIX}{metric.metric}"
    return next((r for r in rules if r.metric == name and r.require == "ratio_at_most"), None)


def findings(load: LoadResult, rules: Sequence[RuleResult]) -> tuple[Finding, ...]:
    """Where each metric lies that a rule limits, by ratio or by the candidate's own value."""
    by_name = {f"{LATENCY_PREFIX}{metric.metric}": metric for metric in load.metrics}
    return tuple(
        _finding(load, by_name[rule.metric], rule)
        for rule in rules
        if rule.metric in by_name
        and rule.limit is not None
        and rule.require in ("ratio_at_most", "at_most")
    )


def _held(metric: LatencyMetric, rule: RuleResult) -> Bounded:
    """What the rule holds against its limit."""
    return metric.candidate if rule.require == "at_most" else metric.ratio


def _finding(load: LoadResult, metric: LatencyMetric, rule: RuleResult) -> Finding:
    limit, name, own = rule.limit or 0.0, _name(metric), rule.require == "at_most"
    found = _held(metric, rule)
    values = (unbound(found.estimate), unbound(found.low), unbound(found.high))
    form = fine_format("time" if own else "ratio", limit, values)
    outcome = _outcome_at(load, metric, rule)
    of = name if own else f"{name} divided by the baseline's"
    place = _place(outcome, metric, found, limit).format(limit=form(limit))
    return Finding(outcome, f"{of} is {in_words(span(found, form))}: {place}.")


def _outcome_at(load: LoadResult, metric: LatencyMetric, rule: RuleResult) -> Outcome | None:
    """The rule's outcome as far as its result tells it of this load; None where it does not.

    A result is that of the load where the rule comes out worst, so a pass is one at every load.
    """
    held = _held(metric, rule)
    decided = (held.estimate, held.low, held.high, metric.n, load.rounds) == (
        rule.estimate, rule.ci_low, rule.ci_high, rule.n, rule.groups,
    )  # fmt: skip
    return rule.outcome if decided or rule.outcome == "pass" else None


def _place(outcome: Outcome | None, metric: LatencyMetric, found: Bounded, limit: float) -> str:
    """Where the value lies to the limit, in words that hold `{limit}`."""
    if outcome in ("pass", "fail"):
        beyond = unbound(found.high) > limit if outcome == "pass" else unbound(found.low) <= limit
        side = "within" if outcome == "pass" else "above"
        return f"{side} the limit of {{limit}}" + (" by its estimate" if beyond else "")
    if outcome is None:
        return "the limit is {limit}"
    if not metric.certifiable:
        return _shortage(metric)
    if unbound(found.low) <= limit < unbound(found.high):
        return "the limit of {limit} lies within the interval, so it cannot be told"
    return "the baseline differs from itself by too much to hold it against the limit of {limit}"
