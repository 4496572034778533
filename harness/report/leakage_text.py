"""What training data holds of the suites, worded for people."""

from __future__ import annotations

from collections.abc import Iterator

from harness.records.leakage import LeakedCase, MetricWithout, TrainingData
from harness.records.verdict import RuleResult, Verdict
from harness.report.formats import counted, interval, unit_named
from harness.report.rules import unit_of
from harness.visible_text import one_line

SHOWN = 20
NOTHING_KNOWN = (
    "The training data of neither side is known, so nobody can tell whether one of them has learnt "
    "the suites' prompts. `data:` at a target names it."
)


def leakage_lines(verdict: Verdict) -> Iterator[str]:
    """Sentences on the training data of each side and on what was found; code in backquotes."""
    found = verdict.leakage
    if found is None:
        yield NOTHING_KNOWN
        return
    for data in found.training:
        yield _of_side(data)
        for problem in data.problems:
            yield f"`{one_line(data.target, 80)}`: {one_line(problem, 300)}."
    cases = counted(found.compared, "case")
    if not found.leaked:
        yield f"No prompt of {cases} stands there."
    else:
        yield (
            f"{counted(len(found.paths), 'case')} of {cases} leaked: the prompt stands there. "
            f"Without them and the others of their {counted(found.groups, 'group')}, "
            f"{counted(found.left_out, 'case')} in all, the metrics are given a second time, and a "
            "rule has no better outcome than there."
        )
    if found.not_compared:
        names = ", ".join(f"`{one_line(name, 80)}`" for name in found.not_compared)
        yield f"Not compared, because their prompts are not known before they are run: {names}."
    yield (
        f"Of {counted(found.answers, 'case')} an accepted answer stands there. That is no leak: a "
        "domain's facts must be learnt."
    )


def _of_side(data: TrainingData) -> str:
    name = f"`{one_line(data.target, 80)}`"
    if not data.known:
        return f"{name}: training data not known, so nobody can tell what it has learnt of them."
    files = ", ".join(f"`{one_line(file, 120)}`" for file in data.files)
    return f"{name}: {counted(data.conversations, 'training example')} compared, from {files}."


def leaked_cases(verdict: Verdict) -> tuple[LeakedCase, ...]:
    """The first leaked cases."""
    return () if verdict.leakage is None else verdict.leakage.leaked[:SHOWN]


def metrics_without(verdict: Verdict) -> tuple[MetricWithout, ...]:
    """The metrics that are others without the leaked groups."""
    return () if verdict.leakage is None else verdict.leakage.metrics


def value_without(metric: MetricWithout, value: float | None) -> str:
    """A value of the metric."""
    return unit_named(unit_of(metric.metric, metric.definition)).value(value)


def gain_without(metric: MetricWithout) -> str:
    """The candidate's gain without the leaked groups, with its interval where there is one."""
    form = unit_named(unit_of(metric.metric, metric.definition)).difference
    if metric.gain_without is None:
        return form(None)
    if metric.ci_low is None or metric.ci_high is None:
        return form(metric.gain_without)
    return f"{form(metric.gain_without)} ({interval(metric.ci_low, metric.ci_high, form)})"


def without_of(rule: RuleResult) -> str:
    """What the rule's outcome is without the leaked groups; empty where it has no other numbers."""
    found = rule.without_leaked
    if found is None:
        return ""
    groups = "no group" if not found.groups and found.n is None else counted(found.n or 0, "case")
    return f"without leaked groups: {found.outcome} on {groups}"
