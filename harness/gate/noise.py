"""A/A test: compare a target with itself, to measure the noise of the gate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any

from harness.errors import EvidenceError
from harness.gate.compare import compare
from harness.gate.judge import judge_rules, thin_sections
from harness.records.comparison import ComparisonRecord
from harness.records.noise import MetricNoise, Noise, RuleNoise, SectionNoise
from harness.records.rule import Policy, kind_of
from harness.records.run import RunRecord, SectionPlan
from harness.records.suite import Suite
from harness.records.verdict import Outcome, RuleResult, decide


def measure_noise(
    run: RunRecord, suites: Sequence[Suite], policy: Policy, created: str, repeats: int = 1
) -> Noise:
    """The differences of every pair of the run's askings, and the policy's outcomes on each.

    An asking is one block of as many `repeats` as a gate uses. Rules on latency and on Python
    tests are left out: the answers to the suites say nothing about them.

    Raises:
        EvidenceError: there is only one asking, one has too few scores for the policy, or a rule
            cannot be judged.
    """
    header = run.header
    count = int(header.generation["repeats"]) // repeats
    if count < 2:
        raise EvidenceError(
            f"`{header.target}` was asked once, its noise shows between two askings",
            hint="give --repeats 2 or more",
        )
    asked = _of_cases(policy, suites)
    askings = [_asking(run, number, repeats) for number in range(count)]
    for asking in askings:
        _check_scored(asking, policy)
    pairs = list(combinations(askings, 2))
    how = partial(compare, suites=suites, askings=True, weigh=policy.weigh)
    forth = [how(ours, theirs) for ours, theirs in pairs]
    back = [how(theirs, ours) for ours, theirs in pairs]
    judged = [(each.problems, judge_rules(each, asked)) for each in (*forth, *back)]
    for problems, results in judged:
        _check_valid(problems, results)
    verdicts = Counter(
        decide(problems, (rule.outcome for rule in rules)) for problems, rules in judged
    )
    return Noise(
        target=header.target,
        run=header.run_id,
        identity=header.identity,
        system_prompts=header.system_prompts,
        suites=header.suites,
        generation=askings[0].header.generation,
        alpha=policy.alpha,
        askings=count,
        repeats=repeats,
        pairs=len(pairs),
        sections=tuple(_section(plan, repeats, forth) for plan in askings[0].header.sections),
        metrics=tuple(_metrics(run, askings, forth)),
        rules=tuple(_rules([rules for _, rules in judged])),
        verdicts=dict(verdicts),
        flip_rate=_flip_rate(verdicts),
        created=created,
    )


def false_alarms(rule: RuleNoise) -> int:
    """The number of outcomes that report a change, though nothing changed."""
    wrong = kind_of(rule).false_alarm
    return 0 if wrong is None else rule.outcomes.get(wrong, 0)


def _asking(run: RunRecord, number: int, repeats: int) -> RunRecord:
    """One block of repeats as a run of its own, numbered from 0 so that cases pair."""
    header = run.header
    block = range(number * repeats, (number + 1) * repeats)
    share = int(header.generation["repeats"]) // repeats
    sections = (
        plan.model_copy(update={"planned": plan.planned // share}) for plan in header.sections
    )
    alone = {
        "generation": {**header.generation, "repeats": repeats},
        "sections": tuple(sections),
        "planned": header.planned // share,
    }
    return RunRecord(
        header=header.model_copy(update=alone),
        attempts=tuple(
            item.model_copy(update={"repeat": item.repeat - block.start})
            for item in run.attempts
            if item.repeat in block
        ),
        scores=tuple(
            item.model_copy(update={"repeat": item.repeat - block.start})
            for item in run.scores
            if item.repeat in block
        ),
    )


def _check_scored(asking: RunRecord, policy: Policy) -> None:
    """Refuse an asking in which a section has too few scores, with a hint that fits the cause."""
    for plan, problem in thin_sections(asking, policy):
        count = Counter(
            item.status for item in asking.scores if item.place == (plan.suite, plan.section)
        )
        hint = "ask again when the server answers"
        if count["unscored"] > count["failed"]:
            hint = "asking again does not help: correct what leaves these answers without a score"
        raise EvidenceError(problem, hint=hint)


def _check_valid(problems: Sequence[str], results: Sequence[RuleResult]) -> None:
    """Refuse evidence that gives no outcome: it would count as one that never flips."""
    invalid = (result.reason for result in results if result.outcome == "invalid")
    for reason in (*problems, *invalid):
        raise EvidenceError(reason)


def _of_cases(policy: Policy, suites: Sequence[Suite]) -> Policy:
    """The policy without rules that the suites' cases say nothing about."""
    tested = {
        f"{suite.name}.{section.name}.{metric.name}"
        for suite in suites
        for section in suite.worked
        for metric in section.metrics
    }
    rules = tuple(
        rule
        for rule in policy.rules
        if rule.decided_by == "answers" and not rule.metrics_among(tested)
    )
    return policy.model_copy(update={"rules": rules})


