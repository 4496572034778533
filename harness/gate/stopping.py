"""Early end: a gate that asks its cases in looks, and ends at the first one that decides it.

Every asked section has its groups in an order of their own, drawn with the seed and without any
answer, and is cut at group boundaries into `LOOKS` looks. At each look a rule is judged on the
groups that are in by then, at a level of its own (`harness.stats.spending`), so that over all looks
a rule passes or fails falsely with a chance of at most about alpha. A section ends where all rules
on it are decided, a gate where a rule fails or none is left to decide.

What was judged follows from the cases, the seed and the answers alone. So the same replay says what
a gate has to ask next, gives its verdict, and gives it again from stored records.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from scipy.special import ndtri

from harness.gate.duplicates import merged_groups
from harness.gate.paired_metric import paired_metric
from harness.gate.rules.finishes import FINISHES
from harness.gate.rules.no_new_critical_failures import new_critical_failures
from harness.records.comparison import ComparisonRecord
from harness.records.rule import Policy, Rule
from harness.records.suite import Suite
from harness.records.verdict import EarlyEnd, RulePower, RuleResult
from harness.stats import spending
from harness.stats.power import USUAL

LOOKS = 5

Judge = Callable[[ComparisonRecord, Policy], tuple[RuleResult, ...]]


def look_of_cases(suites: Iterable[Suite], seed: int) -> dict[str, int]:
    """At which look each case of an asked section is judged, 1 to `LOOKS`, by its path.

    All cases of a group have the same one, and each section has its groups spread over all looks.
    """
    found = {}
    for suite in suites:
        merged = merged_groups([suite])
        for section in suite.asked:
            same = merged.get(f"{suite.name}.{section.name}", {})
            groups = {case.id: same.get(case.group, case.group) for case in section.cases}
            drawn = sorted(set(groups.values()), key=lambda group: _draw(seed, suite.name, group))
            look = {group: 1 + at * LOOKS // len(drawn) for at, group in enumerate(drawn)}
            for case, group in groups.items():
                found[f"{suite.name}/{section.name}/{case}"] = look[group]
    return found


def _draw(seed: int, suite: str, group: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{suite}\0{group}".encode()).digest()


def cases_up_to(
    suites: Iterable[Suite], look_of: Mapping[str, int], asked: Mapping[str, int]
) -> dict[str, frozenset[str]]:
    """The ids of the cases to ask, by `suite.section`, up to the look that `asked` gives it.

    Critical cases are always among them: one that fails decides at once, and a rule on them can
    pass only if all were asked. In a metric they count no earlier than their own look.
    """
    return {
        f"{suite.name}.{section.name}": frozenset(
            case.id
            for case in section.cases
            if case.critical
            or look_of[f"{suite.name}/{section.name}/{case.id}"]
            <= asked.get(f"{suite.name}.{section.name}", 1)
        )
        for suite in suites
        for section in suite.asked
    }


def first_look(suites: Iterable[Suite]) -> dict[str, int]:
    """What the first look asks, by `suite.section`."""
    return {f"{suite.name}.{section.name}": 1 for suite in suites for section in suite.asked}


@dataclass(frozen=True, slots=True)
class Replay:
    """What the looks so far came to.

    `rules` are the results, each of the look that decided it. `ended` is None where more is to be
    asked first: then `wanted` says up to which look, by `suite.section`.
    """

    rules: tuple[RuleResult, ...]
    wanted: Mapping[str, int]
    ended: EarlyEnd | None


def replay(comparison: ComparisonRecord, policy: Policy, judge: Judge) -> Replay:
    """The policy's rules on the comparison, look by look as far as its cases go.

    Rules that live on no case asked in looks, as those on latency and on Python tests, have the
    result that the whole comparison gives them. What looks for answers that do not end is judged at
    every look and keeps no section open.
    """
    places = {_place(path) for path in comparison.look_of}
    sections = [_sections(rule, comparison, places) for rule in policy.rules]
    waiting, wanted = _not_asked(comparison), dict.fromkeys(sorted(places), 1)
    # A policy's own rule on whether answers end stands for the one that every policy has.
    on_end = [at for at, rule in enumerate(policy.rules) if rule.metric_name == FINISHES]
    implied = False if on_end else policy.finishes
    decided: dict[int, RuleResult] = {}
    for look, level in enumerate(look_levels(policy.alpha), 1):
        left = [at for at, own in enumerate(sections) if own and at not in decided]
        wanted |= {place: look for at in left for place in sorted(sections[at])}
        if any(waiting.get(place, LOOKS + 1) <= last for place, last in wanted.items()):
            break
        open_ = (*left, *on_end)
        judged = judge(up_to(comparison, look), _of(policy, open_, alpha=level, finishes=implied))
        seen = dict(zip(open_, judged, strict=False))
        ending = [one for one in judged[len(open_) :] if one.metric == FINISHES]
        for at in left:
            if _decides(policy.rules[at], seen[at], look):
                decided[at] = _marked(seen[at], look, level)
        ended = (*decided.values(), *ending, *(seen[at] for at in on_end))
        harm = any(one.outcome == "fail" for one in ended)
        critical = _critical(comparison, policy)
        if not (harm or critical or all(at in decided for at in left)):
            continue
        for at in left:
            decided.setdefault(at, _undecided(seen[at], look, level))
        others = [at for at, own in enumerate(sections) if not own and at not in on_end]
        whole = judge(comparison, _of(policy, others, finishes=False))
        found = {**seen, **decided, **dict(zip(others, whole, strict=False))}
        rules = (*(found[at] for at in range(len(sections))), *whole[len(others) :], *ending)
        why = "a critical case fails" if critical else "a rule fails" if harm else "all decided"
        return Replay(rules, wanted, _end(comparison, look, level, why))
    return Replay((), wanted, None)


def look_levels(alpha: float) -> tuple[float, ...]:
    """The level of each look's one-sided bounds."""
    return spending.look_levels([look / LOOKS for look in range(1, LOOKS + 1)], alpha)


