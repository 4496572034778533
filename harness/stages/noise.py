"""Noise: hold a target against itself, to see what the gate makes of no difference at all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from harness.errors import EvidenceError
from harness.records.comparison import Comparison
from harness.records.noise import MetricNoise, Noise, RuleNoise, SectionNoise
from harness.records.policy import NoNewCriticalFailures, Policy
from harness.records.run import Run, SectionPlan
from harness.records.suite import Suite
from harness.records.verdict import Outcome, RuleResult, decide
from harness.stages.compare import compare
from harness.stages.gate import judge_rules, thin_sections

LATENCY = "latency."


def measure_noise(run: Run, suites: Sequence[Suite], policy: Policy, created: str) -> Noise:
    """What every pair of the run's repeats differs in, and what the policy says of each.

    Rules on latency are left out: the answers to the suites say nothing about them.

    Raises:
        EvidenceError: there is only one repeat, or one with too few scores for the policy.
    """
    header = run.header
    repeats = int(header.generation["repeats"])
    if repeats < 2:
        raise EvidenceError(
            f"`{header.target}` was asked once, its noise shows between two askings",
            hint="give --repeats 2 or more",
        )
    askings = [_asking(run, repeat, repeats) for repeat in range(repeats)]
    for asking in askings:
        for problem in thin_sections(asking, policy.min_scored):
            raise EvidenceError(problem, hint="ask again when the server answers")
    pairs = list(combinations(askings, 2))
    forth = [compare(ours, theirs, suites, askings=True) for ours, theirs in pairs]
    back = [compare(theirs, ours, suites, askings=True) for ours, theirs in pairs]
    judged = [(each.problems, judge_rules(each, _of_suites(policy))) for each in (*forth, *back)]
    verdicts = Counter(decide(said, (rule.outcome for rule in rules)) for said, rules in judged)
    return Noise(
        target=header.target,
        run=header.run_id,
        identity=header.identity,
        system_prompts=header.system_prompts,
        suites=header.suites,
        generation=header.generation,
        alpha=policy.alpha,
        repeats=repeats,
        pairs=len(pairs),
        sections=tuple(_section(plan, forth) for plan in askings[0].header.sections),
        metrics=tuple(_metrics(run, askings, forth)),
        rules=tuple(_rules([rules for _, rules in judged])),
        verdicts=dict(verdicts),
        flip_rate=_flip_rate(verdicts),
        created=created,
    )


def _asking(run: Run, repeat: int, repeats: int) -> Run:
    """One repeat of the run as a run of its own."""
    header = run.header
    sections = (
        plan.model_copy(update={"planned": plan.planned // repeats}) for plan in header.sections
    )
    alone = {
        "generation": {**header.generation, "repeats": 1},
        "sections": tuple(sections),
        "planned": header.planned // repeats,
    }
    return Run(
        header=header.model_copy(update=alone),
        attempts=tuple(item for item in run.attempts if item.repeat == repeat),
        # All of repeat 0, so that one asking's cases find the other's.
        scores=tuple(
            item.model_copy(update={"repeat": 0}) for item in run.scores if item.repeat == repeat
        ),
    )


def _of_suites(policy: Policy) -> Policy:
    rules = tuple(
        rule
        for rule in policy.rules
        if isinstance(rule, NoNewCriticalFailures) or not rule.metric.startswith(LATENCY)
    )
    return policy.model_copy(update={"rules": rules})


def _section(plan: SectionPlan, pairs: Sequence[Comparison]) -> SectionNoise:
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
        cases=plan.planned,
        flips=_share(case.change in ("new_failure", "fixed") for case in judged),
        texts=_share(case.candidate_attempt.text != case.baseline_attempt.text for case in judged),
    )


def _share(found: Iterable[bool]) -> float:
    told = list(found)
    return sum(told) / len(told)


def _metrics(
    run: Run, askings: Sequence[Run], pairs: Sequence[Comparison]
) -> Iterator[MetricNoise]:
    values = [asking.metrics() for asking in askings]
    for name in run.metrics():
        own = [value[name] for value in values if name in value]
        gaps = [gap for pair in pairs if (gap := _gap(pair, name)) is not None]
        if gaps:
            yield MetricNoise(
                metric=name,
                value=sum(own) / len(own),
                noise=math.sqrt(sum(gap * gap for gap in gaps) / len(gaps)),
                largest=max(abs(gap) for gap in gaps),
            )


def _gap(pair: Comparison, name: str) -> float | None:
    """What the gate would take for the difference; None where a side has no value."""
    metric = pair.metrics.get(name)
    if metric is None or metric.candidate_value is None or metric.baseline_value is None:
        return None
    return metric.candidate_value - metric.baseline_value


def _rules(judged: Sequence[Sequence[RuleResult]]) -> Iterator[RuleNoise]:
    """Each rule's outcomes; that on critical cases, where the policy forgot it, if it ever fails.

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
