"""The numbers of a load as text: percentiles, figures of the arms, and limits of rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

from harness.records.latency import (
    ARMS,
    LATENCY_PREFIX,
    Arm,
    ArmFigures,
    Bounded,
    LatencyMetric,
    LoadResult,
)
from harness.records.rule import kind_of
from harness.records.verdict import Outcome, RuleResult
from harness.report import formats
from harness.report.formats import Format, fine_format
from harness.report.latency_text import split_metric
from harness.report.rules import scale_of
from harness.report.text import one_line


@dataclass(frozen=True, slots=True)
class Span:
    """A value and its interval, as text."""

    value: str
    bounds: str


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of the arms, in their order; `hint` says what it is."""

    name: str
    hint: str
    cells: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """The position of one metric relative to its rule's limit, in words.

    `outcome` is None where another load decided the rule.
    """

    outcome: Outcome | None
    words: str


_NOTHING = Span(formats.NONE, formats.NONE)


def unbound(value: float | None) -> float:
    """The number, infinity for what a record leaves out as beyond every bound."""
    return inf if value is None else value


def span(found: Bounded | None, form: Format) -> Span:
    """A value and its bounds as text, `–` for none."""
    if found is None:
        return _NOTHING
    low, high = unbound(found.low), unbound(found.high)
    value, bounds = form(unbound(found.estimate)), formats.interval(low, high, form)
    return Span(value, formats.NONE if bounds == formats.INFINITY else bounds)


def in_words(found: Span) -> str:
    """A value with its bounds in brackets, where it has any."""
    return found.value if found.bounds == formats.NONE else f"{found.value} ({found.bounds})"


def families(metrics: Sequence[LatencyMetric]) -> list[list[LatencyMetric]]:
    """The metrics, those of one family together, in the order they come in."""
    found: dict[str, list[LatencyMetric]] = {}
    for metric in metrics:
        found.setdefault(split_metric(metric.metric)[0], []).append(metric)
    return list(found.values())


def metric_title(metric: LatencyMetric) -> str:
    """The metric as people write it: `TTFT p95`."""
    return " ".join(filter(None, split_metric(metric.metric)))


def shortage(metric: LatencyMetric) -> str:
    """Why the metric cannot pass a rule; empty where it has enough requests."""
    if metric.certifiable:
        return ""
    needed = formats.count(metric.needed)
    return f"not certifiable: {formats.count(metric.n)} of {needed} requests needed"


def ratio_rule(metric: LatencyMetric, rules: Sequence[RuleResult]) -> RuleResult | None:
    """The rule that limits the metric's ratio, if any does."""
    name = f"{LATENCY_PREFIX}{metric.metric}"
    return next((r for r in rules if r.metric == name and scale_of(r) == "ratio"), None)


def findings(load: LoadResult, rules: Sequence[RuleResult]) -> tuple[Finding, ...]:
    """Where each metric lies that a rule limits, by ratio or by the candidate's own value."""
    by_name = {f"{LATENCY_PREFIX}{metric.metric}": metric for metric in load.metrics}
    return tuple(
        _finding(load, by_name[rule.metric], rule)
        for rule in rules
        if rule.metric in by_name
        and rule.limit is not None
        and kind_of(rule).decided_by == "latency"
    )


def _held(metric: LatencyMetric, rule: RuleResult) -> Bounded:
    """The value that the rule compares with its limit."""
    return metric.candidate if scale_of(rule) == "value" else metric.ratio


def _finding(load: LoadResult, metric: LatencyMetric, rule: RuleResult) -> Finding:
    limit, name, own = rule.limit or 0.0, metric_title(metric), scale_of(rule) == "value"
    found = _held(metric, rule)
    values = (unbound(found.estimate), unbound(found.low), unbound(found.high))
    form = fine_format("value" if own else "ratio", "seconds", limit, values)
    outcome = outcome_at(load, metric, rule)
    of = name if own else f"{name} divided by the baseline's"
    place = _place(outcome, metric, found, limit).format(limit=form(limit))
    return Finding(outcome, f"{of} is {in_words(span(found, form))}: {place}.")


