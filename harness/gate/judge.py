"""Gate: hold a comparison against a policy, and give the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from harness import stats
from harness.gate.difference import difference
from harness.latency.judge import judge_rule
from harness.records.comparison import Comparison, PairedMetric
from harness.records.policy import (
    AtLeast,
    AtMost,
    BetterThanBaseline,
    MetricRule,
    NoNewCriticalFailures,
    NoWorseThanBaseline,
    Policy,
    RatioAtMost,
    Rule,
    is_latency,
)
from harness.records.run import Run
from harness.records.verdict import Outcome, RuleResult, Verdict, VerdictHashes, decide

CRITICAL = "no_new_critical_failures"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a verdict states besides its numbers; `baseline` is called as the policy calls it."""

    baseline: str
    hashes: VerdictHashes
    harness_version: str
    created: str


def gate(comparison: Comparison, policy: Policy, circumstances: Circumstances) -> Verdict:
    """The verdict: INVALID over BLOCK over INCONCLUSIVE over PROMOTE.

    PROMOTE needs every rule to pass at level alpha: an intersection-union test (Berger 1982),
    which needs no correction for the number of rules.
    """
    problems = doubts(comparison, policy)
    # What cannot be trusted is not judged: a number would be taken for one that can.
    rules = tuple(map(_unjudged, policy.rules)) if problems else judge_rules(comparison, policy)
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
    return (*comparison.problems, *_thin_sections(comparison, policy))


def judge_rules(comparison: Comparison, policy: Policy) -> tuple[RuleResult, ...]:
    """The result of every rule in the policy's order.

    Where a critical case newly fails and no rule asks for that, such a result is added last.
    """
    rules = tuple(_judge(rule, comparison, policy) for rule in policy.rules)
    if new_critical_failures(comparison) and all(rule.require != CRITICAL for rule in rules):
        # Whatever the policy forgot: a new critical failure is never promoted.
        rules = (*rules, _judge_critical(comparison))
    return rules


def new_critical_failures(comparison: Comparison) -> tuple[str, ...]:
    """The critical cases that the baseline passes and the candidate fails, in any repeat."""
    found = {
        case.path for case in comparison.cases if case.critical and case.change == "new_failure"
    }
    return tuple(sorted(found))


def _thin_sections(comparison: Comparison, policy: Policy) -> Iterator[str]:
    """Sections in which either run scored less than the policy's share of what was planned."""
    for run in (comparison.candidate, comparison.baseline):
        yield from thin_sections(run, policy.min_scored)


def thin_sections(run: Run, min_scored: float) -> Iterator[str]:
    """The sections of a run with scores for less than that share of what was planned, in words."""
    scored = Counter(
        (score.suite, score.section) for score in run.scores if score.status == "scored"
    )
    for section in run.header.sections:
        share = scored[section.suite, section.section] / section.planned
        if share < min_scored:
            name = f"{section.suite}.{section.section}"
            why = run.trouble_in(section.suite, section.section)
            yield (
                f"`{run.header.target}` has scores for {100 * share:.1f} % of {name}, "
                f"{100 * min_scored:g} % are needed" + (f" ({why})" if why else "")
            )


def _judge(rule: Rule, comparison: Comparison, policy: Policy) -> RuleResult:
    if isinstance(rule, NoNewCriticalFailures):
        return _judge_critical(comparison)
    if isinstance(rule, RatioAtMost | AtMost) and is_latency(rule.metric):
        if comparison.latency is None:
            return _invalid(rule, f"{rule.metric} was not measured")
        return judge_rule(rule, comparison.latency)
    metric = comparison.metrics.get(rule.metric)
    if metric is None:
        reason = f"no evidence for {rule.metric}: no case on both sides has a value of it"
        return _invalid(rule, reason)
    try:
        if isinstance(rule, AtLeast | AtMost):
            return _judge_value(rule, metric, policy)
        if isinstance(rule, RatioAtMost):
            return _judge_ratio(rule, metric, policy)
        return _judge_difference(rule, metric, policy)
    except ValueError as error:
        return _invalid(rule, f"{rule.metric} cannot be computed: {error}")


def _judge_critical(comparison: Comparison) -> RuleResult:
    critical = [case for case in comparison.cases if case.critical]
    unknown = sorted({case.path for case in critical if case.change == "not_comparable"})
    failures = new_critical_failures(comparison)
    n = len({case.path for case in critical})
    outcome: Outcome
    if failures:
        outcome, reason = (
            "fail",
            f"{len(failures)} of {n} critical cases newly failed: {failures[0]}",
        )
    elif unknown:
        outcome, reason = "invalid", f"critical cases without a score on both sides: {unknown[0]}"
    elif not critical:
        outcome, reason = "invalid", "the suites mark no case as critical"
    else:
        outcome, reason = "pass", f"none of {n} critical cases is newly failed"
    return RuleResult(metric=None, require=CRITICAL, outcome=outcome, n=n, reason=reason)


