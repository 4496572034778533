"""Power: the smallest difference that each rule of a policy can detect with the present cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from harness.records.attempt import Attempt, Score
from harness.records.comparison import Comparison
from harness.records.plan import PlannedRequest
from harness.records.rule import Planned, Policy
from harness.records.suite import Suite
from harness.records.verdict import RulePower, Verdict
from harness.run.score import Scoring


def power(comparison: Comparison, policy: Policy) -> tuple[RulePower, ...]:
    """The power of each rule, with the groups and the spread of the comparison."""
    return tuple(rule.power(comparison, policy.alpha) for rule in policy.rules)


def planned_power(
    suites: Sequence[Suite], policy: Policy, discordance: float
) -> tuple[RulePower, ...]:
    """The power of each rule before any request is sent.

    Assumptions: the outcome changes in that share of the groups, all cases of a group together; a
    metric is a share of the cases that say something about it; and where a rule looks at the
    candidate alone, its value is near the limit.

    Raises:
        ValueError: a discordance outside [0, 1].
    """
    sizes = _group_sizes(suites)
    known = {name: metric for suite in suites for name, metric in suite.definitions()}
    planned = {name: Planned(known[name], found, discordance) for name, found in sizes.items()}
    return tuple(
        rule.planned_power(planned.get(rule.metric_name or ""), policy.alpha)
        for rule in policy.rules
    )


def with_power(verdict: Verdict, comparison: Comparison, policy: Policy) -> Verdict:
    """The verdict with the power of each of its rules."""
    known = power(comparison, policy)
    updated = [
        rule.model_copy(update={"detectable": each.detectable, "groups_needed": each.groups_needed})
        for rule, each in zip(verdict.rules, known, strict=False)  # a verdict may have one more
    ]
    return verdict.model_copy(update={"rules": (*updated, *verdict.rules[len(updated) :])})


def _group_sizes(suites: Sequence[Suite]) -> dict[str, Counter[str]]:
    """How many cases of each group say something about a metric, by the metric's full name.

    Whether a case does must not depend on the answer, so any answer shows it. Where no case does,
    as with a scorer that makes nothing of such an answer, all of the section are counted.
    """
    named = [
        (f"{suite.name}.{section.name}.{metric.name}", section)
        for suite in suites
        for section in suite.sections
        if section.cases
        for metric in section.metrics
    ]
    found = {name: Counter[str]() for name, _ in named}
    for each in _scores_of_any_answer(suites):
        for metric, term in each.terms.items():
            if term.den > 0.0:  # in F1 a case that is answered as it should be says nothing
                found[f"{each.suite}.{each.section}.{metric}"][each.group] += 1
    for name, section in named:
        found[name] = found[name] or Counter(case.group for case in section.cases)
    return found


def _scores_of_any_answer(suites: Sequence[Suite]) -> Iterator[Score]:
    scoring = Scoring(suites)
    for suite in suites:
        for section in suite.asked:
            for case in section.cases:
                key = f"{suite.name}/{section.name}/{case.id}"
                ask = PlannedRequest(key, suite.name, section.name, case, 0, case.messages, 0)
                attempt = Attempt(
                    key=key,
                    suite=suite.name,
                    section=section.name,
                    case=case.id,
                    repeat=0,
                    status="answered",
                    text="Here is what you asked for.",
                    finish_reason="stop",
                )
                yield scoring.score(ask, attempt)
