"""What a verdict is without the groups of cases that stand in training data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from harness.gate.differences import bounded, policy_caps
from harness.records.comparison import ComparisonRecord, PairedMetric
from harness.records.leakage import Leakage, LeakedCase, MetricWithout
from harness.records.rule import Policy, kind_of
from harness.records.suite import counted
from harness.records.verdict import EvidenceWarning, Outcome, RuleResult, RuleWithout

EXAMPLES = 5
# From bad to worse: without the leaked groups a rule may only lose.
_WORSE: tuple[Outcome, ...] = ("pass", "inconclusive", "fail", "invalid")
_AWAY = "without the leaked groups"


def leaked_groups(comparison: ComparisonRecord) -> frozenset[tuple[str, str]]:
    """The suites and names of the groups that a leaked case is in, as the comparison groups them.

    A group is one fact or one family of paraphrases, in whichever sections of a suite it is asked.
    """
    if comparison.leakage is None:
        return frozenset()
    paths = set(comparison.leakage.paths)
    return frozenset((case.suite, case.group) for case in comparison.cases if case.path in paths)


def without_leaks(comparison: ComparisonRecord) -> ComparisonRecord:
    """The comparison without the cases of leaked groups, on both sides."""
    return without_groups(comparison, leaked_groups(comparison))


def without_groups(
    comparison: ComparisonRecord, left_out: Collection[tuple[str, str]]
) -> ComparisonRecord:
    """The comparison without the cases of these groups, each with its suite, on both sides."""
    cut = {
        name: _without(metric, [group for suite, group in left_out if suite == name.split(".")[0]])
        for name, metric in comparison.metrics.items()
    }
    return replace(
        comparison,
        metrics={name: metric for name, metric in cut.items() if metric is not None},
        cases=tuple(case for case in comparison.cases if (case.suite, case.group) not in left_out),
    )


def _without(metric: PairedMetric, leaked: Sequence[str]) -> PairedMetric | None:
    """The metric without these groups, None where no case is left."""
    if not leaked:
        return metric
    kept = ~np.isin(metric.groups, leaked)
    if not kept.any():
        return None
    return replace(
        metric,
        candidate_num=metric.candidate_num[kept],
        candidate_den=metric.candidate_den[kept],
        baseline_num=metric.baseline_num[kept],
        baseline_den=metric.baseline_den[kept],
        groups=metric.groups[kept],
        cases=None if metric.cases is None else metric.cases[kept],
        missing=metric.missing[~np.isin(metric.missing, leaked)],
        alone=None if metric.alone is None else _without(metric.alone, leaked),
    )


def adjusted(
    rules: Sequence[RuleResult],
    clean: Sequence[RuleResult],
    comparison: ComparisonRecord,
    policy: Policy,
) -> tuple[RuleResult, ...]:
    """The rules' results, each no better than its result on the `clean` cases alone.

    What a guard finds on the clean cases only is added.
    """
    others = {(one.metric, one.require): one for one in clean[len(policy.rules) :]}
    found = []
    for place, result in enumerate(rules):
        of_policy = place < len(policy.rules)
        other = clean[place] if of_policy else others.pop((result.metric, result.require), None)
        if other is None or other == result:
            found.append(result)
        else:
            found.append(_adjusted(result, other, comparison, strict=policy.leaks != "warn"))
    if policy.leaks != "warn":
        found += [
            one.model_copy(update={"reason": f"{_AWAY} {one.reason}"}) for one in others.values()
        ]
    return tuple(found)


def _adjusted(
    result: RuleResult, clean: RuleResult, comparison: ComparisonRecord, *, strict: bool
) -> RuleResult:
    numbers = RuleWithout(
        outcome=clean.outcome,
        candidate=clean.candidate,
        baseline=clean.baseline,
        estimate=clean.estimate,
        ci_low=clean.ci_low,
        ci_high=clean.ci_high,
        n=clean.n,
        groups=clean.groups,
    )
    told = result.model_copy(update={"without_leaked": numbers})
    worse = _WORSE.index(clean.outcome) > _WORSE.index(result.outcome)
    if not strict or not worse or result.outcome == "fail":
        return told
    if result.outcome == "pass" and not (clean.outcome == "inconclusive" and _reaches(clean)):
        leaked = _leaked_of(result, comparison)
        reason = (
            f"the gain lives in {counted(leaked, 'leaked case')}: {_AWAY} {clean.reason}; with "
            f"them {result.reason}"
        )
        return told.model_copy(update={"outcome": "invalid", "reason": reason})
    reason = f"{_AWAY} {clean.reason}; with them {result.reason}"
    return told.model_copy(update={"outcome": clean.outcome, "reason": reason})


def _reaches(clean: RuleResult) -> bool:
    """Whether the estimate alone is on the good side of the limit: too few cases, no lost gain."""
    if clean.estimate is None or clean.limit is None:
        return False
    above = kind_of(clean).good_above(clean)
    return clean.estimate > clean.limit if above else clean.estimate < clean.limit


def _leaked_of(result: RuleResult, comparison: ComparisonRecord) -> int:
    """How many leaked cases the rule goes by: those of its metric's section, else all."""
    assert comparison.leakage is not None
    paths = comparison.leakage.paths
    place = (result.metric or "").rpartition(".")[0].replace(".", "/")
    return sum(path.startswith(f"{place}/") for path in paths) or len(paths)


