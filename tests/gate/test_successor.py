from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.gate.compare import compare
from harness.gate.judge import gate, with_power
from harness.gate.rules.metric_rule import rounded_up
from harness.gate.successor import successor_lines
from harness.records.comparison import ComparisonRecord
from harness.records.rule import Policy
from tests.builders import make_run, shop
from tests.gate.test_judge import NOW

STEP = {"metric": "shop.gold.accuracy", "require": "better_than_baseline", "by": 0.2}
KEPT = {"metric": "shop.scope.f1", "require": "at_least", "value": 0.8}


def lines(found: ComparisonRecord, *rules: dict[str, object]) -> list[str]:
    policy = Policy.model_validate({"baseline": "base", "rules": rules})
    verdict = with_power(gate(found, policy, NOW), found, policy)
    return list(successor_lines(policy, verdict, "sealed:v2"))


def test_a_step_that_is_asked_again_and_again_is_replaced_by_a_margin(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    found = compare(*(make_run(project, suites, name) for name in ("candidate", "base")), suites)
    assert lines(found, KEPT) == []
    said = lines(found, STEP, KEPT)
    assert said[1] == "  `shop.gold.accuracy` better_than_baseline by 0.2 (it has 1.000 now)"
    written = yaml.safe_load("\n".join(said[3:]))
    Policy.model_validate(written)
    assert written["baseline"] == "sealed:v2"
    step, kept = written["rules"]
    assert (step.pop("require"), kept) == ("no_worse_than_baseline", KEPT)
    assert 0.0 < step["margin"] < 0.5


@pytest.mark.parametrize(
    ("given", "up"), [(0.0585, 0.059), (0.05, 0.05), (0.501, 0.51), (12.1, 13.0)]
)
def test_a_margin_is_rounded_up(given: float, up: float) -> None:
    assert rounded_up(given) == up
