"""Recommend: what the policy says about several candidates at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from harness import stats
from harness.records.comparison import PairedMetric
from harness.records.policy import AtMost, NoNewCriticalFailures, Policy, RatioAtMost
from harness.records.recommendation import Advantage, Choice, Recommendation
from harness.records.run import Run
from harness.records.suite import Suite
from harness.records.verdict import Verdict
from harness.stages.compare import compare
from harness.stages.difference import difference
from harness.stages.latency.judge import is_latency, latency_rules

Pair = tuple[str, str]


def recommend(
    runs: Mapping[str, Run],
    verdicts: Mapping[str, Verdict],
    suites: Sequence[Suite],
    policy: Policy,
) -> Recommendation:
    """Which of the judged candidates to take, as far as the policy tells.

    Only what the policy promotes can be recommended. Of several, those are left out that are
    significantly worse than another on a metric with a rule.
    """
    passing = [name for name, verdict in verdicts.items() if verdict.verdict == "PROMOTE"]
    pairs: dict[Pair, dict[str, PairedMetric]] = {}
    doubts: list[str] = []
    for one, other in combinations(passing, 2):
        found = compare(runs[one], runs[other], suites, askings=True)
        doubts += found.problems
        pairs[one, other] = {} if found.problems else found.metrics
    signs = directions(policy)
    tested, found_better = advantages(pairs, signs, policy.alpha)
    choice, chosen = choose(passing, found_better)
    notes = [f"two candidates cannot be compared: {problem}" for problem in dict.fromkeys(doubts)]
    if len(passing) > 1 and latency_rules(policy):
        notes.append("latency was measured against the baseline, not between candidates")
    return Recommendation(
        choice=choice,
        candidates=chosen,
        reason=_reason(choice, chosen, passing, verdicts, found_better),
        tried=len(verdicts),
        tested=tested,
        advantages=found_better,
        notes=(*notes, *_luck(len(verdicts), policy.alpha, chosen)),
    )


def directions(policy: Policy) -> dict[str, int]:
    """Of each metric with a rule, 1 where more is better and −1 where less is.

    Left out are latency, which answers say nothing about, and a metric that is to be neither too
    low nor too high.
    """
    found: dict[str, int] = {}
    for rule in policy.rules:
        if isinstance(rule, NoNewCriticalFailures) or is_latency(rule):
            continue
        sign = -1 if isinstance(rule, AtMost | RatioAtMost) else 1
        found[rule.metric] = 0 if found.get(rule.metric, sign) != sign else sign
    return {metric: sign for metric, sign in found.items() if sign}


def advantages(
    pairs: Mapping[Pair, Mapping[str, PairedMetric]], signs: Mapping[str, int], alpha: float
) -> tuple[int, tuple[Advantage, ...]]:
    """How many differences were tested, and which are significant, the most certain first.

    The chance of naming any falsely is at most alpha, however many candidates and metrics there
    are: the two-sided p-values are Holm-corrected together.
    """
    found = []
    for pair, metrics in pairs.items():
        for name, sign in signs.items():
            metric = metrics.get(name)
            if metric is None:
                continue
            try:
                found.append((pair, name, sign, difference(metric, alpha)))
            except ValueError:  # the rule on it says what is wrong
                continue
    corrected = stats.holm([interval.p_value for *_, interval in found])
    named = [
        _advantage(pair, name, sign, interval, float(p_value))
        for (pair, name, sign, interval), p_value in zip(found, corrected, strict=True)
        if p_value <= alpha
    ]
    return len(found), tuple(sorted(named, key=lambda one: one.p_value))


def _advantage(
    pair: Pair, metric: str, sign: int, interval: stats.Interval, p_value: float
) -> Advantage:
    first_better = sign * interval.estimate > 0
    better, worse = pair if first_better else pair[::-1]
    ends = (interval.low, interval.high)
    low, high = ends if first_better else (-ends[1], -ends[0])
    return Advantage(
        metric=metric,
        better=better,
        worse=worse,
        estimate=interval.estimate if first_better else -interval.estimate,
        ci_low=low,
        ci_high=high,
        p_value=p_value,
    )


def choose(passing: Sequence[str], found: Sequence[Advantage]) -> tuple[Choice, tuple[str, ...]]:
    """Those that pass and are worse than no other that does, and in words what kind of choice."""
    if not passing:
        return "none", ()
    worse = {one.worse for one in found}
    best = tuple(name for name in passing if name not in worse)
    if not best:
        return "trade_off", ()
    return ("one" if len(best) == 1 else "equal"), best


def _reason(
    choice: Choice,
    chosen: Sequence[str],
    passing: Sequence[str],
    verdicts: Mapping[str, Verdict],
    found: Sequence[Advantage],
) -> str:
    tried = len(verdicts)
    if choice == "none":
        counted = Counter(verdict.verdict for verdict in verdicts.values())
        told = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
        return f"the policy promotes none of {tried}: {told}"
    if choice == "trade_off":
        return (
            f"{_listed(passing)} pass every rule, and each is worse than another on a metric with "
            "a rule; the policy does not say which metric counts more"
        )
    others = [name for name in passing if name not in chosen]
    beaten = "; ".join(_beaten(name, found) for name in others)
    if choice == "equal":
        first = f"{_listed(chosen)} pass every rule and cannot be told apart: take either"
        first = first if len(chosen) == 2 else first.replace("either", "any")
        return f"{first}; {beaten}" if beaten else first
    if others:
        return f"`{chosen[0]}` passes every rule; {beaten}"
    only = f", alone of {tried}" if tried > 1 else ""
    return f"`{chosen[0]}` passes every rule{only}"


def _beaten(name: str, found: Sequence[Advantage]) -> str:
    by = next(one for one in found if one.worse == name)
    return f"`{name}` passes too and is worse than `{by.better}` in {by.metric}"


def _listed(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}" if len(quoted) > 1 else quoted[0]


def _luck(tried: int, alpha: float, chosen: Sequence[str]) -> Iterator[str]:
    """What having tried several does to the one that is taken."""
    if tried < 2 or not chosen:
        return
    yield (
        f"{tried} candidates were tried, each judged at alpha {alpha:g} by itself: if none were "
        f"good enough, one would still pass with a chance of up to {min(1.0, tried * alpha):.0%}"
    )
    yield (
        "who is picked for high values has, on average, been lucky too: expect somewhat less on "
        "new cases"
    )
