"""What a policy says of a comparison: the verdict by its rules, and the power of each rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import ConfigError
from harness.gate.askings import asking_problems, asking_warnings
from harness.gate.duplicates import duplicate_warnings, merged_groups
from harness.gate.guards import guard_warnings
from harness.gate.instruments import warnings_of
from harness.gate.leaks import (
    adjusted,
    judged_leakage,
    leak_problems,
    leak_warnings,
    leaked_groups,
    without_leaks,
)
from harness.gate.rules.finishes import FINISHES, FinishesNoWorse
from harness.gate.rules.no_critical_failures import NO_CRITICAL, critical_failures
from harness.gate.rules.no_new_critical_failures import (
    CRITICAL,
    NoNewCriticalFailures,
    new_critical_failures,
)
from harness.gate.stopping import replay, up_to
from harness.gate.vacuous import NO_RULE, vacuous_rules, vacuous_warnings
from harness.records.attempt import UNDETERMINED, Attempt, Score
from harness.records.comparison import ComparisonRecord, Weigh
from harness.records.history import PromotionException
from harness.records.rule import Misfit, Planned, Policy, Rule
from harness.records.run import RunRecord, SectionPlan
from harness.records.suite import Case, Suite
from harness.records.verdict import (
    EarlyEnd,
    RulePower,
    RuleResult,
    Verdict,
    VerdictHashes,
    decide,
)
from harness.run.score import Scoring

AUDITED_BY_CASES = "people's labels are weighed by cases, so `weigh: groups` does not go with them"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a verdict states besides its numbers; `baseline` is called as the policy calls it.

    The `exception` is that of a promotion.
    """

    baseline: str
    hashes: VerdictHashes
    harness_version: str
    created: str
    exception: PromotionException | None = None


def check_policy(policy: Policy, suites: Sequence[Suite], place_of: Callable[[str], str]) -> None:
    """Check that every rule fits the metrics of the suites.

    `place_of` gives the place of a key such as `gate.rules[0].metric`, for errors.

    Raises:
        ConfigError: a rule's metric does not exist, or can never have the rule's value.
    """
    known = {name: metric for suite in suites for name, metric in suite.definitions()}
    for place, rule in enumerate(policy.rules):
        found = rule.misfit(known) or rule.misfit_in(suites) or _on_optional(rule, suites)
        if found is None and rule.audited and policy.weigh == "groups":
            found = Misfit("evidence", AUDITED_BY_CASES, "take `weigh` or `evidence` out")
        if found is not None:
            where = place_of(f"gate.rules[{place}].{found.key}")
            raise ConfigError(found.problem, where=where, hint=found.hint)


def _on_optional(rule: Rule, suites: Sequence[Suite]) -> Misfit | None:
    """What is wrong with a rule on a section without whose results a gate goes on."""
    for suite in suites:
        for section in suite.sections:
            place = f"{suite.name}.{section.name}"
            names = {f"{place}.{metric.name}" for metric in section.metrics}
            if section.optional and rule.metrics_among(names):
                what = f"{place} is optional, so that a gate may have no results of it"
                return Misfit("metric", what, f"take `optional` out of {suite.name}'s suite.yaml")
    return None


def gate(comparison: ComparisonRecord, policy: Policy, circumstances: Circumstances) -> Verdict:
    """The verdict: INVALID over BLOCK over INCONCLUSIVE over PROMOTE.

    PROMOTE needs every rule to pass at level alpha: an intersection-union test (Berger 1982),
    which needs no correction for the number of rules.
    """
    problems = doubts(comparison, policy)
    warnings = (
        *asking_warnings(comparison, policy),
        *duplicate_warnings(comparison),
        *warnings_of(comparison, policy),
        *comparison.signs,
        *leak_warnings(comparison),
    )
    rules: tuple[RuleResult, ...] = ()
    ended = None
    if not problems:
        rules, ended = _judged(comparison, policy)
        vacuous = vacuous_rules(comparison, policy, rules)
        promoted = decide(problems, (rule.outcome for rule in rules)) == "PROMOTE"
        if promoted and all(vacuous):
            problems = (NO_RULE,)
        floors = {one.place for one in warnings if one.code == "floor"}
        found = vacuous_warnings(comparison, policy, vacuous)
        warnings = (
            *guard_warnings(comparison, policy, rules),
            *warnings,
            *(one for one in found if one.place not in floors),
        )
    if problems:
        # What cannot be trusted is not judged: a number would be taken for one that can.
        rules = tuple(rule.unjudged() for rule in policy.rules)
    return Verdict(
        verdict=decide(problems, (rule.outcome for rule in rules)),
        candidate=comparison.candidate.header.target,
        baseline=circumstances.baseline,
        alpha=policy.alpha,
        rules=rules,
        problems=problems,
        warnings=warnings,
        new_critical_failures=new_critical_failures(comparison),
        critical_failures=critical_failures(comparison),
        accounting=comparison.candidate.summary.accounting,
        baseline_accounting=comparison.baseline.summary.accounting,
        spending=comparison.candidate.spending,
        baseline_spending=comparison.baseline.spending,
        latency=comparison.latency,
        leakage=judged_leakage(comparison, policy, trusted=not problems),
        ended=ended,
        hashes=circumstances.hashes,
        candidate_run=comparison.candidate.header.run_id,
        baseline_run=comparison.baseline.header.run_id,
        harness_version=circumstances.harness_version,
        created=circumstances.created,
    )


