"""The cheapest of candidates that pass and do not differ significantly, and if it is no worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness import stats
from harness.gate.rules.no_worse_than_baseline import NoWorseThanBaseline
from harness.records.metric import Metric
from harness.records.rule import Policy

Pair = tuple[str, str]
Costs = Mapping[str, float | None]

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class PairDifference:
    """The difference of two candidates in one metric, the first minus the second."""

    pair: Pair
    metric: str
    definition: Metric
    interval: stats.Interval

    def loss(self, name: str) -> float:
        """By how much that one of the pair may be worse than the other, at the bound."""
        first = name == self.pair[0]
        return -self.interval.low if first is not self.definition.lower_is_better else (
            self.interval.high
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cheapest:
    """The cheapest candidate, that and why in words, and where it is not shown to be no worse."""

    name: str
    words: str
    doubts: tuple[str, ...]


def cheapest_of(
    names: Sequence[str], costs: Costs, tested: Sequence[PairDifference], policy: Policy
) -> Cheapest | None:
    """The one whose answers cost least; None where a cost is unknown, or two cost the same.

    It is no worse than another where each rule `no_worse_than_baseline` on a metric that was tested
    would pass with the other in the baseline's place.
    """
    known = sorted((cost, name) for name in names if (cost := costs.get(name)) is not None)
    if len(known) < len(names) or known[0][0] == known[1][0]:
        return None
    name = known[0][1]
    margins = _margins(policy, {one.metric for one in tested})
    words = f"`{name}` is the cheapest"
    if margins:
        listed = ", ".join(f"{margin:g} in {metric}" for metric, margin in margins.items())
        words += f", and by no_worse_than_baseline not worse than the others by more than {listed}"
    prices = ", ".join(f"`{one}` {cost:.3g}" for cost, one in known)
    others = [one for one in names if one != name]
    found = tuple(_unproven(name, others, tested, margins))
    return Cheapest(name, f"{words}; 1,000 answers cost {prices}", found)


def _margins(policy: Policy, metrics: set[str]) -> dict[str, float]:
    """By how much a candidate may be worse in each of the metrics that has such a rule, at most."""
    found: dict[str, float] = {}
    for rule in policy.rules:
        if isinstance(rule, NoWorseThanBaseline) and rule.metric in metrics:
            found[rule.metric] = min(rule.margin, found.get(rule.metric, rule.margin))
    return found


def _unproven(
    name: str,
    others: Sequence[str],
    tested: Sequence[PairDifference],
    margins: Mapping[str, float],
) -> Iterator[str]:
    known = {(frozenset(one.pair), one.metric): one for one in tested}
    for other in others:
        for metric, margin in margins.items():
            found = known.get((frozenset((name, other)), metric))
            if found is None:
                yield f"it cannot be compared with `{other}` in {metric}"
            elif (loss := found.loss(name)) > margin + _ROUNDING:
                yield (
                    f"it may be worse than `{other}` in {metric} by up to {loss:.3g}, "
                    f"where {margin:g} is allowed"
                )
