"""A candidate that does not stop fails, unless the policy says otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.gate.compare import compare
from harness.gate.judge import judge_rules
from harness.gate.rules.finishes import FinishesNoWorse
from harness.records.attempt import Attempt
from harness.records.comparison import ComparisonRecord
from harness.records.rule import Policy
from tests.builders import make_run, shop

RULES = [{"metric": "shop.gold.accuracy", "require": "at_least", "value": 0.01}]


def policy(**more: Any) -> Policy:
    return Policy.model_validate({"baseline": "base", "rules": RULES, **more})


def compared(folder: Path, cut: int, cut_before: int = 0) -> ComparisonRecord:
    """The shop's 80 cases, the first ones cut off on each side."""
    project, suites = shop(folder)
    runs = []
    for target, count in (("candidate", cut), ("base", cut_before)):
        run = make_run(project, suites, target)
        keys = {score.key for score in run.scores[:count]}
        attempts = tuple(_cut(one) if one.key in keys else one for one in run.attempts)
        runs.append(run.__class__(run.header, attempts, run.scores))
    return compare(runs[0], runs[1], suites)


def _cut(attempt: Attempt) -> Attempt:
    return attempt.model_copy(update={"finish_reason": "length"})


def test_answers_that_are_cut_off_block_by_default(tmp_path: Path) -> None:
    found = judge_rules(compared(tmp_path, 16), policy())
    assert [rule.metric for rule in found] == ["shop.gold.accuracy", "finishes"]
    assert found[1].outcome == "fail"
    assert found[1].candidate == pytest.approx(0.8)
    assert (
        "20.0 % of the candidate's answers are cut off, 0.0 % of the baseline's" in found[1].reason
    )


@pytest.mark.parametrize(("cut", "before"), [(0, 0), (1, 0), (16, 16), (0, 16)])
def test_chance_and_a_baseline_that_is_as_bad_do_not(tmp_path: Path, cut: int, before: int) -> None:
    comparison = compared(tmp_path, cut, before)
    assert [rule.metric for rule in judge_rules(comparison, policy())] == ["shop.gold.accuracy"]
    assert FinishesNoWorse().judge(comparison, 0.05).outcome == "pass"


def test_a_policy_may_switch_it_off_or_give_it_another_margin(tmp_path: Path) -> None:
    comparison = compared(tmp_path, 16)
    assert len(judge_rules(comparison, policy(finishes=False))) == 1
    rule = {"metric": "finishes", "require": "no_worse_than_baseline", "margin": 0.4}
    found = judge_rules(comparison, policy(rules=[*RULES, rule]))
    assert [(rule.metric, rule.outcome) for rule in found][1:] == [("finishes", "pass")]


def test_a_policy_that_says_nothing_of_it_is_written_as_before() -> None:
    assert "finishes" not in policy().model_dump()
    assert policy(finishes=False).model_dump()["finishes"] is False
