"""Rules that cannot fail are named, and a policy of such rules alone promotes nobody."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.gate.compare import compare
from harness.gate.judge import check_policy, gate, planned_metrics
from harness.gate.vacuous import NO_RULE, lax_policy, worst_candidate
from harness.records.metric import Metric
from harness.records.plan import PlannedRequest
from harness.records.rule import Planned, Policy
from harness.records.verdict import Verdict
from tests.builders import Answering, make_run, shop, usual
from tests.gate.rules.making import NAME, NATS, SHARE, rule
from tests.gate.test_judge import NOW

GOLD = "shop.gold.accuracy"
NO_WORSE = {"metric": GOLD, "require": "no_worse_than_baseline"}
VACUOUS = [
    NO_WORSE | {"margin": 1.0},
    {"metric": GOLD, "require": "at_least", "value": 0.0},
    {"metric": GOLD, "require": "at_least", "value": 0.0, "evidence": "point"},
    {"metric": "finishes", "require": "no_worse_than_baseline", "margin": 0.999},
    {"require": "no_new_critical_failures"},  # the base passes none of them
]


def bad(_: str, ask: PlannedRequest) -> str:
    return f"I have no idea about {ask.case.id}."


def same(_: str, ask: PlannedRequest) -> str:
    return usual("base", ask) + " " * len(ask.case.id)


def judged(
    folder: Path, *rules: dict[str, Any], answering: Answering = bad, **keys: Any
) -> Verdict:
    project, suites = shop(folder)
    runs = [make_run(project, suites, name, how) for name, how in (("candidate", answering),
            ("base", usual))]  # fmt: skip
    policy = Policy.model_validate({"baseline": "base", "rules": rules, **keys})
    return gate(compare(runs[0], runs[1], suites), policy, NOW)


@pytest.mark.parametrize("vacuous", VACUOUS)
def test_a_rule_that_cannot_fail_promotes_nobody(tmp_path: Path, vacuous: dict[str, Any]) -> None:
    verdict = judged(tmp_path, vacuous)
    assert (verdict.verdict, verdict.problems) == ("INVALID", (NO_RULE,))


def test_beside_a_rule_that_can_fail_it_is_a_warning(tmp_path: Path) -> None:
    better = {"metric": GOLD, "require": "better_than_baseline"}
    verdict = judged(tmp_path, better, NO_WORSE | {"margin": 1.0}, answering=usual)
    assert verdict.verdict == "PROMOTE"
    (found,) = [one for one in verdict.warnings if one.code == "cannot-fail"]
    assert found.place == GOLD
    assert "even a candidate that is wrong in every case passes" in found.what
    assert verdict.regressions == ()


def test_a_baseline_that_fails_every_critical_case_is_why_none_can_newly_fail(
    tmp_path: Path,
) -> None:
    better = {"metric": GOLD, "require": "better_than_baseline"}
    verdict = judged(tmp_path, better, {"require": "no_new_critical_failures"}, answering=usual)
    (found,) = [one for one in verdict.warnings if one.code == "cannot-fail"]
    assert found.place == "no_new_critical_failures"
    assert found.what == (
        "the baseline fails the only critical case, so this rule passes even a candidate that "
        "fails it too: add the rule `no_critical_failures`"
    )


@pytest.mark.parametrize(
    ("case", "rule"),
    [
        ("s3", {"metric": "shop.scope.accuracy", "require": "at_least", "value": 0.5}),
        ("s0", {"require": "no_critical_failures"}),
    ],
)
def test_a_rule_on_the_candidate_alone_bites_where_the_baseline_lacks_a_score(
    tmp_path: Path, case: str, rule: dict[str, Any]
) -> None:
    def silent(target: str, ask: PlannedRequest) -> str:
        return "" if (target, ask.case.id) == ("base", case) else usual(target, ask)

    project, suites = shop(tmp_path)
    runs = [make_run(project, suites, name, silent) for name in ("candidate", "base")]
    policy = Policy.model_validate({"baseline": "base", "min_scored": 0.9, "rules": [rule]})
    verdict = gate(compare(runs[0], runs[1], suites), policy, NOW)
    assert (verdict.verdict, verdict.problems) == ("PROMOTE", ())
    assert not [one for one in verdict.warnings if one.code == "cannot-fail"]


def test_a_rule_that_bites_is_not_called_vacuous(tmp_path: Path) -> None:
    for margin in (0.0, 0.05, 0.2):
        verdict = judged(tmp_path / str(margin), NO_WORSE | {"margin": margin}, answering=same)
        assert not [one for one in verdict.warnings if one.code == "cannot-fail"]
        assert NO_RULE not in verdict.problems


def test_a_limit_on_time_that_is_none_is_named() -> None:
    for require, value, said in (
        ("ratio_at_most", 1e9, "1e+09 times the baseline's is no limit"),
        ("at_most", 1e6, "1e+06 s is no limit"),
        ("at_most", 2.0, ""),
    ):
        limit = rule(require, metric="latency.ttft_p95", value=value)
        assert limit.vacuous(None, 0.05).endswith(said)
        assert bool(limit.vacuous(None, 0.05)) == bool(said)


def mute(_: str, ask: PlannedRequest) -> str:
    """Says nothing where it would be wrong: in 30 of 40 facts."""
    right = int(ask.case.id[1:]) % 4 == 0
    return usual("candidate", ask) if right or ask.section != "gold" else ""


def test_what_has_no_score_counts_for_an_estimate_too(tmp_path: Path) -> None:
    """62 of 100 without an answer, and the rest right, are no accuracy of 1."""
    point = {"metric": GOLD, "require": "at_least", "value": 0.9, "evidence": "point"}
    lax = {"min_scored": 0.01, "finishes": False}
    verdict = judged(tmp_path, point, answering=mute, **lax)
    assert verdict.verdict == "INCONCLUSIVE", verdict.reason
    assert verdict.reason.endswith("a score: lost in the lower bound, won in the upper")
    low = judged(tmp_path / "low", point | {"value": 0.2}, answering=mute, **lax)
    assert low.verdict == "PROMOTE", low.reason


@pytest.mark.parametrize(
    ("require", "keys", "metric", "hint"),
    [
        ("at_least", {"value": 0.5, "cap": 5.0}, NATS, "write at_most"),
        ("at_most", {"value": 0.5}, SHARE, "write at_least"),
        ("ratio_at_most", {"value": 1.0}, SHARE, "write no_worse_than_baseline or at_least"),
    ],
)
def test_a_rule_that_looks_the_wrong_way_is_refused(
    require: str, keys: dict[str, float], metric: Metric, hint: str
) -> None:
    found = rule(require, **keys).misfit({NAME: metric})
    assert found is not None
    assert (found.key, found.hint) == ("require", hint)
    assert "has the wrong direction" in found.problem


def test_before_a_run_the_keys_that_let_everything_pass_are_named(tmp_path: Path) -> None:
    _, suites = shop(tmp_path)
    lax = Policy.model_validate({
        "baseline": "base", "rules": VACUOUS, "alpha": 0.4, "min_scored": 0.01,
        "max_undetermined": 0.9,
    })  # fmt: skip
    planned = planned_metrics(suites, 0.1)
    check_policy(lax, suites, "harness.yaml: {}".format)
    assert [key for key, _ in lax_policy(lax, planned)] == [
        "rules[0]", "rules[1]", "rules[2]", "min_scored", "max_undetermined", "alpha",
    ]  # fmt: skip
    usual_rules = [NO_WORSE | {"margin": 0.2}, {"metric": GOLD, "require": "better_than_baseline"}]
    strict = Policy.model_validate({"baseline": "base", "rules": usual_rules})
    assert list(lax_policy(strict, planned)) == []


def test_a_cap_that_cuts_every_value_leaves_nothing_to_fail() -> None:
    tight = rule("no_worse_than_baseline", margin=0.01, cap=0.01)
    sizes = {str(place): 1 for place in range(40)}
    planned = Planned(NATS, sizes=Counter(sizes), discordance=0.1)
    assert "even a candidate" in tight.vacuous(planned, 0.05)


def test_the_worst_candidate_is_wrong_in_every_case(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    runs = [make_run(project, suites, name) for name in ("candidate", "base")]
    worst = worst_candidate(compare(runs[0], runs[1], suites), None)
    assert {metric.candidate_value for metric in worst.metrics.values()} == {0.0}
    assert {case.change for case in worst.cases} == {"new_failure", "still_failing"}
    assert {case.candidate_score.passed for case in worst.cases} == {False}
