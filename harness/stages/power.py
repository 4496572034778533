"""Power: what each rule of a policy can tell with the cases there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from harness.records.attempt import Attempt
from harness.records.comparison import Comparison, PairedMetric
from harness.records.plan import Ask
from harness.records.policy import (
    AtLeast,
    AtMost,
    BetterThanBaseline,
    MetricRule,
    NoNewCriticalFailures,
    NoWorseThanBaseline,
    Policy,
    RatioAtMost,
)
from harness.records.power import RulePower
from harness.records.suite import Suite
from harness.records.verdict import Verdict
from harness.stages.score import score
from harness.stats import Spread


def power(comparison: Comparison, policy: Policy) -> tuple[RulePower, ...]:
    """What each rule on a metric can tell, with the groups and the spread of the comparison.

    Rules without evidence, and those by point estimate, which have no bound, are left out.
    """
    return tuple(_by_place(comparison, policy).values())


def _by_place(comparison: Comparison, policy: Policy) -> dict[int, RulePower]:
    """What each rule can tell, by its place in the policy."""
    found = {}
    for place, rule in enumerate(policy.rules):
        if isinstance(rule, NoNewCriticalFailures) or rule.metric not in comparison.metrics:
            continue
        try:
            known = _known(rule, comparison.metrics[rule.metric], policy.alpha)
        except ValueError:  # the gate says what is wrong with it
            continue
        if known is not None:
            found[place] = known
    return found


def planned_power(
    suites: Sequence[Suite], policy: Policy, discordance: float
) -> tuple[RulePower, ...]:
    """What each rule on a metric can tell before anything is asked.

    Taken for granted is that the outcome changes in that share of the groups, all cases of a group
    together; that a metric is a share of the cases that say something about it; and that where a
    rule looks at the candidate alone, its value is near the limit. Rules on a ratio are left out.

    Raises:
        ValueError: a discordance outside [0, 1].
    """
    sizes = _group_sizes(suites)
    found = []
    for rule in policy.rules:
        if isinstance(rule, NoNewCriticalFailures | RatioAtMost) or rule.metric not in sizes:
            continue
        groups = np.array(list(sizes[rule.metric].values()), dtype=np.float64)
        spread = _planned(rule, groups, discordance) if groups.size > 1 else None
        if spread is not None:
            margin = rule.margin if isinstance(rule, NoWorseThanBaseline) else None
            found.append(_power(rule, spread, int(groups.sum()), margin, policy.alpha))
    return tuple(found)


def _planned(
    rule: MetricRule, groups: npt.NDArray[np.float64], discordance: float
) -> Spread | None:
    if isinstance(rule, NoWorseThanBaseline | BetterThanBaseline | RatioAtMost):
        return Spread.planned(groups, discordance)
    if rule.evidence == "point" or not 0.0 <= rule.value <= 1.0:
        return None
    return Spread.planned_value(groups, rule.value if isinstance(rule, AtLeast) else 1 - rule.value)


def with_power(verdict: Verdict, comparison: Comparison, policy: Policy) -> Verdict:
    """The verdict with what each of its rules can tell."""
    known = _by_place(comparison, policy)
    rules = [
        rule
        if place not in known
        else rule.model_copy(
            update={
                "detectable": known[place].detectable,
                "groups_needed": known[place].groups_needed,
            }
        )
        for place, rule in enumerate(verdict.rules)  # the policy's, in their order
    ]
    return verdict.model_copy(update={"rules": tuple(rules)})


def _known(rule: MetricRule, metric: PairedMetric, alpha: float) -> RulePower | None:
    arms = (metric.candidate_num, metric.candidate_den, metric.baseline_num, metric.baseline_den)
    cases = metric.groups.size
    if isinstance(rule, NoWorseThanBaseline | BetterThanBaseline):
        spread = Spread.of_no_change(*arms, metric.groups)
        if isinstance(rule, NoWorseThanBaseline):
            return _power(rule, spread, cases, rule.margin, alpha)
        gain = (metric.candidate_value or 0.0) - (metric.baseline_value or 0.0)
        return _power(rule, spread, cases, gain - rule.by, alpha)
    if isinstance(rule, RatioAtMost):
        return _ratio(rule, metric, alpha)
    if rule.evidence == "point":
        return None
    value = metric.candidate_value or 0.0
    num, room = arms[0], value - rule.value
    if isinstance(rule, AtMost):
        num, room = arms[1] - arms[0], rule.value - value
    return _power(rule, Spread.of_value(num, arms[1], metric.groups), cases, room, alpha)


def _ratio(rule: RatioAtMost, metric: PairedMetric, alpha: float) -> RulePower:
    """The power of a ratio rule: baseline over candidate has a lower bound, turned over."""
    spread = Spread.of_ratio(metric.candidate_num, metric.baseline_num, metric.groups)
    scale = rule.value / spread.centre
    margin = rule.value - 1.0 / spread.centre
    found = _power(rule, spread, metric.groups.size, margin / scale, alpha)
    return found.model_copy(
        update={"margin": margin if margin > 0 else None, "detectable": scale * found.detectable}
    )


def _power(
    rule: MetricRule, spread: Spread, cases: int, margin: float | None, alpha: float
) -> RulePower:
    detectable = spread.detectable(alpha)
    short = margin is not None and 0.0 < margin < detectable
    own = isinstance(rule, NoWorseThanBaseline)
    return RulePower(
        metric=rule.metric,
        require=rule.require,
        cases=cases,
        groups=spread.groups,
        margin=margin if margin is not None and (own or margin > 0.0) else None,
        detectable=detectable,
        groups_needed=spread.groups_needed(margin, alpha) if short and margin else None,
    )


def _group_sizes(suites: Sequence[Suite]) -> dict[str, Counter[str]]:
    """How many cases of each group say something about a metric, by the metric's full name.

    Whether a case does must not depend on the answer, so any answer shows it. Where no case does,
    as with a scorer that makes nothing of such an answer, all of the section are counted.
    """
    asks = list(_asks(suites))
    found = {
        f"{suite.name}.{section.name}.{metric}": Counter[str]()
        for suite in suites
        for section in suite.sections
        for metric in section.metrics
    }
    for each in score(suites, asks, {ask.key: _any_answer(ask) for ask in asks}):
        for metric in each.terms:
            found[f"{each.suite}.{each.section}.{metric}"][each.group] += 1
    for suite in suites:
        for section in suite.sections:
            everything = Counter(case.group for case in section.cases)
            for metric in section.metrics:
                name = f"{suite.name}.{section.name}.{metric}"
                found[name] = found[name] or everything
    return found


def _asks(suites: Sequence[Suite]) -> Iterator[Ask]:
    for suite in suites:
        for section, case in suite.cases():
            key = f"{suite.name}/{section.name}/{case.id}"
            yield Ask(key, suite.name, section.name, case, 0, case.messages, 0)


def _any_answer(ask: Ask) -> Attempt:
    return Attempt(
        key=ask.key,
        suite=ask.suite,
        section=ask.section,
        case=ask.case.id,
        repeat=0,
        status="answered",
        text="-",
        finish_reason="stop",
    )