def doubts(comparison: ComparisonRecord, policy: Policy) -> tuple[str, ...]:
    """Every reason not to trust the comparison.

    Its own, sections with too few scores, and sides that were asked differently.
    """
    runs = (comparison.candidate, comparison.baseline)
    thin = (problem for run in runs for _, problem in thin_sections(run, policy))
    return (
        *comparison.problems,
        *asking_problems(comparison, policy),
        *leak_problems(comparison, policy),
        *thin,
        *_unfinished(comparison, policy),
    )


def next_look(comparison: ComparisonRecord, policy: Policy) -> Mapping[str, int] | None:
    """Up to which look each section is to be asked next, by `suite.section`; None at the end."""
    found = replay(comparison, policy, _judge_all)
    return None if found.ended is not None else found.wanted


def _unfinished(comparison: ComparisonRecord, policy: Policy) -> Iterator[str]:
    asked = {case.path for case in comparison.cases}
    if comparison.look_of.keys() <= asked:
        return  # the last look has all of them
    if next_look(comparison, policy) is not None:
        yield "the gate is not at its end: a look that it needs was not asked in full"


def judge_rules(comparison: ComparisonRecord, policy: Policy) -> tuple[RuleResult, ...]:
    """The result of every rule in the policy's order.

    Where answers do not come to their end any more, or a critical case newly fails, and no rule
    covers that, such results are added last. No result is better than without the cases that
    stand in training data.
    """
    return _judged(comparison, policy)[0]


def _judged(
    comparison: ComparisonRecord, policy: Policy
) -> tuple[tuple[RuleResult, ...], EarlyEnd | None]:
    if not comparison.look_of:
        return _judge_all(comparison, policy), None
    found = replay(comparison, policy, _judge_all)
    return found.rules, found.ended


def _judge_all(comparison: ComparisonRecord, policy: Policy) -> tuple[RuleResult, ...]:
    rules = _judge_cases(comparison, policy)
    if not leaked_groups(comparison):
        return rules
    return adjusted(rules, _judge_cases(without_leaks(comparison), policy), comparison, policy)


def _judge_cases(comparison: ComparisonRecord, policy: Policy) -> tuple[RuleResult, ...]:
    rules = tuple(rule.judge(comparison, policy.alpha) for rule in policy.rules)
    if policy.finishes and all(rule.metric != FINISHES for rule in rules):
        finishes = FinishesNoWorse().judge(comparison, policy.alpha)
        rules = (*rules, *([finishes] if finishes.outcome == "fail" else []))
    guarded = any(rule.require in (CRITICAL, NO_CRITICAL) for rule in rules)
    if new_critical_failures(comparison) and not guarded:
        # Whatever the policy forgot: a new critical failure is never promoted.
        added = NoNewCriticalFailures(require=CRITICAL)
        rules = (*rules, added.judge(comparison, policy.alpha))
    return rules


def thin_sections(run: RunRecord, policy: Policy) -> Iterator[tuple[SectionPlan, str]]:
    """The sections of a run with too few scores or too many undetermined answers, and in words."""
    scored = Counter(score.place for score in run.scores if score.status == "scored")
    unclear = Counter(score.place for score in run.scores if score.label == UNDETERMINED)
    for section in run.header.sections:
        place, target = (section.suite, section.section), run.header.target
        share, doubtful = scored[place] / section.planned, unclear[place] / section.planned
        name = ".".join(place)
        if share + doubtful < policy.min_scored:
            why = run.trouble_in(*place)
            what = (
                f"`{target}` has scores for {100 * share:.1f} % of {name}, "
                f"{100 * policy.min_scored:g} % are needed" + (f" ({why})" if why else "")
            )
            yield section, what
        elif doubtful > policy.max_undetermined:
            what = (
                f"`{target}` has undetermined answers in {100 * doubtful:.1f} % of {name}, at most "
                f"{100 * policy.max_undetermined:g} % may be: let people or a judge score them"
            )
            yield section, what


