"""Power: what each rule of a policy can tell with the cases there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from harness.records.asks import Ask
from harness.records.attempt import Attempt
from harness.records.comparison import Comparison, PairedMetric
from harness.records.policy import (
    AtLeast,
    AtMost,
    BetterThanBaseline,
    MetricRule,
    NoNewCriticalFailures,
    NoWorseThanBaseline,
    Policy,
    RatioAtMost,
    Rule,
)
from harness.records.power import RulePower
from harness.records.suite import Suite
from harness.records.verdict import Verdict
from harness.run.score import Scoring
from harness.stats import Spread

Floats = npt.NDArray[np.float64]


def power(comparison: Comparison, policy: Policy) -> tuple[RulePower, ...]:
    """What each rule of the policy can tell, with the groups and the spread of the comparison."""
    return tuple(_seen(rule, comparison, policy.alpha) for rule in policy.rules)


def planned_power(
    suites: Sequence[Suite], policy: Policy, discordance: float
) -> tuple[RulePower, ...]:
    """What each rule of the policy can tell before anything is asked.

    Taken for granted is that the outcome changes in that share of the groups, all cases of a group
    together; that a metric is a share of the cases that say something about it; and that where a
    rule looks at the candidate alone, its value is near the limit.

    Raises:
        ValueError: a discordance outside [0, 1].
    """
    sizes = _group_sizes(suites)
    return tuple(_planned(rule, sizes, discordance, policy.alpha) for rule in policy.rules)


def with_power(verdict: Verdict, comparison: Comparison, policy: Policy) -> Verdict:
    """The verdict with what each of its rules can tell."""
    known = power(comparison, policy)
    told = [
        rule.model_copy(update={"detectable": each.detectable, "groups_needed": each.groups_needed})
        for rule, each in zip(verdict.rules, known, strict=False)  # a verdict may have one more
    ]
    return verdict.model_copy(update={"rules": (*told, *verdict.rules[len(told) :])})


def _silent(rule: Rule) -> str:
    """Why a rule has no distance that it could tell; empty where it has one."""
    if isinstance(rule, NoNewCriticalFailures):
        return "one case decides, not a distance"
    if isinstance(rule, AtLeast | AtMost) and rule.evidence == "point":
        return "judged by its estimate alone, which any number of groups gives"
    return ""


def _seen(rule: Rule, comparison: Comparison, alpha: float) -> RulePower:
    if isinstance(rule, NoNewCriticalFailures) or _silent(rule):
        metric = None if isinstance(rule, NoNewCriticalFailures) else rule.metric
        return RulePower(metric=metric, require=rule.require, reason=_silent(rule))
    known = comparison.metrics.get(rule.metric)
    if known is None:
        reason = "no case on both sides has a value of it"
        return RulePower(metric=rule.metric, require=rule.require, reason=reason)
    try:
        found = _known(rule, known, alpha)
    except ValueError as error:
        return RulePower(metric=rule.metric, require=rule.require, reason=str(error))
    if not known.missing.size or found.detectable is None:
        return found
    # What has no score counts as lost, whatever the number of groups.
    lost = known.missing.size / (known.missing.size + known.groups.size)
    reason = f"{known.missing.size} of its cases have no score and count as lost"
    if found.reason:
        reason = f"{found.reason}; {reason}"
    return found.model_copy(update={"detectable": found.detectable + lost, "reason": reason})


def _known(rule: MetricRule, metric: PairedMetric, alpha: float) -> RulePower:
    arms = (metric.candidate_num, metric.candidate_den, metric.baseline_num, metric.baseline_den)
    told = (metric.candidate_den + metric.baseline_den) > 0.0
    sizes = np.unique(metric.groups[told], return_counts=True)[1].astype(np.float64)
    if isinstance(rule, NoWorseThanBaseline | BetterThanBaseline):
        spread = Spread.of_no_change(*arms, metric.groups)
        if isinstance(rule, NoWorseThanBaseline):
            return _power(rule, spread, sizes, rule.margin, alpha)
        gain = (metric.candidate_value or 0.0) - (metric.baseline_value or 0.0)
        return _power(rule, spread, sizes, gain - rule.by, alpha)
    if isinstance(rule, RatioAtMost):
        return _ratio(rule, metric, sizes, alpha)
    value = metric.candidate_value or 0.0
    num, room = arms[0], value - rule.value
    if isinstance(rule, AtMost):
        num, room = arms[1] - arms[0], rule.value - value
    return _power(rule, Spread.of_value(num, arms[1], metric.groups), sizes, room, alpha)


def _ratio(rule: RatioAtMost, metric: PairedMetric, sizes: Floats, alpha: float) -> RulePower:
    """The power of a ratio rule: baseline over candidate has a lower bound, turned over.

    Raises:
        ValueError: a mean is 0, or the metric is no mean.
    """
    if not metric.is_mean:
        raise ValueError("a ratio of a metric that is not a mean over cases is not defined here")
    spread = Spread.of_ratio(metric.candidate_num, metric.baseline_num, metric.groups)
    scale = rule.value / spread.centre
    room = rule.value - 1.0 / spread.centre
    found = _power(rule, spread, sizes, room / scale, alpha)
    detectable = scale * (found.detectable or 0.0)
    return found.model_copy(update={"room": room if room > 0.0 else None, "detectable": detectable})


def _planned(
    rule: Rule, sizes: Mapping[str, Counter[str]], discordance: float, alpha: float
) -> RulePower:
    metric = None if isinstance(rule, NoNewCriticalFailures) else rule.metric
    reason = _silent(rule)
    if isinstance(rule, RatioAtMost):
        reason = "a ratio's spread shows only in answers: name a candidate"
    elif metric is not None and metric not in sizes:
        reason = "no cases of the suites here measure it"
    elif metric is not None and len(sizes[metric]) < 2:
        reason = "all cases are in one group, so a gate is INVALID"
        return RulePower(metric=metric, require=rule.require, reason=reason, possible=False)
    if reason or isinstance(rule, NoNewCriticalFailures | RatioAtMost):
        return RulePower(metric=metric, require=rule.require, reason=reason)
    groups = np.array(list(sizes[rule.metric].values()), dtype=np.float64)
    if isinstance(rule, NoWorseThanBaseline | BetterThanBaseline):
        spread = Spread.planned(groups, discordance)
    else:
        right = rule.value if isinstance(rule, AtLeast) else 1.0 - rule.value
        spread = Spread.planned_value(groups, right)
    room = rule.margin if isinstance(rule, NoWorseThanBaseline) else None
    return _power(rule, spread, groups, room, alpha)


def _power(
    rule: MetricRule, spread: Spread, sizes: Floats, room: float | None, alpha: float
) -> RulePower:
    """What the rule can tell; `room` of 0 or less is none, except for a margin of its own."""
    own = isinstance(rule, NoWorseThanBaseline)
    known = room if room is not None and (own or room > 0.0) else None
    detectable = spread.detectable(alpha)
    needed, reason = _out_of_reach(rule, sizes, alpha)
    if not reason and known is not None and 0.0 < known < detectable:
        needed = spread.groups_needed(known, alpha)
    return RulePower(
        metric=rule.metric,
        require=rule.require,
        cases=int(sizes.sum()),
        groups=spread.groups,
        room=known,
        detectable=detectable,
        groups_needed=needed,
        reason=reason,
        possible=not reason,
    )


def _out_of_reach(rule: MetricRule, sizes: Floats, alpha: float) -> tuple[int | None, str]:
    """The groups needed, and a sentence, where even a perfect candidate could not pass."""
    if isinstance(rule, NoWorseThanBaseline | RatioAtMost):
        return None, ""
    most = rule.value if isinstance(rule, AtMost) else 1.0
    if not isinstance(rule, AtMost):
        most -= rule.value if isinstance(rule, AtLeast) else rule.by
    perfect = Spread.planned(sizes, 0.0)
    if most >= perfect.detectable(alpha):
        return None, ""
    needed = perfect.groups_needed(most, alpha) if most > 0.0 else None
    more = "no number of groups is enough" if needed is None else f"{needed} groups are needed"
    return needed, f"even a perfect candidate cannot pass with {sizes.size} groups; {more}"


def _group_sizes(suites: Sequence[Suite]) -> dict[str, Counter[str]]:
    """How many cases of each group say something about a metric, by the metric's full name.

    Whether a case does must not depend on the answer, so any answer shows it. Where no case does,
    as with a scorer that makes nothing of such an answer, all of the section are counted.
    """
    found = {
        f"{suite.name}.{section.name}.{metric.name}": Counter[str]()
        for suite in suites
        for section in suite.sections
        if section.cases
        for metric in section.metrics
    }
    scoring = Scoring(suites)
    for each in (scoring.score(ask, _any_answer(ask)) for ask in _asks(suites)):
        for named, term in each.terms.items():
            if term.den > 0.0:  # in F1 a case that is answered as it should be says nothing
                found[f"{each.suite}.{each.section}.{named}"][each.group] += 1
    for suite in suites:
        for section in suite.sections:
            if not section.cases:
                continue
            everything = Counter(case.group for case in section.cases)
            for metric in section.metrics:
                name = f"{suite.name}.{section.name}.{metric.name}"
                found[name] = found[name] or everything
    return found


def _asks(suites: Sequence[Suite]) -> Iterator[Ask]:
    for suite in suites:
        for section in suite.asked:
            for case in section.cases:
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
        text="Here is what you asked for.",
        finish_reason="stop",
    )
