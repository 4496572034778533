from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import ConfigError
from harness.gate.compare import compare
from harness.gate.judge import check_policy, planned_power, power
from harness.records.comparison import ComparisonRecord
from harness.records.plan import PlannedRequest
from harness.records.rule import Policy, Rule, kind_of
from harness.records.suite import Suite
from harness.records.verdict import RuleResult
from tests.builders import make_run, shop, usual
from tests.gate.test_judge import judge

REQUIRE = "no_slice_worse_than_baseline"
GOLD = "shop.gold.accuracy"


def rule(**keys: Any) -> Rule:
    given = {"require": REQUIRE, "metrics": [GOLD], "margin": 0.1, **keys}
    return Policy.model_validate({"baseline": "b", "rules": [given]}).rules[0]


def tagged(suites: tuple[Suite, ...]) -> tuple[Suite, ...]:
    """The shop's suites, the gold cases tagged by their numbers: every fourth is `base knows`."""
    (suite,) = suites
    sections = []
    for section in suite.sections:
        cases = [
            case.model_copy(update={"tags": (tag_of(case.id),)}) if section.name == "gold" else case
            for case in section.cases
        ]
        sections.append(section.model_copy(update={"cases": cases}))
    return (suite.model_copy(update={"sections": tuple(sections)}),)


def tag_of(case: str) -> str:
    return "known" if int(case[1:]) % 4 == 0 else "other"


def forgets(target: str, ask: PlannedRequest) -> str:
    """A candidate that has forgotten what the base knows, and learned half of the rest."""
    if ask.section != "gold" or target == "base":
        return usual("base", ask)
    number = int(ask.case.id[1:])
    known = number % 4 in (1, 2)
    return f"It is value {number}." if known else "I have no idea at all."


def compared(tmp_path: Path) -> tuple[ComparisonRecord, tuple[Suite, ...]]:
    project, suites = shop(tmp_path)
    suites = tagged(suites)
    runs = [make_run(project, suites, name, forgets) for name in ("candidate", "base")]
    return compare(runs[0], runs[1], suites), suites


def by_name(result: RuleResult) -> dict[str, str]:
    assert result.slices is not None
    return {one.name: one.outcome for one in result.slices}


def test_a_slice_that_is_lost_fails_although_the_metric_rose(tmp_path: Path) -> None:
    comparison, _ = compared(tmp_path)
    whole = rule(metrics=["shop.*"]).judge(comparison, 0.05)
    assert whole.outcome != "fail"
    found = rule(tags=["*"]).judge(comparison, 0.05)
    assert found.outcome == "fail"
    assert by_name(found) == {f"{GOLD}[known]": "fail", f"{GOLD}[other]": "pass"}
    assert found.reason.startswith(f"1 of 2 slices lost more than the margin: {GOLD}[known] -1.000")
    worst = found.slices[0]  # type: ignore[index]
    assert (found.metric, found.estimate, found.limit, found.groups) == (None, -1.0, -0.1, 10)
    assert worst.joint_low <= worst.ci_low <= worst.estimate <= worst.ci_high <= worst.joint_high
    assert worst.joint_high < -0.1


def test_margins_hold_for_the_slices_that_they_match(tmp_path: Path) -> None:
    comparison, _ = compared(tmp_path)
    found = rule(tags=["*"], margins={"known": 1.0}).judge(comparison, 0.05)
    assert found.outcome == "pass"
    assert "none of 2 slices lost more than its margin; the nearest" in found.reason


def test_few_groups_are_unclear_unless_only_a_loss_counts(tmp_path: Path) -> None:
    found = judge(tmp_path, {"require": REQUIRE, "metrics": ["shop.scope.*"], "margin": 0.01})
    assert found.verdict == "INCONCLUSIVE"
    assert "it is unclear whether" in found.reason
    keys = {"require": REQUIRE, "metrics": ["shop.scope.*"], "margin": 0.01, "evidence": "loss"}
    assert judge(tmp_path / "b", keys).verdict == "PROMOTE"


@pytest.mark.parametrize(
    ("keys", "key", "problem"),
    [
        ({"metrics": ["shop.gld.*"]}, "metrics", "no metric matches `shop.gld.*`"),
        ({"tags": ["knwon"]}, "tags", "no tag of these metrics' cases matches `knwon`"),
        ({"tags": ["*"], "margins": {"x": 0.2}}, "margins", "no slice matches `x`"),
        ({"margins": {"x": 0.2}}, "margins", "no slice matches `x`"),
        ({"margin": 1.5}, "margin", f"no value of {GOLD} can be worse by 1.5"),
        ({"cap": 2}, "cap", f"{GOLD} has bounds of its own"),
        ({"tags": ["lonely"]}, "tags", f"all cases of {GOLD}[lonely] are in one group"),
    ],
)
def test_what_matches_nothing_or_cannot_be_judged_is_said(
    tmp_path: Path, keys: dict[str, Any], key: str, problem: str
) -> None:
    _, suites = compared(tmp_path)
    gold = suites[0].sections[0]
    first = gold.cases[0]
    cases = [first.model_copy(update={"tags": ("known", "lonely")}), *gold.cases[1:]]
    sections = (gold.model_copy(update={"cases": cases}), *suites[0].sections[1:])
    suites = (suites[0].model_copy(update={"sections": sections}),)
    policy = Policy(baseline="base", rules=(rule(**keys),))
    with pytest.raises(ConfigError) as found:
        check_policy(policy, suites, lambda place: place)
    assert (found.value.where, found.value.what) == (f"gate.rules[0].{key}", problem)


def test_its_power_is_that_of_the_slice_that_can_tell_least(tmp_path: Path) -> None:
    comparison, suites = compared(tmp_path)
    policy = Policy(baseline="base", rules=(rule(tags=["*"]),))
    for (found,) in (power(comparison, policy), planned_power(suites, policy, 0.1)):
        assert (found.metric, found.require, found.groups) == (None, REQUIRE, 10)
        assert f"of 2 slices {GOLD}[known] can tell least" in found.reason
        assert not found.enough


def test_its_keys_and_words() -> None:
    given = rule(tags=["a"])
    assert given.model_dump() == {
        "require": REQUIRE, "metrics": (GOLD,), "tags": ("a",), "margin": 0.1,
    }  # fmt: skip
    assert given.metrics_among([GOLD, "x"]) == (GOLD,)
    result = given.invalid("none")
    assert kind_of(result).requirement(result, "10 points") == (
        "no slice worse than the baseline by more than 10 points"
    )