def power(comparison: ComparisonRecord, policy: Policy) -> tuple[RulePower, ...]:
    """The power of each rule, with the groups and the spread of the comparison."""
    return tuple(rule.power(comparison, policy.alpha) for rule in policy.rules)


def planned_power(
    suites: Sequence[Suite], policy: Policy, discordance: float, labelled: int | None = None
) -> tuple[RulePower, ...]:
    """The power of each rule before any request is sent.

    Assumptions: the outcome changes in that share of the groups, all cases of a group together; a
    metric is a share of the cases that say something about it; and where a rule looks at the
    candidate alone, its value is near the limit. Rules that people audit have labels of so many
    groups, of all of them unless it is given.

    Raises:
        ValueError: a discordance outside [0, 1].
    """
    planned = planned_metrics(suites, discordance, labelled, policy.weigh)
    return tuple(rule.power_among(planned, policy.alpha) for rule in policy.rules)


def planned_metrics(
    suites: Sequence[Suite],
    discordance: float,
    labelled: int | None = None,
    weigh: Weigh = "cases",
) -> dict[str, Planned]:
    """What is known of each metric before any request is sent, by its full name.

    Where groups are weighed, each is of one size.
    """
    known = {name: metric for suite in suites for name, metric in suite.definitions()}

    def weighed(sizes: Counter[str]) -> Counter[str]:
        return sizes if weigh == "cases" else Counter(sizes.keys())

    return {
        name: Planned(
            known[name],
            weighed(found),
            discordance,
            {tag: weighed(part) for tag, part in tagged.items()},
            labelled,
        )
        for name, (found, tagged) in _group_sizes(suites).items()
    }


def with_power(verdict: Verdict, comparison: ComparisonRecord, policy: Policy) -> Verdict:
    """The verdict with the power of each of its rules."""
    known = [
        rule.power(comparison, policy.alpha)
        if result.look is None
        else rule.power(up_to(comparison, result.look), result.level or policy.alpha)
        for rule, result in zip(policy.rules, verdict.rules, strict=False)
    ]
    updated = [
        rule.model_copy(update={"detectable": each.detectable, "groups_needed": each.groups_needed})
        for rule, each in zip(verdict.rules, known, strict=False)  # a verdict may have one more
    ]
    return verdict.model_copy(update={"rules": (*updated, *verdict.rules[len(updated) :])})


def _group_sizes(
    suites: Sequence[Suite],
) -> dict[str, tuple[Counter[str], dict[str, Counter[str]]]]:
    """How many cases of each group say something about a metric, by the metric's full name.

    Then the same of the cases of each tag. Whether a case says something must not depend on the
    answer, so any answer shows it. Where no case does, as with a scorer that makes nothing of such
    an answer, all of the section are counted.
    """
    named = [
        (f"{suite.name}.{section.name}.{metric.name}", section)
        for suite in suites
        for section in suite.sections
        if section.cases
        for metric in section.metrics
    ]
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    tagged: defaultdict[str, defaultdict[str, Counter[str]]] = defaultdict(
        lambda: defaultdict(Counter)
    )
    merged = merged_groups(suites)

    def count(name: str, place: str, group: str, tags: Iterable[str]) -> None:
        group = merged.get(place, {}).get(group, group)
        found[name][group] += 1
        for tag in tags:
            tagged[name][tag][group] += 1

    for case, each in _scores_of_any_answer(suites):
        for metric, term in each.terms.items():
            if term.den > 0.0:  # in F1 a case that is answered as it should be says nothing
                place = f"{each.suite}.{each.section}"
                count(f"{place}.{metric}", place, each.group, case.tags)
    for name, section in named:
        if name not in found:
            place, _, metric = name.rpartition(".")
            for case in section.cases:
                spoken = section.speaks_of(case)
                if spoken is None or metric in spoken:
                    count(name, place, case.group, case.tags)
    return {name: (found[name], dict(tagged[name])) for name, _ in named}


def _scores_of_any_answer(suites: Sequence[Suite]) -> Iterator[tuple[Case, Score]]:
    scoring = Scoring(suites)
    for suite in suites:
        for section in (one for one in suite.sections if one.scores_answers):
            for case in section.cases:
                key = f"{suite.name}/{section.name}/{case.id}"
                attempt = Attempt(
                    key=key,
                    suite=suite.name,
                    section=section.name,
                    case=case.id,
                    repeat=0,
                    status="answered",
                    text="Here is what you asked for.",
                    finish_reason="stop",
                )
                yield case, scoring.score_answer((suite.name, section.name), case, attempt)
