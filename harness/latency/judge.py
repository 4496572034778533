"""Judge: hold what a measurement found against the policy's rules on latency."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness import stats
from harness.latency.quantities import split
from harness.records.latency import (
    Bounded,
    LatencyMetric,
    LatencySection,
    LatencySettings,
    LoadResult,
)
from harness.records.policy import LATENCY_PREFIX, AtMost, Policy, RatioAtMost, is_latency
from harness.records.verdict import Outcome, RuleResult

_WORST: tuple[Outcome, ...] = ("invalid", "fail", "inconclusive", "pass")


def latency_rules(policy: Policy | None) -> tuple[RatioAtMost | AtMost, ...]:
    """The rules of the policy that are about latency."""
    rules = () if policy is None else policy.rules
    return tuple(
        rule for rule in rules if isinstance(rule, RatioAtMost | AtMost) and is_latency(rule.metric)
    )


def uncertifiable(rules: Sequence[RatioAtMost | AtMost], settings: LatencySettings) -> list[str]:
    """Why rules can never pass with so many requests, in words; nothing where all can."""
    found = []
    for rule in rules:
        _, share = split(rule.metric.removeprefix(LATENCY_PREFIX))
        if (wanted := stats.needed(share)) > settings.requests:
            found.append(
                f"{rule.metric} cannot pass: it needs {wanted} requests of each arm, "
                f"`latency.requests` is {settings.requests}"
            )
    return found


def judge_rule(rule: RatioAtMost | AtMost, section: LatencySection) -> RuleResult:
    """The rule's result at the load where it is worst."""
    results = [judge_load(rule, load) for load in section.loads]
    return min(results, key=lambda result: (_WORST.index(result.outcome), -_far(result)))


def judge_load(rule: RatioAtMost | AtMost, load: LoadResult) -> RuleResult:
    """The rule's result at one load."""
    name = rule.metric.removeprefix(LATENCY_PREFIX)
    metric = next((one for one in load.metrics if one.metric == name), None)
    if load.problems:
        return _invalid(rule, load.problems[0])
    if metric is None:
        return _invalid(rule, f"{rule.metric} at {load.load} has no value")
    held = metric.ratio if isinstance(rule, RatioAtMost) else metric.candidate
    point = isinstance(rule, AtMost) and rule.evidence == "point"
    outcome = _outcome(_point(held) if point else held, rule.value)
    words = f"{_words(rule, outcome)}: {_shown(rule, held)}"
    if isinstance(rule, RatioAtMost) and outcome != "inconclusive":
        noise = _noise(metric)
        margin = max(rule.value, 1.0 / rule.value)
        if noise > margin and not _clear(held, rule.value, noise, outcome):
            outcome = "inconclusive"
            words = (
                f"cannot be told: {_shown(rule, held)}, and the baseline differs from itself by "
                f"up to {_times(noise)}, more than {rule.value:g} times"
            )
    if outcome == "pass" and not metric.certifiable:
        outcome = "inconclusive"
        words = (
            f"is not certifiable: {metric.n} requests an arm of {metric.needed} needed, "
            f"{_shown(rule, held)}"
        )
    return RuleResult(
        metric=rule.metric,
        require=rule.require,
        outcome=outcome,
        candidate=metric.candidate.estimate,
        baseline=metric.baseline.estimate,
        estimate=held.estimate,
        ci_low=held.low,
        ci_high=held.high,
        limit=rule.value,
        n=metric.n,
        groups=load.rounds,
        reason=f"{rule.metric} at {load.load} {words}",
    )


def decided(rules: Sequence[RatioAtMost | AtMost], load: LoadResult) -> bool:
    """Whether more of this load cannot change what the rules say: one fails, or all pass.

    An estimate alone decides nothing before the end: no share of alpha pays for looking at it.
    """
    by_bounds = [
        rule.model_copy(update={"evidence": "bound"}) if isinstance(rule, AtMost) else rule
        for rule in rules
    ]
    outcomes = [judge_load(rule, load).outcome for rule in by_bounds]
    return "fail" in outcomes or all(outcome == "pass" for outcome in outcomes)


def _outcome(held: Bounded, limit: float) -> Outcome:
    """As an interval decides; a bound that is None is beyond every limit."""
    if held.high is not None and held.high <= limit:
        return "pass"
    return "fail" if held.low is None or held.low > limit else "inconclusive"


def _point(held: Bounded) -> Bounded:
    """The estimate alone, as if it were certain."""
    return Bounded(estimate=held.estimate, low=held.estimate, high=held.estimate)


def _noise(metric: LatencyMetric) -> float:
    """By how many times the baseline may differ from itself in this metric."""
    control = metric.control
    if control.high is None or not control.low:
        return math.inf
    return max(control.high, 1.0 / control.low)


def _clear(held: Bounded, limit: float, noise: float, outcome: Outcome) -> bool:
    """Whether an outcome stands even if noise as large went against it."""
    if outcome == "pass":
        return held.high is not None and held.high * noise <= limit
    return held.low is None or held.low / noise > limit


def _words(rule: RatioAtMost | AtMost, outcome: Outcome) -> str:
    bound = f"{rule.value:g} times the baseline's"
    if isinstance(rule, AtMost):
        bound = f"{rule.value:g} s"
    words = {"pass": "is at most", "fail": "is more than", "inconclusive": "may or may not exceed"}
    return f"{words[outcome]} {bound}"


def _shown(rule: RatioAtMost | AtMost, held: Bounded) -> str:
    unit = " s" if isinstance(rule, AtMost) else ""
    low, high = _times(held.low), _times(held.high)
    return f"{_times(held.estimate)} [{low}, {high}]{unit}"


def _times(value: float | None) -> str:
    return "∞" if value is None or math.isinf(value) else f"{value:.3f}"


def _invalid(rule: RatioAtMost | AtMost, reason: str) -> RuleResult:
    return RuleResult(
        metric=rule.metric,
        require=rule.require,
        outcome="invalid",
        limit=rule.value,
        reason=reason,
    )


def _far(result: RuleResult) -> float:
    return math.inf if result.estimate is None else result.estimate
