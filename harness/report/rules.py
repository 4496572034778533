"""The rules of a verdict, worded for people."""

from __future__ import annotations

from functools import partial

from harness.records.verdict import Outcome, RuleResult
from harness.report import numbers
from harness.report.model import PlotKind, PlotRow, RuleView
from harness.report.text import one_line, visible

SYMBOLS: dict[Outcome, str] = {"pass": "✓", "fail": "✕", "inconclusive": "?", "invalid": "!"}

_TIMES = ("ttft", "service", "itl", "tpot", "e2e")


def unit_of(metric: str | None) -> PlotKind:
    """The unit of a metric's own values, told by its name: times in seconds, else shares."""
    if metric is None or not metric.startswith("latency."):
        return "share"
    return "time" if metric.split(".")[-1].startswith(_TIMES) else "number"


def scale_of(rule: RuleResult) -> PlotKind:
    """The scale of a rule's estimate, interval and limit."""
    if rule.require == "ratio_at_most":
        return "ratio"
    unit = unit_of(rule.metric)
    if rule.require in ("better_than_baseline", "no_worse_than_baseline") and unit == "share":
        return "difference"
    return unit


def formats(kind: PlotKind, decimals: int | None = None) -> numbers.Format:
    """The function that writes a value of that kind, with more decimals where asked."""
    if kind == "number":
        return numbers.number
    form = {
        "difference": numbers.points,
        "share": numbers.share,
        "time": numbers.milliseconds,
        "ratio": numbers.ratio,
    }[kind]
    return form if decimals is None else partial(form, decimals=decimals)


def _format_for(rule: RuleResult) -> numbers.Format:
    """A format fine enough that what differs from the limit does not print as the limit."""
    kind = scale_of(rule)
    form = formats(kind)
    if rule.limit is None:
        return form
    near = [v for v in (rule.estimate, rule.ci_low, rule.ci_high) if v not in (None, rule.limit)]
    for decimals in (None, 2, 3, 4):
        form = formats(kind, decimals)
        if all(form(value) != form(rule.limit) for value in near):
            break
    return form


def requirement(rule: RuleResult) -> str:
    """What the rule asks for, in words."""
    form = formats(scale_of(rule))
    limit = rule.limit
    amount = "" if limit is None else form(abs(limit)).lstrip("+")
    match rule.require:
        case "better_than_baseline":
            return (
                f"more than {amount} better than the baseline"
                if limit
                else ("better than the baseline")
            )
        case "no_worse_than_baseline":
            if limit is None:
                return "no worse than the baseline"
            return (
                f"at most {amount} worse than the baseline"
                if limit
                else ("at least as good as the baseline")
            )
        case "at_least" | "at_most":
            return f"{rule.require.replace('_', ' ')} {amount or 'a set value'}"
        case "ratio_at_most":
            return f"at most {amount} the baseline" if limit else "a limited ratio to the baseline"
        case "no_new_critical_failures":
            return "no new failure among critical cases"
    return one_line(rule.require.replace("_", " "))


def build_rule(rule: RuleResult) -> RuleView:
    """One row of the rules table."""
    own, form = formats(unit_of(rule.metric)), _format_for(rule)
    name = visible(rule.metric or rule.require.replace("_", " "))
    wanted = requirement(rule)
    span = numbers.interval(rule.ci_low, rule.ci_high, form)
    return RuleView(
        name=name,
        metric=visible(rule.metric or ""),
        requirement=wanted,
        outcome=rule.outcome,
        symbol=SYMBOLS[rule.outcome],
        candidate=own(rule.candidate),
        baseline=own(rule.baseline),
        estimate=form(rule.estimate),
        interval=span,
        limit=form(rule.limit),
        p_value=numbers.p_value(rule.p_value),
        n=numbers.count(rule.n),
        groups=numbers.count(rule.groups),
        reason=one_line(rule.reason, 600),
        warning=_warning(rule),
        noise=_noise(rule),
        plot=_plot(rule, name, wanted, form),
    )


def _warning(rule: RuleResult) -> str:
    """What is to be known of a margin that is finer than the suite can tell; else nothing."""
    if rule.warning is None:
        return ""
    form = formats(scale_of(rule))
    more = "no number of groups would be enough"
    if rule.groups_needed is not None:
        more = f"about {numbers.count(rule.groups_needed)} would be needed"
    return (
        f"{numbers.count(rule.groups)} groups can tell a drop of "
        f"{form(rule.detectable).lstrip('+')}, not one of the margin's size; {more}"
    )


def _noise(rule: RuleResult) -> str:
    """How far the baseline is from itself in the rule's metric, where it was measured."""
    if rule.noise is None:
        return ""
    unit = unit_of(rule.metric)
    form = numbers.points if unit == "share" else formats(unit)
    return f"noise of two askings: {form(rule.noise).lstrip('+')}"


def headline(rule: RuleView) -> str:
    """Why this rule decided, in one sentence; the numbers stand beside it."""
    if rule.plot is not None and rule.outcome == "fail":
        return f"{rule.name} is not {rule.requirement}."
    if rule.plot is not None and rule.outcome == "inconclusive":
        return f"It is open whether {rule.name} is {rule.requirement}."
    return rule.reason


def _plot(rule: RuleResult, name: str, wanted: str, form: numbers.Format) -> PlotRow | None:
    if rule.estimate is None:
        return None
    kind = scale_of(rule)
    factor = {"difference": 100.0, "share": 100.0, "time": 1000.0, "number": 1.0, "ratio": 1.0}[
        kind
    ]

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * factor

    span = numbers.interval(rule.ci_low, rule.ci_high, form)
    return PlotRow(
        kind=kind,
        label=one_line(name, 46),
        requirement=wanted,
        numbers=form(rule.estimate) if span == numbers.NONE else f"{form(rule.estimate)} ({span})",
        outcome=rule.outcome,
        estimate=rule.estimate * factor,
        low=scaled(rule.ci_low),
        high=scaled(rule.ci_high),
        limit=scaled(rule.limit),
        good_above=rule.require not in ("at_most", "ratio_at_most"),
    )