def judged_leakage(
    comparison: ComparisonRecord, policy: Policy, *, trusted: bool
) -> Leakage | None:
    """What a verdict tells of leaks: every metric without the leaked groups beside it.

    Where the evidence cannot be trusted, no metric is told.
    """
    leakage = comparison.leakage
    if leakage is None:
        return None
    leaked = leaked_groups(comparison)
    gone = {case.path for case in comparison.cases if (case.suite, case.group) in leaked}
    clean, caps = without_leaks(comparison), policy_caps(policy)
    found = [
        _metric(name, metric, clean.metrics.get(name), policy.alpha, caps.get(name))
        for name, metric in comparison.metrics.items()
        if trusted and _changed(metric, clean.metrics.get(name))
    ]
    return leakage.model_copy(
        update={"groups": len(leaked), "left_out": len(gone), "metrics": tuple(found)}
    )


def _changed(metric: PairedMetric, clean: PairedMetric | None) -> bool:
    return clean is None or clean.groups.size != metric.groups.size


def _metric(
    name: str, metric: PairedMetric, clean: PairedMetric | None, alpha: float, cap: float | None
) -> MetricWithout:
    told = MetricWithout(
        metric=name,
        candidate=metric.candidate_value,
        baseline=metric.baseline_value,
        n=0 if clean is None else clean.n,
        groups=0 if clean is None else len(set(clean.groups)),
        definition=metric.metric.unless_share,
    )
    if clean is None:
        return told
    own = {
        "candidate_without": clean.candidate_value,
        "baseline_without": clean.baseline_value,
        "gain_without": clean.gap,
    }
    try:
        interval = bounded(clean, cap).difference(alpha)
        own |= {"ci_low": interval.low, "ci_high": interval.high}
    except ValueError:
        pass  # fewer than two groups, or no bounds: the values alone are told
    return told.model_copy(update=own)


def leak_problems(comparison: ComparisonRecord, policy: Policy) -> Iterator[str]:
    """What is not known of the candidate's training data, where the policy asks for all of it."""
    if policy.leaks != "known":
        return
    name = comparison.candidate.header.target
    of = [] if comparison.leakage is None else comparison.leakage.training
    data = next((one for one in of if one.target == name), None)
    if data is None or not data.known:
        yield f"the training data of `{name}` is not known, and `gate.leaks: known` asks for it"
    elif data.problems:
        yield f"the training data of `{name}` could not be compared: {data.problems[0]}"


def leak_warnings(comparison: ComparisonRecord) -> Iterator[EvidenceWarning]:
    """Leaked cases by section and side, critical ones by themselves, and data that is missing."""
    leakage = comparison.leakage
    if leakage is None:
        return
    for data in leakage.training:
        for problem in data.problems:
            yield EvidenceWarning(code="training-data", place=data.target, what=problem)
    by_place: dict[tuple[str, str], list[LeakedCase]] = {}
    for one in leakage.leaked:
        place = ".".join(one.case.split("/")[:2])
        by_place.setdefault((place, one.target), []).append(one)
    for (place, target), leaked in by_place.items():
        kinds = Counter(one.kind for one in leaked)
        words = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        yield EvidenceWarning(
            code="leaked",
            place=place,
            what=(
                f"{counted(len(leaked), 'prompt')} of cases in the training data of `{target}` "
                f"({words}), such as at {leaked[0].place}"
            ),
            cases=tuple(one.case for one in leaked[:EXAMPLES]),
        )
    critical = dict.fromkeys(one.case for one in leakage.leaked if one.critical)
    if critical:
        yield EvidenceWarning(
            code="leaked-critical",
            place=comparison.candidate.header.target,
            what=f"{counted(len(critical), 'critical case')} leaked: to pass there proves nothing",
            cases=tuple(critical)[:EXAMPLES],
        )
