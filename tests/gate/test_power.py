from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.gate.compare import compare
from harness.gate.judge import gate, planned_power, power, with_power
from harness.records.rule import Policy
from harness.records.verdict import RulePower, RuleResult
from harness.report.rules import shortfall
from tests.builders import make_run, shop, usual
from tests.gate.test_judge import NOW

GOLD = "shop.gold.accuracy"


def policy(*rules: dict[str, Any], **settings: Any) -> Policy:
    return Policy.model_validate({"baseline": "base", "rules": rules, **settings})


def flips(target: str, ask: Any) -> str:
    """A candidate that is the base but for two facts won and two lost."""
    number = int(ask.case.id[1:])
    if ask.section != "gold":
        return usual("base", ask) + (" Sure." if target == "candidate" else "")
    known = number % 4 == 0
    if target == "candidate" and number in (0, 1, 4, 5):
        known = not known
    return f"It is value {number}." if known else "I have no idea at all."


def seen(tmp_path: Path, *rules: dict[str, Any], **settings: Any) -> tuple[RulePower, ...]:
    project, suites = shop(tmp_path)
    runs = [make_run(project, suites, target, flips) for target in ("candidate", "base")]
    return power(compare(runs[0], runs[1], suites), policy(*rules, **settings))


def test_a_margin_finer_than_the_suite_can_tell_asks_for_more_groups(tmp_path: Path) -> None:
    fine = {"metric": GOLD, "require": "no_worse_than_baseline", "margin": 0.05}
    (found,) = seen(tmp_path, fine)
    assert (found.cases, found.groups, found.room) == (40, 40, 0.05)
    assert found.detectable is not None
    assert 0.1 < found.detectable < 0.25, "10 % of 40 cases differ"
    assert not found.enough
    assert found.groups_needed is not None
    assert found.groups_needed > 150
    (coarse,) = seen(tmp_path / "b", fine | {"margin": 0.3})
    assert coarse.enough
    assert coarse.groups_needed is None


def test_a_smaller_alpha_detects_less(tmp_path: Path) -> None:
    rule = {"metric": GOLD, "require": "no_worse_than_baseline", "margin": 0.05}
    strict, usual_ = seen(tmp_path, rule, alpha=0.01)[0], seen(tmp_path / "b", rule)[0]
    assert strict.detectable > usual_.detectable  # type: ignore[operator]


def test_each_kind_of_rule_has_a_distance_that_shows(tmp_path: Path) -> None:
    found = seen(
        tmp_path,
        {"metric": GOLD, "require": "better_than_baseline"},
        {"metric": "shop.scope.answer_rate", "require": "at_least", "value": 0.5},
        {"metric": "shop.scope.f1", "require": "at_most", "value": 0.9},
        {"metric": GOLD, "require": "ratio_at_most", "value": 3.0},
        {"metric": GOLD, "require": "at_least", "value": 0.1, "evidence": "point"},
        {"require": "no_new_critical_failures"},
        {"metric": "latency.ttft_p95", "require": "ratio_at_most", "value": 1.1},
    )
    better, at_least, at_most, ratio, *silent = found
    assert better.room is None, "the estimate is no gain"
    assert at_least.room == pytest.approx(0.5)
    assert at_most.room == pytest.approx(0.9)
    assert ratio.room == pytest.approx(2.0)
    assert all(0 < (each.detectable or 0) < 2.5 for each in (better, at_least, at_most, ratio))
    assert [each.reason.split(",")[0] for each in silent] == [
        "judged by its estimate alone: the number of groups does not matter",
        "a single case decides",
        "no case has a value of it on both sides",
    ]
    assert all(each.detectable is each.enough is None for each in silent)


def test_a_limit_that_nothing_can_reach_is_named(tmp_path: Path) -> None:
    high = {"metric": GOLD, "require": "at_least", "value": 0.99}
    sure = {"metric": GOLD, "require": "at_least", "value": 1.0}
    gain = {"metric": GOLD, "require": "better_than_baseline", "by": 0.95}
    near, never, much = seen(tmp_path, high, sure, gain)
    assert not any(each.possible for each in (near, never, much))
    assert near.groups_needed == 299, "0.05 ** (1 / 299) is just above 0.99"
    assert near.reason.endswith("cannot pass with 40 groups; 299 groups are needed")
    assert never.reason.endswith("no number of groups is enough")
    _, suites = shop(tmp_path / "planned")
    (planned,) = planned_power(suites, policy(high), 0.1)
    assert (planned.possible, planned.groups_needed) == (False, 299)


def test_the_verdict_tells_and_warns_and_stays_what_it_was(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    runs = [make_run(project, suites, target, flips) for target in ("candidate", "base")]
    comparison = compare(runs[0], runs[1], suites)
    rules = policy(
        {"metric": GOLD, "require": "no_worse_than_baseline", "margin": 0.02},
        {"metric": GOLD, "require": "no_worse_than_baseline", "margin": 0.5},
        {"metric": GOLD, "require": "no_worse_than_baseline", "margin": 0.0},
    )
    judged = gate(comparison, rules, NOW)
    told = with_power(judged, comparison, rules)
    assert told.verdict == judged.verdict
    fine, coarse, none = told.rules
    assert fine.groups_needed is not None
    assert shortfall(fine).endswith(
        f"the margin is 2.0 points: about {fine.groups_needed - 40:,} more groups are needed"
    )
    assert shortfall(coarse) == ""
    assert shortfall(none).endswith("the margin is 0 points: no number of groups would be enough")


def test_before_a_run_only_the_suites_and_the_discordance_count(tmp_path: Path) -> None:
    _, suites = shop(tmp_path)
    rules = policy(
        {"metric": GOLD, "require": "no_worse_than_baseline", "margin": 0.05},
        {"metric": "shop.scope.refusal_recall", "require": "better_than_baseline"},
        {"metric": "shop.scope.f1", "require": "at_least", "value": 0.8},
        {"metric": "shop.scope.f1", "require": "at_most", "value": 0.99},
        {"metric": GOLD, "require": "ratio_at_most", "value": 2.0},
        {"metric": "latency.ttft_p95", "require": "at_most", "value": 0.2},
        {"require": "no_new_critical_failures"},
    )
    calm, restless = (planned_power(suites, rules, share) for share in (0.0, 0.2))
    gold, recall, least, most, *silent = calm
    assert (gold.cases, gold.detectable) == (40, pytest.approx(1 - 0.05 ** (1 / 40)))
    assert (recall.cases, recall.groups) == (20, 20), "half of the cases are due a refusal"
    assert least.cases == most.cases == 20, "an answer where one is due says nothing of F1"
    assert [each.reason for each in silent] == [
        "the spread of a ratio is known only from answers: name a candidate",
        "no cases of the suites here measure it",
        "a single case decides",
    ]
    assert restless[0].detectable > gold.detectable  # type: ignore[operator]
    assert restless[0].groups_needed > gold.groups_needed > 40  # type: ignore[operator]


def test_one_more_group_is_one() -> None:
    close = RuleResult(
        metric=GOLD, require="no_worse_than_baseline", outcome="inconclusive", reason="",
        limit=-0.35, detectable=0.378, groups=8, groups_needed=9,
    )  # fmt: skip
    assert shortfall(close).endswith("about 1 more group is needed")
