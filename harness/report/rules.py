"""The rules of a verdict, worded for people."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from math import inf

from harness.records.latency import is_latency
from harness.records.rule import kind_of
from harness.records.verdict import Outcome, RuleResult
from harness.report import numbers
from harness.report.model import PlotKind, PlotRow, RuleView
from harness.report.text import one_line, visible

SYMBOLS: dict[Outcome, str] = {"pass": "✓", "fail": "✕", "inconclusive": "?", "invalid": "!"}

NO_NOISE = "Two askings of the baseline did not differ in any of these metrics."
NOISE = (
    "Noise: how far two askings of the baseline are apart (root mean square), measured by "
    "`harness gate --aa`."
)


def unit_of(metric: str | None) -> PlotKind:
    """The unit of a metric's own values: of latency's times in seconds, else shares."""
    return "time" if is_latency(metric) else "share"


def scale_of(rule: RuleResult) -> PlotKind:
    """The scale of a rule's estimate, interval and limit."""
    scale = kind_of(rule).scale
    return unit_of(rule.metric) if scale == "value" else scale


def formats(kind: PlotKind, decimals: int | None = None) -> numbers.Format:
    """The function that writes a value of that kind, with more decimals where asked."""
    form = {
        "difference": numbers.points,
        "share": numbers.share,
        "time": numbers.milliseconds,
        "ratio": numbers.ratio,
    }[kind]
    return form if decimals is None else partial(form, decimals=decimals)


def fine_format(
    kind: PlotKind, limit: float | None, values: Iterable[float | None]
) -> numbers.Format:
    """A format fine enough that what differs from the limit does not print as the limit."""
    form = formats(kind)
    if limit is None:
        return form
    near = [value for value in values if value not in (None, limit)]
    for decimals in (None, 2, 3, 4):
        form = formats(kind, decimals)
        if all(form(value) != form(limit) for value in near):
            break
    return form


def requirement(rule: RuleResult) -> str:
    """What the rule asks for, in words."""
    form = formats(scale_of(rule))
    limit = rule.limit
    amount = "" if limit is None else form(abs(limit)).lstrip("+")
    return one_line(kind_of(rule).requirement(rule, amount))


def build_rule(rule: RuleResult) -> RuleView:
    """One row of the rules table."""
    rule = _with_infinities(rule)
    own = formats(unit_of(rule.metric))
    form = fine_format(scale_of(rule), rule.limit, (rule.estimate, rule.ci_low, rule.ci_high))
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
        warning=shortfall(rule),
        noise=_noise(rule),
        plot=_plot(rule, name, wanted, form),
    )


def _with_infinities(rule: RuleResult) -> RuleResult:
    """The rule with infinity for what latency's records leave out as beyond every bound.

    A rule whose evidence counts has all its numbers; one that is invalid may have none.
    """
    if not rule.n or rule.outcome == "invalid":
        return rule
    names = kind_of(rule).infinite_where_absent
    missing = [name for name in names if getattr(rule, name) is None]
    return rule.model_copy(update=dict.fromkeys(missing, inf))


def shortfall(rule: RuleResult) -> str:
    """One sentence where a margin is finer than the suite can tell; else nothing."""
    return kind_of(rule).shortfall(rule, formats(scale_of(rule)))


def _noise(rule: RuleResult) -> str:
    """How far the baseline is from itself in the rule's metric, where it was measured."""
    if rule.noise is None:
        return ""
    unit = unit_of(rule.metric)
    form = numbers.points if unit == "share" else formats(unit)
    return f"noise of two askings: {form(rule.noise).lstrip('+')}"


def noise_note(rules: Iterable[RuleResult]) -> str:
    """What noise is, in one line; where there is none, that; empty where it was not measured."""
    measured = [rule.noise for rule in rules if rule.noise is not None]
    if any(measured):
        return NOISE
    return NO_NOISE if measured else ""


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
    factor = {"difference": 100.0, "share": 100.0, "time": 1000.0, "ratio": 1.0}[kind]

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * factor

    span = numbers.interval(rule.ci_low, rule.ci_high, form)
    return PlotRow(
        kind=kind,
        label=one_line(name, 46),
        requirement=wanted,
        numbers=form(rule.estimate)
        if span in (numbers.NONE, numbers.INFINITY)
        else f"{form(rule.estimate)} ({span})",
        outcome=rule.outcome,
        estimate=rule.estimate * factor,
        low=scaled(rule.ci_low),
        high=scaled(rule.ci_high),
        limit=scaled(rule.limit),
        good_above=kind_of(rule).good_above(rule),
    )