def _limit(rule: MetricRule) -> float:
    """The value that the rule's interval is held against."""
    if isinstance(rule, BetterThanBaseline):
        return rule.by
    return -rule.margin if isinstance(rule, NoWorseThanBaseline) else rule.value


def _unjudged(rule: Rule) -> RuleResult:
    metric = None if isinstance(rule, NoNewCriticalFailures) else rule.metric
    reason = f"{metric or rule.require} is not judged: the evidence cannot be trusted"
    return RuleResult(metric=metric, require=rule.require, outcome="invalid", reason=reason)


def _invalid(rule: MetricRule, reason: str) -> RuleResult:
    return RuleResult(
        metric=rule.metric,
        require=rule.require,
        outcome="invalid",
        limit=_limit(rule),
        reason=reason,
    )


def _judge_difference(
    rule: BetterThanBaseline | NoWorseThanBaseline, metric: PairedMetric, policy: Policy
) -> RuleResult:
    limit = _limit(rule)
    interval = difference(metric, policy.alpha)
    outcome = interval.at_least(limit)
    if isinstance(rule, BetterThanBaseline):
        words = {
            "pass": f"is better than the baseline by more than {rule.by:g}",
            "fail": f"is not better than the baseline by {rule.by:g}",
            "inconclusive": f"may or may not be better than the baseline by {rule.by:g}",
        }
    else:
        words = {
            "pass": f"is no more than {rule.margin:g} worse than the baseline",
            "fail": f"is worse than the baseline by more than {rule.margin:g}",
            "inconclusive": f"may or may not be worse than the baseline by {rule.margin:g}",
        }
    reason = f"{rule.metric} {words[outcome]}: {_signed(interval)}"
    return _result(rule, metric, interval, (outcome, reason))


def _judge_value(rule: AtLeast | AtMost, metric: PairedMetric, policy: Policy) -> RuleResult:
    interval = _value(metric, policy)
    at_least = isinstance(rule, AtLeast)
    if rule.evidence == "point":
        meets = interval.estimate >= rule.value if at_least else interval.estimate <= rule.value
        outcome: Outcome = "pass" if meets else "fail"
    else:
        outcome = (interval.at_least if at_least else interval.at_most)(rule.value)
    bound = f"{'at least' if at_least else 'at most'} {rule.value:g}"
    if rule.evidence == "point":
        bound += ", by its estimate alone"
    words = {
        "pass": f"is {bound}",
        "fail": f"is not {bound}",
        "inconclusive": f"may or may not be {bound}",
    }
    reason = f"{rule.metric} {words[outcome]}: {_plain(interval)}"
    return _result(rule, metric, interval, (outcome, reason))


def _judge_ratio(rule: RatioAtMost, metric: PairedMetric, policy: Policy) -> RuleResult:
    if not metric.is_mean:
        raise ValueError("a ratio of a metric that is not a mean over cases is not defined here")
    interval = stats.paired_ratio(
        metric.candidate_num,
        metric.baseline_num,
        metric.groups,
        alpha=policy.alpha,
        ceiling=1.0,  # a suite's metrics are shares
        missing=metric.missing,
    )
    outcome = interval.at_most(rule.value)
    words = {
        "pass": f"is at most {rule.value:g} times the baseline's",
        "fail": f"is more than {rule.value:g} times the baseline's",
        "inconclusive": f"may or may not be {rule.value:g} times the baseline's",
    }
    reason = f"{rule.metric} {words[outcome]}: {_plain(interval)}"
    return _result(rule, metric, interval, (outcome, reason))


def _value(metric: PairedMetric, policy: Policy) -> stats.Interval:
    return stats.ratio_of_sums(
        metric.candidate_num,
        metric.candidate_den,
        metric.groups,
        alpha=policy.alpha,
        missing=metric.missing,
    )


def _result(
    rule: MetricRule,
    metric: PairedMetric,
    interval: stats.Interval,
    decided: tuple[Outcome, str],
) -> RuleResult:
    outcome, reason = decided
    if metric.missing.size:
        count = f"{metric.missing.size} case{'s' if metric.missing.size > 1 else ''}"
        point = isinstance(rule, AtLeast | AtMost) and rule.evidence == "point"
        what = "left out" if point else "taken for lost below and won above"
        reason += f"; {count} without a score {what}"
    return RuleResult(
        metric=rule.metric,
        require=rule.require,
        outcome=outcome,
        candidate=metric.candidate_value,
        baseline=metric.baseline_value,
        estimate=interval.estimate,
        ci_low=interval.low,
        ci_high=interval.high,
        limit=_limit(rule),
        p_value=None if isinstance(rule, AtLeast | AtMost) else interval.p_value,
        n=interval.n,
        groups=interval.groups,
        reason=reason,
    )


def _signed(interval: stats.Interval) -> str:
    return f"{interval.estimate:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def _plain(interval: stats.Interval) -> str:
    return f"{interval.estimate:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
