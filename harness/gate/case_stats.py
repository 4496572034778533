"""What each case and each group of the suites has told so far: over runs, and over comparisons."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from harness.files import digest_json
from harness.gate.judge import planned_metrics
from harness.gate.leaks import without_groups
from harness.records.comparison import ComparisonRecord
from harness.records.rule import USUAL_DISCORDANCE, Policy
from harness.records.run import RunRecord
from harness.records.suite import Suite
from harness.records.verdict import Outcome

MORE = 50


@dataclass(frozen=True, slots=True)
class SectionStats:
    """What runs say of a section's cases, by their ids.

    `compared` cases have an outcome of two models or more, `alike` of them always the same one;
    `repeated` cases were asked of one model twice or more, `flips` has the share of such pairs that
    differ, of those where any does.
    """

    place: str
    cases: int
    compared: int
    alike: tuple[str, ...]
    repeated: int
    flips: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Deciding:
    """A group without which a rule would have come out otherwise."""

    candidate: str
    metric: str
    require: str
    outcome: Outcome
    group: str
    without: Outcome


@dataclass(frozen=True, slots=True)
class Gained:
    """The smallest change that a rule detects, now and with `MORE` groups of its section more."""

    metric: str
    require: str
    groups: int
    detectable: float
    with_more: float


def section_stats(suites: Iterable[Suite], runs: Iterable[RunRecord]) -> list[SectionStats]:
    """What the runs say of each section with cases; answers that a run took over count once."""
    told: defaultdict[tuple[str, str], defaultdict[str, defaultdict[str, list[float]]]]
    told = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for run in runs:
        model = digest_json(run.header.identity.model_dump(mode="json"))
        taken = {one.key for one in run.attempts if one.reused_from is not None}
        for score in run.scores:
            if score.value is not None and score.key not in taken:
                found = score.value if score.passed is None else float(score.passed)
                told[score.place][score.case][model].append(found)
    return [
        _section((suite.name, one.name), [case.id for case in one.cases], told)
        for suite in suites
        for one in suite.sections
        if one.cases
    ]


def _section(
    place: tuple[str, str],
    cases: list[str],
    told: Mapping[tuple[str, str], Mapping[str, Mapping[str, list[float]]]],
) -> SectionStats:
    compared, alike, repeated = 0, [], 0
    flips: dict[str, float] = {}
    known = told.get(place, {})
    for case in cases:
        by_model = known.get(case, {})
        if len(by_model) > 1:
            compared += 1
            if len({value for values in by_model.values() for value in values}) == 1:
                alike.append(case)
        pairs = [one != two for values in by_model.values() for one, two in combinations(values, 2)]
        repeated += bool(pairs)
        if any(pairs):
            flips[case] = sum(pairs) / len(pairs)
    return SectionStats(".".join(place), len(cases), compared, tuple(alike), repeated, flips)


def deciding_groups(comparison: ComparisonRecord, policy: Policy) -> Iterator[Deciding]:
    """The groups without any one of which a rule on answers would have another outcome."""
    for rule in policy.rules:
        names = rule.metrics_among(comparison.metrics)
        groups = {
            (name.partition(".")[0], group)
            for name in names
            for group in comparison.metrics[name].groups.tolist()
        }
        outcome = rule.judge(comparison, policy.alpha).outcome if groups else "invalid"
        for suite, group in sorted(groups):
            without = rule.judge(without_groups(comparison, {(suite, group)}), policy.alpha).outcome
            if without != outcome:
                who = comparison.candidate.header.target
                metric = rule.metric_name or ", ".join(names)
                yield Deciding(who, metric, rule.require, outcome, group, without)


def gained(suites: tuple[Suite, ...], policy: Policy) -> Iterator[Gained]:
    """What groups of the usual size would add to each rule, as `harness power` reckons."""
    now = planned_metrics(suites, USUAL_DISCORDANCE, weigh=policy.weigh)
    more = {}
    for name, one in now.items():
        size = max(1, round(sum(one.sizes.values()) / max(1, len(one.sizes))))
        added = Counter({f"one more {number}": size for number in range(MORE)})
        more[name] = replace(one, sizes=one.sizes + added)
    for rule in policy.rules:
        before, after = (rule.power_among(one, policy.alpha) for one in (now, more))
        if before.detectable is not None and after.detectable is not None:
            yield Gained(
                rule.metric_name or rule.require,
                rule.require,
                before.groups or 0,
                before.detectable,
                after.detectable,
            )
