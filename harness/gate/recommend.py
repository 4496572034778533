"""Recommend one of several candidates, as far as the policy decides between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from types import MappingProxyType

from harness import stats
from harness.gate.cheapest import Cheapest, Costs, Pair, PairDifference, cheapest_of
from harness.gate.compare import compare
from harness.gate.differences import computable, policy_caps
from harness.latency.latency_rule import latency_rules
from harness.records.comparison import PairedMetric
from harness.records.leaderboard import Advantage, Choice, Recommendation
from harness.records.metric import Metric
from harness.records.rule import Policy
from harness.records.run import RunRecord
from harness.records.suite import Suite
from harness.records.verdict import Verdict

TIMED = ("latency was compared with the baseline's, and not between candidates",)


def recommend(
    runs: Mapping[str, RunRecord],
    verdicts: Mapping[str, Verdict],
    suites: Sequence[Suite],
    policy: Policy,
    costs: Costs = MappingProxyType({}),
) -> Recommendation:
    """The recommendation among the judged candidates.

    Only what the policy promotes can be recommended. Of several, those are left out that are
    significantly worse than another on a metric that the policy wants high, and better on none. Of
    those that remain equal it is the cheapest by the `costs` of 1,000 answers, where that is not
    worse than any other of them by more than the policy allows against the baseline.
    """
    passing = promoted(verdicts)
    pairs: dict[Pair, Mapping[str, PairedMetric]] = {}
    doubts: dict[Pair, tuple[str, ...]] = {}
    for one, other in combinations(passing, 2):
        found = compare(runs[one], runs[other], suites, askings=True, weigh=policy.weigh)
        doubts[one, other] = found.problems
        pairs[one, other] = {} if found.problems else found.metrics
    metrics = {name: metric for suite in suites for name, metric in suite.definitions()}
    wanted = aims(policy, metrics)
    limits = policy_caps(policy)
    tested = differences(pairs, wanted, policy.alpha, limits)
    better = advantages(tested, policy.alpha)
    known = {one.pair for one in tested}
    unknown = {pair: why for pair, why in doubts.items() if pair not in known}
    choice, chosen = choose(passing, better, unknown)
    thrift = cheapest_of(chosen, costs, tested, policy) if choice == "equal" else None
    if thrift is not None and not thrift.doubts:
        choice, chosen = "cheapest", (thrift.name,)
    unjudged = tuple(name for name, one in verdicts.items() if one.verdict == "INVALID")
    return Recommendation(
        choice=choice,
        candidates=chosen,
        reason=reason(choice, verdicts, better, unknown, thrift),
        tried=len(verdicts),
        unjudged=unjudged,
        tested=len(tested),
        advantages=better,
        notes=(
            *_still_equal(thrift),
            *_not_compared(unknown, wanted),
            *(TIMED if len(passing) > 1 and latency_rules(policy) else ()),
            *_luck(len(verdicts), policy, passing),
        ),
    )


def aims(policy: Policy, metrics: Mapping[str, Metric]) -> tuple[str, ...]:
    """The metrics that the policy wants better: a suite's, with a rule and without a cap.

    What is limited on the side of the better values is to be neither too low nor too high, and
    prefers nobody.
    """
    ruled: dict[str, list[str | None]] = {}
    for rule in policy.rules:
        name = rule.metric_name
        if name is not None and name in metrics:
            ruled.setdefault(name, []).append(rule.good_side)
    better = {name: "below" if metrics[name].lower_is_better else "above" for name in ruled}
    return tuple(name for name, sides in ruled.items() if set(sides) <= {None, better[name]})


def differences(
    pairs: Mapping[Pair, Mapping[str, PairedMetric]],
    wanted: Sequence[str],
    alpha: float,
    limits: Mapping[str, float] | None = None,
) -> list[PairDifference]:
    """The difference in each of the metrics between each pair, as far as it can be computed.

    `limits` are the caps of metrics without bounds.
    """
    return [
        PairDifference(pair, name, metrics[name].metric, interval)
        for pair, metrics in pairs.items()
        for name, interval in computable(
            {name: metrics[name] for name in wanted if name in metrics}, alpha, limits or {}
        ).items()
    ]


def advantages(tested: Sequence[PairDifference], alpha: float) -> tuple[Advantage, ...]:
    """The differences that are significant, the most certain first.

    The chance of naming any falsely is at most alpha, however many candidates and metrics there
    are: the two-sided p-values are Holm-corrected together.
    """
    corrected = stats.holm([one.interval.p_value for one in tested])
    named = [
        _advantage(one, float(p_value))
        for one, p_value in zip(tested, corrected, strict=True)
        if p_value <= alpha
    ]
    return tuple(sorted(named, key=lambda one: one.p_value))


def _advantage(tested: PairDifference, p_value: float) -> Advantage:
    interval = tested.interval
    rises = interval.estimate > 0
    first_better = rises is not tested.definition.lower_is_better
    better, worse = tested.pair if first_better else tested.pair[::-1]
    low, high = interval.low, interval.high
    if not first_better:
        low, high = -high, -low
    return Advantage(
        metric=tested.metric,
        better=better,
        worse=worse,
        estimate=interval.estimate if first_better else -interval.estimate,
        ci_low=low,
        ci_high=high,
        p_value=p_value,
        definition=tested.definition.unless_share,
    )


def _still_equal(thrift: Cheapest | None) -> Iterator[str]:
    """Why the cheapest of equals is not recommended before the others."""
    if thrift is not None and thrift.doubts:
        yield f"{thrift.words.split(',')[0]}, but {'; '.join(thrift.doubts)}"


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


def _luck(tried: int, policy: Policy, passing: Sequence[str]) -> Iterator[str]:
    """Notes on selection bias: the effect of choosing the best of several candidates."""
    if tried < 2 or not passing:
        return
    words = (
        f"{tried} candidates were tried, each judged at alpha {policy.alpha:g}: if none of them is "
        f"good enough, the chance that one passes anyway is up to "
        f"{min(1.0, tried * policy.alpha):.0%}"
    )
    # What is no test has no bound on the chance of a false pass.
    loose = list(dict.fromkeys(rule.title for rule in policy.rules if not rule.bounded_by_alpha))
    if loose:
        either = " or ".join(filter(None, (", ".join(loose[:-1]), loose[-1])))
        words += f"; it can be higher for a candidate that only {either} would stop"
    yield words
    yield (
        "the best of several candidates usually looks a little better than it is: expect somewhat "
        "lower values on new cases"
    )


def choose(
    passing: Sequence[str], found: Sequence[Advantage], unknown: Collection[Pair] = ()
) -> tuple[Choice, tuple[str, ...]]:
    """The kind of choice among the candidates that pass, and the candidates it names.

    `unknown` are the pairs that were not compared, each in the order of `passing`.
    """
    if not passing:
        return "none", ()
    left = remaining(passing, found)
    if _torn(left, found):
        return "trade_off", ()
    if _untold(left, unknown):
        return "not_compared", ()
    return ("one" if len(left) == 1 else "equal"), left


def remaining(passing: Sequence[str], found: Sequence[Advantage]) -> tuple[str, ...]:
    """The candidates that no other is ranked above.

    One is above another that it beats in a metric and that beats it in none, and above those that
    the other is above. Where that leads back to itself, nobody of the circle is above the rest.
    """
    wins = {(one.better, one.worse) for one in found}
    above = {(better, worse) for better, worse in wins if (worse, better) not in wins}
    for middle in passing:
        over = [first for first, second in above if second == middle]
        under = [second for first, second in above if first == middle]
        above |= {(first, second) for first in over for second in under}
    beaten = {worse for better, worse in above if (worse, better) not in above}
    return tuple(name for name in passing if name not in beaten)


def _untold(left: Sequence[str], unknown: Collection[Pair]) -> list[Pair]:
    """The pairs that were not compared among those, and of a single one with anybody."""
    if len(left) == 1:
        return [pair for pair in unknown if left[0] in pair]
    return [pair for pair in combinations(left, 2) if pair in unknown]


def _torn(left: Collection[str], found: Sequence[Advantage]) -> set[str]:
    """Those of them that are better and worse than each other."""
    among = [one for one in found if one.better in left and one.worse in left]
    return {name for one in among for name in (one.better, one.worse)}


def reason(
    choice: Choice,
    verdicts: Mapping[str, Verdict],
    found: Sequence[Advantage],
    unknown: Collection[Pair],
    thrift: Cheapest | None = None,
) -> str:
    """The reason for the choice, in one sentence."""
    if choice == "none":
        counted = Counter(verdict.verdict for verdict in verdicts.values())
        words = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
        return f"no candidate passes every rule: {words}"
    passing = promoted(verdicts)
    left = remaining(passing, found)
    unjudged = [name for name, one in verdicts.items() if one.verdict == "INVALID"]
    beaten = [_beaten(name, found) for name in passing if name not in left]
    if choice == "one":
        alone = len(verdicts) > 1 and not beaten and not unjudged
        only = f"is the only one of {len(verdicts)} candidates that passes" if alone else "passes"
        first = [f"`{left[0]}` {only} every rule"]
    elif choice == "trade_off":
        first = list(_trade_off(left, found))
    elif choice == "cheapest" and thrift is not None:
        equal = f"{listed(left)} pass every rule and do not differ significantly"
        first = [equal, thrift.words]
    elif choice == "equal":
        either = "either" if len(left) == 2 else "any"
        first = [f"{listed(left)} pass every rule and do not differ significantly: take {either}"]
    elif len(left) == 1:
        others = [name for pair in _untold(left, unknown) for name in pair if name != left[0]]
        first = [f"`{left[0]}` passes every rule and was not compared with {listed(others)}"]
    elif all(pair in unknown for pair in combinations(left, 2)):
        first = [f"{listed(left)} pass every rule and were not compared"]
    else:
        words = "none was found better than another, and some of them were not compared"
        first = [f"{listed(left)} pass every rule, {words}"]
    if unjudged:
        beaten.append(f"{listed(unjudged)} could not be judged, and may be better or worse")
    return "; ".join((*first, *beaten))


def promoted(verdicts: Mapping[str, Verdict]) -> list[str]:
    """The candidates that the policy promotes, in their order."""
    return [name for name, verdict in verdicts.items() if verdict.verdict == "PROMOTE"]


def _trade_off(left: Sequence[str], found: Sequence[Advantage]) -> Iterator[str]:
    torn = _torn(left, found)
    yield (
        f"{listed([name for name in left if name in torn])} pass every rule, and each is worse "
        "than another on a metric with a rule"
    )
    yield "the policy does not say which metric counts more"
    rest = [name for name in left if name not in torn]
    if rest:
        verbs = ("passes", "was") if len(rest) == 1 else ("pass", "were")
        yield f"{listed(rest)} {verbs[0]} too and {verbs[1]} found neither better nor worse"


def _beaten(name: str, found: Sequence[Advantage]) -> str:
    better = {one.worse for one in found if one.better == name}
    by = next(one for one in found if one.worse == name and one.better not in better)
    return f"`{name}` passes too and is worse than `{by.better}` in {by.metric}"


def listed(names: Sequence[str]) -> str:
    """Names in words: `a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}" if len(quoted) > 1 else quoted[0]