def outcome_at(load: LoadResult, metric: LatencyMetric, rule: RuleResult) -> Outcome | None:
    """The rule's outcome as far as its result tells it of this load; None where it does not.

    A result is that of the load where the rule comes out worst, so a pass is one at every load.
    """
    held = _held(metric, rule)
    ours = map(unbound, (held.estimate, held.low, held.high, metric.n, load.rounds))
    theirs = map(unbound, (rule.estimate, rule.ci_low, rule.ci_high, rule.n, rule.groups))
    decided = list(ours) == list(theirs)
    return rule.outcome if decided or rule.outcome == "pass" else None


def _place(outcome: Outcome | None, metric: LatencyMetric, found: Bounded, limit: float) -> str:
    """The value's position relative to the limit, in words that hold `{limit}`."""
    if outcome in ("pass", "fail"):
        beyond = unbound(found.high) > limit if outcome == "pass" else unbound(found.low) <= limit
        side = "within" if outcome == "pass" else "above"
        return f"{side} the limit of {{limit}}" + (" by its estimate" if beyond else "")
    if outcome in (None, "invalid"):
        return "the limit is {limit}"
    if not metric.certifiable:
        return shortage(metric)
    if unbound(found.low) <= limit < unbound(found.high):
        return "the limit of {limit} lies within the interval, so it cannot be told"
    return "the baseline differs from itself by too much to hold it against the limit of {limit}"


_Cell = Callable[[ArmFigures], Span]


def figure_rows(arms: Sequence[ArmFigures], slo: str) -> tuple[FigureRow, ...]:
    """The rows of the table, without those that no arm has; `slo` is what goodput keeps."""
    if not arms:
        return ()
    rows: list[tuple[str, str, _Cell]] = [
        ("Requests", "counted, the opening waves left out", lambda a: _plain(a.requests)),
        ("Failed", "", _failed),
        ("Error rate", "", lambda a: span(a.error_rate, formats.share)),
    ]
    if any(arm.goodput for arm in arms):
        rows.append(("Goodput", slo, lambda a: span(a.goodput, formats.share)))
    rows.append(("Requests per second", "", lambda a: _number(a.requests_per_second)))
    if any(arm.tokens_per_second is not None for arm in arms):
        rows.append(("Tokens per second", "", lambda a: _number(a.tokens_per_second)))
    if any(arm.tokens_mean is not None for arm in arms):
        rows.append(("Tokens per answer", "mean", lambda a: _number(a.tokens_mean)))
    if any(arm.longest_gap is not None for arm in arms):
        rows.append(("Longest gap", "between two chunks of an answer", _gap))
    return tuple(FigureRow(name, hint, tuple(map(cell, arms))) for name, hint, cell in rows)


def unfinished(load: LoadResult) -> tuple[str, ...]:
    """A sentence for each arm with failures, on what they do to its curve of TTFT."""
    return tuple(
        f"{formats.share(arm.failed / arm.requests)} of the {arm.arm}'s requests failed: "
        f"{'its curve ends below 100%' if has_curve(load, arm.arm) else 'it has no curve'}."
        for arm in arms_in_order(load)
        if arm.failed and arm.requests
    )


def has_curve(load: LoadResult, arm: Arm) -> bool:
    """Whether two or more values of the arm's distribution of TTFT are finite."""
    return sum(value is not None for value in load.ecdf.get(arm, ())) > 1


def _plain(value: int) -> Span:
    return Span(formats.count(value), formats.NONE)


def _number(value: float | None) -> Span:
    return Span(formats.number(value), formats.NONE)


def _gap(arm: ArmFigures) -> Span:
    endless = arm.longest_gap is None and arm.failed
    return Span(formats.INFINITY if endless else formats.duration(arm.longest_gap), formats.NONE)


def _failed(arm: ArmFigures) -> Span:
    causes = sorted(arm.failures.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{one_line(cause, 60)} {formats.count(count)}" for cause, count in causes)
    return Span(formats.count(arm.failed), listed or formats.NONE)


def arms_in_order(load: LoadResult) -> list[ArmFigures]:
    """The figures of the arms, the candidate's first."""
    return sorted(load.arms, key=lambda arm: ARMS.index(arm.arm))
