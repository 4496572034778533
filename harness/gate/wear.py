"""Wear: how often a suite was looked at, what that may have gained, and what a year has spent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from harness.gate.looks import candidate_of, distinct_looks
from harness.records.comparison import ComparisonRecord
from harness.records.history import PastGate, instant
from harness.records.metric import Metric
from harness.records.suite import counted
from harness.records.verdict import EvidenceWarning
from harness.stats import adaptive_gap, effective_groups

YEAR = timedelta(days=365)
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Wear:
    """The looks at one version of a suite, at candidates that are to replace the same baseline.

    `scores` holds each metric's value at every look that had one, in the order of the looks.
    """

    baseline: str
    looks: int
    candidates: frozenset[str]
    scores: Mapping[str, Sequence[float]]

    @property
    def words(self) -> str:
        """How often the suite was looked at, in words."""
        times, by = counted(self.looks, "time"), counted(len(self.candidates), "candidate")
        return f"looked at {times}, at {by} against `{self.baseline}`"

    def gap_words(self, sizes: Mapping[str, tuple[Metric, Iterable[int]]]) -> str:
        """How much of each metric's next score may be tuning, in words.

        Nothing of what is no share, and before a second score could tell anything.

        `sizes` holds each metric by its full name, and how many cases each group has. See
        `harness.stats.adaptive_gap`.
        """
        parts = []
        for name, (metric, groups) in sizes.items():
            sign = -1.0 if metric.lower_is_better else 1.0
            found = [sign * one for one in self.scores.get(name, ())]
            # F1 is no mean over cases.
            if len(found) > 1 and (metric.low, metric.high) == (0.0, 1.0) and metric.name != "f1":
                bests = sum(one > max(found[:place]) for place, one in enumerate(found) if place)
                enough = effective_groups([*groups])
                gap = min(1.0, adaptive_gap(len(found) - 1, bests, enough, alpha=1 - LEVEL))
                short = name.partition(".")[2]
                parts.append(f"{gap:.2f} of {short} ({counted(bests, 'new best')})")
        if not parts:
            return ""
        return f"tuning by new bests may account, at {100 * LEVEL:g} %, for up to " + ", ".join(
            parts
        )


def wear(
    gates: Iterable[PastGate], suite: str, digest: str, baseline: str, now: PastGate | None = None
) -> Wear:
    """The looks at that version of the suite at candidates against that baseline, but for `now`."""
    looks = distinct_looks(
        gate
        for gate in (*gates, *([now] if now else []))
        if gate.suites.get(suite) == digest and gate.verdict.baseline == baseline
    )
    found = [gate for gate in looks if gate is not now]
    scores: defaultdict[str, list[float]] = defaultdict(list)
    for gate in found:
        for name, values in gate.metrics.items():
            if values.candidate is not None:
                scores[name].append(values.candidate)
    return Wear(baseline, len(found), frozenset(map(candidate_of, found)), scores)


def wear_warnings(
    gates: Sequence[PastGate], now: PastGate, comparison: ComparisonRecord
) -> Iterator[EvidenceWarning]:
    """For each suite, what earlier looks at other candidates may have let this one gain.

    Told of shares that a rule is on.
    """
    ruled = {rule.metric for rule in now.verdict.rules}
    for suite, digest in now.suites.items():
        found = wear(gates, suite, digest, now.verdict.baseline, now)
        if found.candidates <= {candidate_of(now)}:
            continue
        sizes = {
            name: (one.metric, Counter(one.groups.tolist()).values())
            for name, one in comparison.metrics.items()
            if name in ruled and name.startswith(f"{suite}.") and one.is_mean
        }
        parts = (f"this version was {found.words} before", found.gap_words(sizes))
        yield EvidenceWarning(code="wear", place=suite, what="; ".join(filter(None, parts)))


def budget_warning(
    gates: Sequence[PastGate], now: PastGate, budget: float | None
) -> Iterator[EvidenceWarning]:
    """What is left of the year's budget of false promotions, this gate included."""
    if budget is not None:
        what = budget_words([*gates, now], budget, now.verdict.created)
        yield EvidenceWarning(code="budget", place=now.verdict.candidate, what=what)


def budget_words(gates: Iterable[PastGate], budget: float, moment: str) -> str:
    """What the looks of the year before that moment have spent, and what is left, in words.

    A look at a candidate that is at its limit is a false promotion with a chance of up to alpha, so
    that as many are to be expected as the alphas add up to.
    """
    since = instant(moment) - YEAR
    found = [gate for gate in distinct_looks(gates) if instant(gate.verdict.created) > since]
    spent = sum(gate.verdict.alpha for gate in found)
    left = budget - spent
    rest = f"{left:.3g} is left" if left >= 0 else f"it is overspent by {-left:.3g}"
    return (
        f"{counted(len(found), 'look')} in 365 days may have led to {spent:.3g} false promotions, "
        f"of a budget of {budget:g}: {rest}"
    )
