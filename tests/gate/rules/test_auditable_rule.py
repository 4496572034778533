"""Rules that people's labels decide together with a scorer's scores."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import ConfigError
from harness.gate.compare import compare
from harness.gate.judge import check_policy
from harness.records.attempt import Attempt, Score, Term
from harness.records.comparison import ComparisonRecord, PairedCase, PairedMetric
from harness.records.label import Label
from harness.records.metric import Metric
from harness.records.rule import Planned, Policy, Rule
from harness.records.verdict import RuleResult
from harness.stats.audited import Audit
from tests.builders import make_run, shop
from tests.labels.builders import label

CASES = 240
NAME = "shop.gold.accuracy"
Values = np.ndarray[Any, np.dtype[np.float64]]


def rule(require: str, **keys: Any) -> Rule:
    given = {"metric": NAME, "require": require, "evidence": "audited", **keys}
    return Policy.model_validate({"baseline": "base", "rules": [given]}).rules[0]


NO_WORSE = rule("no_worse_than_baseline", margin=0.1)


def attempt(number: int, text: str | None = "an answer") -> Attempt:
    return Attempt(
        key=str(number), suite="shop", section="gold", case=str(number), repeat=0,
        status="answered", text=text, finish_reason="stop",
    )  # fmt: skip


def score(number: int, value: float | None) -> Score:
    known = value is not None
    return Score(
        key=str(number), suite="shop", section="gold", case=str(number), repeat=0,
        group=str(number), critical=False, state="ok", value=value,
        status="scored" if known else "unscored", reason="" if known else "it cannot tell",
        terms={"accuracy": Term(num=value or 0.0, den=1.0)} if known else {},
    )  # fmt: skip


def labels_of(target: str, values: Values, every: int) -> tuple[Label, ...]:
    return tuple(
        label(case=str(at), target=target, value=float(values[at]), probability=1 / every)
        for at in range(0, values.size, every)
    )


def audit_of(
    said: tuple[Values, Values], people: tuple[Values, Values], every: int = 2
) -> ComparisonRecord:
    """The candidate's and the baseline's scores, and what people say of some of the answers."""
    count = said[0].size
    cases = tuple(
        PairedCase(
            suite="shop", section="gold", case=str(at), repeat=0, group=str(at), critical=False,
            tags=(), messages=(), change="same", candidate_attempt=attempt(at),
            baseline_attempt=attempt(at), candidate_score=score(at, float(said[0][at])),
            baseline_score=score(at, float(said[1][at])),
        )
        for at in range(count)
    )  # fmt: skip
    one, groups = np.ones(count), np.arange(count).astype(np.str_)
    metric = PairedMetric(NAME, said[0], one, said[1], one, groups)
    return ComparisonRecord(
        None, None, {NAME: metric}, cases, (),  # type: ignore[arg-type]
        candidate_labels=labels_of("candidate", people[0], every),
        baseline_labels=labels_of("base", people[1], every),
    )  # fmt: skip


def share(value: float) -> Values:
    """So many ones, spread evenly."""
    return (np.arange(CASES) * 7 % 100 < 100 * value).astype(float)


def judged(comparison: ComparisonRecord, by: Rule = NO_WORSE) -> RuleResult:
    return by.judge(comparison, 0.05)


def test_a_judge_that_favours_the_candidate_no_longer_promotes_it() -> None:
    right, worse = share(0.9), share(0.6)
    flattered = audit_of((right, right), (worse, right))
    trusting = NO_WORSE.model_copy(update={"evidence": None})
    assert judged(flattered, trusting).outcome == "pass"
    found = judged(flattered)
    assert found.outcome == "fail"
    assert found.estimate == pytest.approx(-0.3, abs=0.05)
    assert "the scorer says +0.000, and people correct it by -0.29" in found.reason
    assert "having labelled 120 of 240 groups (240 labels by 1 rater)" in found.reason
    assert found.groups == 120


def test_people_who_agree_let_the_candidate_pass() -> None:
    right = share(0.9)
    assert judged(audit_of((right, right), (right, right))).outcome == "pass"
    at_least = rule("at_least", value=0.8)
    assert judged(audit_of((right, right), (right, right)), at_least).outcome == "pass"
    assert judged(audit_of((right, right), (share(0.5), right)), at_least).outcome == "fail"


def test_preferences_for_the_candidate_audit_a_pairwise_judge(tmp_path: Path) -> None:
    """The judge likes the candidate's answers; people prefer the baseline's in half of them."""
    tie = np.full(CASES, 0.5)
    both = audit_of((np.ones(CASES), tie), (share(0.5), np.zeros(CASES)))
    over = [
        one.model_copy(update={"criterion": "preferred-over-base"}) for one in both.candidate_labels
    ]
    twin = [
        one.model_copy(update={"criterion": "preferred-over-candidate", "value": 1.0 - one.value})
        for one in both.candidate_labels
        if one.value is not None
    ]
    project, suites = shop(tmp_path)
    baseline = make_run(project, suites, "base")
    both = replace(
        both, baseline=baseline, candidate_labels=tuple(over), baseline_labels=tuple(twin)
    )
    preferred = rule("no_worse_than_baseline", margin=0.1, criterion="preferred")
    found = judged(both, preferred)
    assert found.estimate == pytest.approx(0.0, abs=0.03)
    assert (found.ci_low, found.ci_high) == (
        pytest.approx(-0.08, abs=0.04), pytest.approx(0.08, abs=0.04),
    )  # fmt: skip
    assert judged(both).reason.count("labelled 0 of 240 groups by `correct`") == 1


def test_a_metric_that_needs_an_audit_passes_audited() -> None:
    right = share(0.9)
    both = audit_of((right, right), (right, right))
    needing = replace(both.metrics[NAME], metric=Metric(name="accuracy", needs_audit=True))
    both = replace(both, metrics={NAME: needing})
    trusting = NO_WORSE.model_copy(update={"evidence": None})
    assert judged(both, trusting).outcome == "inconclusive"
    assert judged(both).outcome == "pass"


def test_too_few_labels_are_inconclusive_and_say_how_many_are_needed() -> None:
    right = share(0.9)
    none = replace(
        audit_of((right, right), (right, right)), candidate_labels=(), baseline_labels=()
    )
    found = judged(none)
    assert found.outcome == "inconclusive"
    assert "people labelled 0 of 240 groups by `correct`: about " in found.reason
    assert (found.ci_low, found.ci_high) == (-1.0, 1.0)
    few = judged(audit_of((right, right), (right, right), every=20))
    assert few.outcome == "inconclusive"
    assert "more groups would tell" in few.reason
    other = rule("no_worse_than_baseline", margin=0.1, criterion="tone")
    assert "people labelled 0 of 240 groups by `tone`" in judged(none, other).reason


def test_what_nobody_could_tell_counts_both_ways_and_left_out_labels_are_told() -> None:
    right = share(0.9)
    both = audit_of((right, right), (right, right))
    first, *others = both.candidate_labels
    unsure = first.model_copy(update={"value": None, "reason": "two readings"})
    both = replace(
        both,
        candidate_labels=(unsure, *others),
        labels_left_out={"of an answer that has changed": 3},
    )
    reason = judged(both).reason
    assert "1 case drawn without a label: counted both ways" in reason
    assert "3 labels left out: 3 of an answer that has changed" in reason


def test_what_the_scorer_could_not_score_is_told_by_people() -> None:
    right = share(0.9)
    both = audit_of((right, right), (right, right))
    unscored = tuple(
        replace(case, candidate_score=score(int(case.case), None), change="not_comparable")
        if int(case.case) % 10 == 0
        else case
        for case in both.cases
    )
    assert judged(replace(both, cases=unscored)).outcome == "pass"
    silent = tuple(
        replace(case, candidate_attempt=attempt(int(case.case), " "))
        if int(case.case) < 24
        else case
        for case in both.cases
    )
    found = judged(replace(both, cases=silent))
    assert "24 cases without an answer: counted both ways" in found.reason
    assert found.ci_low is not None
    assert found.ci_low < -0.1


def test_power_of_an_audit() -> None:
    right = share(0.9)
    both = audit_of((right, right), (right, right))
    seen = NO_WORSE.power(both, 0.05)
    assert (seen.groups, seen.room) == (120, 0.1)
    assert "240 that people labelled" in seen.reason
    planned = Planned(Metric(name="accuracy"), Counter(map(str, range(300))), 0.1)
    whole, part = (
        NO_WORSE.planned_power(replace(planned, labelled=count), 0.05) for count in (None, 40)
    )
    assert whole.detectable is not None
    assert part.detectable is not None
    assert whole.detectable < part.detectable
    assert (whole.groups, part.groups) == (300, 40)
    assert "people label 40 of its 300 groups" in part.reason


def passed(labelled: int, among: int, discordance: float, margin: float) -> float:
    """How often labels of so many groups pass the margin, where as many groups are lost as won."""
    rng = np.random.default_rng(labelled)
    shape = (1000, among)
    changed = np.where(rng.random(shape) < discordance, rng.choice([-1.0, 1.0], shape), 0.0)
    noise = rng.choice([-1.0, 0.0, 1.0], shape, p=[0.1, 0.8, 0.1])
    weights = np.broadcast_to((np.arange(among) < labelled).astype(float), shape)
    audits = Audit(changed, noise, np.ones(shape), weights, -1.0, 1.0).tuned()
    return float((audits.chance(-margin) < 0.05).mean())


@pytest.mark.parametrize(("labelled", "among", "discordance"), [(40, 200, 0.1), (60, 240, 0.3)])
def test_the_detectable_drop_of_an_audit_is_passed_in_four_of_five(
    labelled: int, among: int, discordance: float
) -> None:
    groups = Counter(map(str, range(among)))
    planned = Planned(Metric(name="accuracy"), groups, discordance, labelled=labelled)
    found = NO_WORSE.planned_power(planned, 0.05)
    assert found.detectable is not None
    assert passed(labelled, among, discordance, found.detectable) == pytest.approx(0.8, abs=0.03)
    assert found.groups_needed is not None
    needed = passed(found.groups_needed, 2 * found.groups_needed, discordance, 0.1)
    assert needed == pytest.approx(0.8, abs=0.03)


def test_a_criterion_goes_with_an_audit(tmp_path: Path) -> None:
    _, suites = shop(tmp_path)
    given = rule("at_least", value=0.8, criterion="tone").model_copy(update={"evidence": "bound"})
    policy = Policy.model_validate({"baseline": "base", "rules": [NO_WORSE]})
    with pytest.raises(ConfigError, match="goes with `evidence: audited`"):
        check_policy(policy.model_copy(update={"rules": (given,)}), suites, str)
    f1 = rule("no_worse_than_baseline", margin=0.1)
    f1 = f1.model_copy(update={"metric": "shop.scope.f1"})
    project, suites = shop(tmp_path / "again")
    runs = [make_run(project, suites, name) for name in ("candidate", "base")]
    found = f1.judge(compare(*runs, suites), 0.05)
    assert found.outcome == "invalid"
    assert "a mean over cases" in found.reason
