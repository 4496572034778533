"""The results of rules, worded for people: each function formats what a result holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from harness.records.latency import is_latency
from harness.records.metric import SHARE, Metric
from harness.records.rule import kind_of
from harness.records.verdict import EvidenceWarning, Outcome, RuleResult, SliceResult
from harness.report import formats
from harness.report.formats import Format, Scale, fine_format, format_of, unit_named
from harness.visible_text import one_line, visible

WORST_FIRST: tuple[Outcome, ...] = ("invalid", "fail", "inconclusive", "pass")
SYMBOLS: dict[Outcome, str] = {"pass": "✓", "fail": "✕", "inconclusive": "?", "invalid": "!"}

NO_NOISE = "Two askings of the baseline did not differ in any of these metrics."
NOISE = (
    "Noise: how much two askings of the baseline differ (root mean square), measured by "
    "`harness gate --aa`."
)


def unit_of(metric: str | None, definition: Metric | None = None) -> str:
    """The unit of a metric's own values: of latency's times seconds, else as it is defined."""
    return "seconds" if is_latency(metric) else (definition or SHARE).unit


def _unit(rule: RuleResult) -> str:
    return unit_of(rule.metric, rule.definition)


def scale_of(rule: RuleResult) -> Scale:
    """The scale of a rule's estimate, interval and limit."""
    return kind_of(rule).scale


def good_above(rule: RuleResult) -> bool:
    """Whether the rule passes above its limit, not below it."""
    return kind_of(rule).good_above(rule)


def completed(rule: RuleResult) -> RuleResult:
    """The rule with infinity for what latency's records leave out as beyond every bound.

    A rule whose evidence counts has all its numbers; one that is invalid may have none.
    """
    if not rule.n or rule.outcome == "invalid":
        return rule
    names = kind_of(rule).infinite_where_absent
    missing = [name for name in names if getattr(rule, name) is None]
    return rule.model_copy(update=dict.fromkeys(missing, inf)) if missing else rule


def cannot_fail(rule: RuleResult, warnings: Sequence[EvidenceWarning]) -> bool:
    """Whether the rule passes, and a warning says that no candidate could fail it."""
    kind, place = kind_of(rule), rule.metric or rule.require
    # Nothing can be lost against a baseline at its floor; gaining something can still fail.
    by_loss = kind.false_alarm == "fail" and kind.scale == "difference"
    codes = ("cannot-fail", "floor") if by_loss else ("cannot-fail",)
    return rule.outcome == "pass" and any(
        found.code in codes and found.place == place for found in warnings
    )


def rule_name(rule: RuleResult) -> str:
    """The rule's metric, or what it requires where it is on none."""
    return visible(rule.metric or rule.require.replace("_", " "))


def requirement(rule: RuleResult) -> str:
    """The requirement of the rule, in words."""
    form = format_of(scale_of(rule), _unit(rule))
    limit = rule.limit
    amount = "" if limit is None else form(abs(limit)).lstrip("+")
    return one_line(kind_of(rule).requirement(rule, amount))


def _form(rule: RuleResult) -> Format:
    values = (rule.estimate, rule.ci_low, rule.ci_high)
    return fine_format(scale_of(rule), _unit(rule), rule.limit, values)


def own_value(rule: RuleResult | SliceResult, value: float | None) -> str:
    """A value of the rule's metric on one side."""
    return unit_named(unit_of(rule.metric, rule.definition)).value(value)


def estimate_of(rule: RuleResult) -> str:
    """The rule's estimate."""
    return _form(rule)(rule.estimate)


def interval_of(rule: RuleResult) -> str:
    """The ends of the rule's interval."""
    return formats.interval(rule.ci_low, rule.ci_high, _form(rule))


def limit_of(rule: RuleResult) -> str:
    """The rule's limit."""
    return _form(rule)(rule.limit)


def numbers_of(rule: RuleResult) -> str:
    """The estimate with its interval in brackets, where it has one."""
    span = interval_of(rule)
    bare = span in (formats.NONE, formats.INFINITY)
    return estimate_of(rule) if bare else f"{estimate_of(rule)} ({span})"


def shortfall(rule: RuleResult) -> str:
    """One sentence where a margin is finer than the suite can tell; else nothing."""
    return kind_of(rule).shortfall(rule, format_of(scale_of(rule), _unit(rule)))


def noise_of(rule: RuleResult) -> str:
    """The noise of the rule's metric, from the A/A test; empty where it is not known."""
    if rule.noise is None:
        return ""
    form = unit_named(_unit(rule)).difference
    return f"noise of two askings: {form(rule.noise).lstrip('+')}"


def noise_note(rules: Iterable[RuleResult]) -> str:
    """An explanation of noise in one line; empty where it was not measured."""
    measured = [rule.noise for rule in rules if rule.noise is not None]
    if any(measured):
        return NOISE
    return NO_NOISE if measured else ""


def cut_words(count: int, cap: float, unit: str) -> str:
    """How many values were cut at a cap, in words."""
    many = formats.counted(count, "value") if count else "no value"
    return (
        f"{many} {'was' if count < 2 else 'were'} cut at the cap of {unit_named(unit).value(cap)}"
    )


def cut_of(rule: RuleResult) -> str:
    """How many values of the rule's metric were cut; empty for a metric with bounds."""
    if rule.cap is None or rule.cut is None:
        return ""
    return cut_words(rule.cut, rule.cap, _unit(rule))


def headline(rule: RuleResult) -> str:
    """Why this rule decided, in one sentence; the numbers stand beside it."""
    if rule.without_leaked is not None:
        return one_line(rule.reason, 600)
    if rule.estimate is not None and rule.outcome == "fail":
        return f"{rule_name(rule)} must be {requirement(rule)}; it is not."
    if rule.estimate is not None and rule.outcome == "inconclusive":
        return f"It is unclear whether {rule_name(rule)} is {requirement(rule)}."
    return one_line(rule.reason, 600)
