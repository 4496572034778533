from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ConfigError, SuiteError, UsageError
from harness.gate.judge import check_policy
from harness.records.rule import Policy
from harness.sections.load_suites import load_suites
from tests.builders import shop


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"metric": "shop.gold.acuracy", "require": "better_than_baseline"},
         "did you mean `shop.gold.accuracy`?"),
        ({"metric": "shop.gold.accuracy", "require": "at_least", "value": 60}, "between 0 and 1"),
        ({"metric": "latency.bogus", "require": "ratio_at_most", "value": 1.1}, "no metric"),
    ],
)  # fmt: skip
def test_a_rule_that_can_never_be_judged_is_refused(
    tmp_path: Path, rule: dict[str, Any], problem: str
) -> None:
    _, suites = shop(tmp_path)
    policy = Policy.model_validate({"baseline": "base", "rules": [rule]})
    with pytest.raises(ConfigError, match=problem.replace("?", r"\?")) as caught:
        check_policy(policy, suites, "harness.yaml: {}".format)
    assert "gate.rules[0]" in str(caught.value)


def test_suites_are_chosen_by_name_and_no_two_share_one(tmp_path: Path) -> None:
    project, _ = shop(tmp_path)
    assert [suite.name for suite in load_suites(project, ["shop"])] == ["shop"]
    with pytest.raises(UsageError, match="no suite `x`"):
        load_suites(project, ["x"])
    twice = project.config.model_copy(update={"suites": ("suites/shop", "suites/shop")})
    with pytest.raises(SuiteError, match="two suites are called `shop`"):
        load_suites(replace(project, config=twice))