def expected_cases(
    suites: Iterable[Suite], policy: Policy, powers: Sequence[RulePower]
) -> dict[str, float]:
    """How many cases of each section a gate asks on average, by `suite.section`.

    That is of a candidate that lies as far from each rule's limit as `powers` say there is room.
    """
    found = {}
    for suite in suites:
        for section in suite.asked:
            names = [f"{suite.name}.{section.name}.{one.name}" for one in section.metrics]
            shares = [
                _expected_share(rule, power, policy.alpha)
                for rule, power in zip(policy.rules, powers, strict=True)
                if rule.decided_by == "answers" and rule.metrics_among(names)
            ]
            share = max(shares, default=1 / LOOKS)
            found[f"{suite.name}.{section.name}"] = share * len(section.cases)
    return found


def _expected_share(rule: Rule, power: RulePower, alpha: float) -> float:
    if not (rule.bounded_by_alpha and power.room and power.detectable):
        return 1.0
    # What is detectable four times out of five lies so many standard errors away.
    deviates = -(ndtri(alpha) + ndtri(1.0 - USUAL))
    shares = [look / LOOKS for look in range(1, LOOKS + 1)]
    return spending.expected_share(shares, alpha, deviates * power.room / power.detectable)


def up_to(comparison: ComparisonRecord, look: int) -> ComparisonRecord:
    """The comparison on what is judged up to a look; sections that are not asked in looks stay."""
    cases = tuple(case for case in comparison.cases if comparison.look_of.get(case.path, 1) <= look)
    if len(cases) == len(comparison.cases):
        return comparison
    by_section = defaultdict(list)
    for case in cases:
        by_section[f"{case.suite}.{case.section}"].append(case)
    metrics = {
        name: paired_metric(
            name, each.metric, by_section[name.rpartition(".")[0]], comparison.weigh
        )
        for name, each in comparison.metrics.items()
    }
    known = {name: metric for name, metric in metrics.items() if metric is not None}
    return replace(comparison, cases=cases, metrics=known)


def _place(path: str) -> str:
    return ".".join(path.split("/")[:2])


def _sections(rule: Rule, comparison: ComparisonRecord, places: set[str]) -> frozenset[str]:
    """The sections asked in looks whose metrics the rule is on."""
    names = [
        f"{each.suite}.{each.section}.{metric.name}"
        for each in comparison.candidate.header.sections
        for metric in each.metrics
    ]
    found = rule.metrics_among(names) if rule.decided_by == "answers" else ()
    return frozenset(name.rpartition(".")[0] for name in found) & places


def _not_asked(comparison: ComparisonRecord) -> dict[str, int]:
    """The first look of each section of which a case was not asked; none where all were."""
    asked = {case.path for case in comparison.cases}
    found: dict[str, int] = {}
    for path, look in comparison.look_of.items():
        if path not in asked:
            place = _place(path)
            found[place] = min(look, found.get(place, look))
    return found


def _decides(rule: Rule, result: RuleResult, look: int) -> bool:
    """Whether the rule needs no further look; what alpha does not bound waits for the last one."""
    if look == LOOKS:
        return True
    if result.outcome == "fail":
        return rule.bounded_by_alpha or rule.false_alarm == "fail"
    return result.outcome == "pass" and rule.bounded_by_alpha


def _of(policy: Policy, places: Sequence[int], **update: object) -> Policy:
    """The policy with those of its rules alone."""
    rules = tuple(policy.rules[at] for at in places)
    return policy.model_copy(update={"rules": rules, **update})


def _critical(comparison: ComparisonRecord, policy: Policy) -> bool:
    """Whether a critical case has failed in a way that ends the gate."""
    rules = (rule for rule in policy.rules if rule.critical_changes)
    return bool(new_critical_failures(comparison)) or any(
        rule.judge(comparison, policy.alpha).outcome == "fail" for rule in rules
    )


def _marked(result: RuleResult, look: int, level: float) -> RuleResult:
    return result.model_copy(update={"look": look, "level": level})


def _undecided(result: RuleResult, look: int, level: float) -> RuleResult:
    """The result of a rule that was still open when another one ended the gate."""
    reason = f"not decided when the gate ended: {result.reason}"
    update = {"outcome": "inconclusive", "reason": reason}
    return _marked(result.model_copy(update=update), look, level)


def _end(comparison: ComparisonRecord, look: int, level: float, why: str) -> EarlyEnd:
    asked = {case.path for case in comparison.cases}
    left = Counter(_place(path) for path in comparison.look_of if path not in asked)
    return EarlyEnd(
        look=look,
        looks=LOOKS,
        level=level,
        why=why,
        cases=len(comparison.look_of),
        not_asked=dict(sorted(left.items())),
    )
