"""Judge a comparison by the rules of a policy, and give the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.errors import ConfigError
from harness.gate.rules.no_new_critical_failures import (
    CRITICAL,
    NoNewCriticalFailures,
    new_critical_failures,
)
from harness.records.comparison import Comparison
from harness.records.rule import Policy
from harness.records.run import Run, SectionPlan
from harness.records.suite import Suite
from harness.records.verdict import RuleResult, Verdict, VerdictHashes, decide


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a verdict states besides its numbers; `baseline` is called as the policy calls it."""

    baseline: str
    hashes: VerdictHashes
    harness_version: str
    created: str


def check_policy(policy: Policy, suites: Sequence[Suite], place_of: Callable[[str], str]) -> None:
    """Check that every rule fits the metrics of the suites.

    `place_of` gives the place of a key such as `gate.rules[0].metric`, for errors.

    Raises:
        ConfigError: a rule's metric does not exist, or can never have the rule's value.
    """
    known = {name: metric for suite in suites for name, metric in suite.definitions()}
    for place, rule in enumerate(policy.rules):
        found = rule.misfit(known)
        if found is not None:
            where = place_of(f"gate.rules[{place}].{found.key}")
            raise ConfigError(found.problem, where=where, hint=found.hint)


def gate(comparison: Comparison, policy: Policy, circumstances: Circumstances) -> Verdict:
    """The verdict: INVALID over BLOCK over INCONCLUSIVE over PROMOTE.

    PROMOTE needs every rule to pass at level alpha: an intersection-union test (Berger 1982),
    which needs no correction for the number of rules.
    """
    problems = doubts(comparison, policy)
    # What cannot be trusted is not judged: a number would be taken for one that can.
    rules = (
        tuple(rule.unjudged() for rule in policy.rules)
        if problems
        else judge_rules(comparison, policy)
    )
    return Verdict(
        verdict=decide(problems, (rule.outcome for rule in rules)),
        candidate=comparison.candidate.header.target,
        baseline=circumstances.baseline,
        alpha=policy.alpha,
        rules=rules,
        problems=problems,
        new_critical_failures=new_critical_failures(comparison),
        accounting=comparison.candidate.summary.accounting,
        baseline_accounting=comparison.baseline.summary.accounting,
        spending=comparison.candidate.spending,
        baseline_spending=comparison.baseline.spending,
        latency=comparison.latency,
        hashes=circumstances.hashes,
        candidate_run=comparison.candidate.header.run_id,
        baseline_run=comparison.baseline.header.run_id,
        harness_version=circumstances.harness_version,
        created=circumstances.created,
    )


def doubts(comparison: Comparison, policy: Policy) -> tuple[str, ...]:
    """Every reason not to trust the comparison: its own, and sections with too few scores."""
    runs = (comparison.candidate, comparison.baseline)
    thin = (problem for run in runs for _, problem in thin_sections(run, policy.min_scored))
    return (*comparison.problems, *thin)


def judge_rules(comparison: Comparison, policy: Policy) -> tuple[RuleResult, ...]:
    """The result of every rule in the policy's order.

    Where a critical case newly fails and no rule covers that, such a result is added last.
    """
    rules = tuple(rule.judge(comparison, policy.alpha) for rule in policy.rules)
    if new_critical_failures(comparison) and all(rule.require != CRITICAL for rule in rules):
        # Whatever the policy forgot: a new critical failure is never promoted.
        added = NoNewCriticalFailures(require=CRITICAL)
        rules = (*rules, added.judge(comparison, policy.alpha))
    return rules


def thin_sections(run: Run, min_scored: float) -> Iterator[tuple[SectionPlan, str]]:
    """The sections of a run with scores for less than that share of their plan, and in words."""
    scored = Counter(
        (score.suite, score.section) for score in run.scores if score.status == "scored"
    )
    for section in run.header.sections:
        share = scored[section.suite, section.section] / section.planned
        if share < min_scored:
            why = run.trouble_in(section.suite, section.section)
            yield (
                section,
                f"`{run.header.target}` has scores for {100 * share:.1f} % of "
                f"{section.suite}.{section.section}, {100 * min_scored:g} % are needed"
                + (f" ({why})" if why else ""),
            )
