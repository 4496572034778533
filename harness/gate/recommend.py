"""Recommend: what the policy says about several candidates at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from harness import stats
from harness.gate.compare import compare
from harness.gate.difference import difference
from harness.gate.tie_break import Pair, choose, listed, promoted, reason
from harness.latency.judge import latency_rules
from harness.records.comparison import PairedMetric
from harness.records.policy import AtLeast, AtMost, NoNewCriticalFailures, Policy, RatioAtMost
from harness.records.recommendation import Advantage, Recommendation
from harness.records.run import Run
from harness.records.suite import Suite
from harness.records.verdict import Verdict

Tested = tuple[Pair, str, stats.Interval]


def recommend(
    runs: Mapping[str, Run],
    verdicts: Mapping[str, Verdict],
    suites: Sequence[Suite],
    policy: Policy,
) -> Recommendation:
    """Which of the judged candidates to take, as far as the policy tells.

    Only what the policy promotes can be recommended. Of several, those are left out that are
    significantly worse than another on a metric that the policy wants high, and better on none.
    """
    passing = promoted(verdicts)
    pairs: dict[Pair, Mapping[str, PairedMetric]] = {}
    doubts: dict[Pair, tuple[str, ...]] = {}
    for one, other in combinations(passing, 2):
        found = compare(runs[one], runs[other], suites, askings=True)
        doubts[one, other] = found.problems
        pairs[one, other] = {} if found.problems else found.metrics
    wanted = aims(policy)
    tested = differences(pairs, wanted, policy.alpha)
    better = advantages(tested, policy.alpha)
    known = {pair for pair, *_ in tested}
    unknown = {pair: why for pair, why in doubts.items() if pair not in known}
    choice, chosen = choose(passing, better, unknown)
    return Recommendation(
        choice=choice,
        candidates=chosen,
        reason=reason(choice, verdicts, better, unknown),
        tried=len(verdicts),
        tested=len(tested),
        advantages=better,
        notes=(
            *_not_compared(unknown, wanted),
            *_not_timed(passing, policy),
            *_luck(len(verdicts), policy, passing),
        ),
    )


def aims(policy: Policy) -> tuple[str, ...]:
    """The metrics of which the policy wants more: a suite's, with a rule and without a cap.

    What is capped is to be neither too low nor too high, and prefers nobody.
    """
    metrics = dict.fromkeys(
        rule.metric for rule in policy.rules if not isinstance(rule, NoNewCriticalFailures)
    )
    # Every rule on latency is a cap.
    capped = {rule.metric for rule in policy.rules if isinstance(rule, AtMost | RatioAtMost)}
    return tuple(metric for metric in metrics if metric not in capped)


def differences(
    pairs: Mapping[Pair, Mapping[str, PairedMetric]], wanted: Sequence[str], alpha: float
) -> list[Tested]:
    """The difference in each of the metrics between each pair, as far as it can be computed."""
    found = []
    for pair, metrics in pairs.items():
        for metric in (metrics[name] for name in wanted if name in metrics):
            try:
                found.append((pair, metric.name, difference(metric, alpha)))
            except ValueError:  # the rule on it says what is wrong
                continue
    return found


def advantages(tested: Sequence[Tested], alpha: float) -> tuple[Advantage, ...]:
    """The differences that are significant, the most certain first.

    The chance of naming any falsely is at most alpha, however many candidates and metrics there
    are: the two-sided p-values are Holm-corrected together.
    """
    corrected = stats.holm([interval.p_value for *_, interval in tested])
    named = [
        _advantage(*one, float(p_value))
        for one, p_value in zip(tested, corrected, strict=True)
        if p_value <= alpha
    ]
    return tuple(sorted(named, key=lambda one: one.p_value))


def _advantage(pair: Pair, metric: str, interval: stats.Interval, p_value: float) -> Advantage:
    first_better = interval.estimate > 0
    better, worse = pair if first_better else pair[::-1]
    ends = (interval.low, interval.high)
    low, high = ends if first_better else (-ends[1], -ends[0])
    return Advantage(
        metric=metric,
        better=better,
        worse=worse,
        estimate=abs(interval.estimate),
        ci_low=low,
        ci_high=high,
        p_value=p_value,
    )


def _not_compared(unknown: Mapping[Pair, tuple[str, ...]], wanted: Sequence[str]) -> Iterator[str]:
    """Why each of the pairs was not compared."""
    for pair, problems in unknown.items():
        if problems:
            why = "; ".join(problems)
        elif wanted:
            why = "no difference in a metric with a rule can be computed"
        else:
            why = "no rule asks for a metric to be high"
        yield f"{listed(pair)} were not compared: {why}"


def _not_timed(passing: Sequence[str], policy: Policy) -> Iterator[str]:
    if len(passing) > 1 and latency_rules(policy):
        yield "latency was measured against the baseline, not between candidates"


def _luck(tried: int, policy: Policy, passing: Sequence[str]) -> Iterator[str]:
    """What having tried several does to the one that is taken."""
    if tried < 2 or not passing:
        return
    told = (
        f"{tried} candidates were tried, each judged at alpha {policy.alpha:g} by itself: if none "
        "were good enough, one would still pass with a chance of up to "
        f"{min(1.0, tried * policy.alpha):.0%}"
    )
    loose = list(dict.fromkeys(_without_alpha(policy)))
    if loose:
        told += f"; this bound does not hold for what only {_either(loose)} would stop"
    yield told
    yield (
        "who is picked for high values has, on average, been lucky too: expect somewhat less on "
        "new cases"
    )


def _without_alpha(policy: Policy) -> Iterator[str]:
    """The rules that are no tests, so that how often they pass by luck has no bound."""
    for rule in policy.rules:
        if isinstance(rule, NoNewCriticalFailures):
            yield f"`{rule.require}`"
        elif isinstance(rule, AtLeast | AtMost) and rule.evidence == "point":
            yield f"`{rule.metric}` {rule.require} {rule.value:g} (evidence: point)"


def _either(rules: Iterable[str]) -> str:
    *first, last = rules
    return f"{', '.join(first)} or {last}" if first else last