def _section(plan: SectionPlan, repeats: int, pairs: Sequence[ComparisonRecord]) -> SectionNoise:
    cases = [
        case
        for pair in pairs
        for case in pair.cases
        if (case.suite, case.section) == (plan.suite, plan.section)
    ]
    judged = [case for case in cases if case.change != "not_comparable"]
    if not judged:
        raise EvidenceError(f"no case of {plan.suite}.{plan.section} has a score in two askings")
    return SectionNoise(
        suite=plan.suite,
        section=plan.section,
        cases=plan.planned // repeats,
        flips=_share(case.change in ("new_failure", "fixed") for case in judged),
        texts=_share(case.candidate_attempt.text != case.baseline_attempt.text for case in judged),
    )


def _share(found: Iterable[bool]) -> float:
    outcomes = list(found)
    return sum(outcomes) / len(outcomes)


def _metrics(
    run: RunRecord, askings: Sequence[RunRecord], pairs: Sequence[ComparisonRecord]
) -> Iterator[MetricNoise]:
    values = [asking.summary.metrics for asking in askings]
    for name in run.summary.metrics:
        own = [value[name] for value in values if name in value]
        gaps = [gap for pair in pairs if (gap := _gap(pair, name)) is not None]
        if gaps:
            yield MetricNoise(
                metric=name,
                value=sum(own) / len(own),
                noise=math.sqrt(sum(gap * gap for gap in gaps) / len(gaps)),
                largest=max(abs(gap) for gap in gaps),
            )


def _gap(pair: ComparisonRecord, name: str) -> float | None:
    """The difference as a gate computes it; None where a side has no value."""
    metric = pair.metrics.get(name)
    if metric is None or metric.candidate_value is None or metric.baseline_value is None:
        return None
    return metric.candidate_value - metric.baseline_value


def _rules(judged: Sequence[Sequence[RuleResult]]) -> Iterator[RuleNoise]:
    """Each rule's outcomes, and those of the implied rule on critical cases, if it ever fails.

    Such a result comes last and only where it fails, so its absence is a pass.
    """
    common = min(len(results) for results in judged)
    for results in zip(*(results[:common] for results in judged), strict=True):
        yield _rule(results[0], Counter(result.outcome for result in results))
    added = [results[common] for results in judged if len(results) > common]
    if added:
        outcomes = Counter(result.outcome for result in added)
        outcomes["pass"] += len(judged) - len(added)
        yield _rule(added[0], outcomes)


def _rule(example: RuleResult, outcomes: Counter[Outcome]) -> RuleNoise:
    return RuleNoise(
        metric=example.metric,
        require=example.require,
        limit=example.limit,
        outcomes=dict(outcomes),
        flip_rate=_flip_rate(outcomes),
    )


def _flip_rate(count: Mapping[Any, int]) -> float:
    return 1.0 - max(count.values()) / sum(count.values())
