"""Rules on latency are kinds of their own; tests/latency says how they judge."""

from __future__ import annotations

import pytest

from harness.gate.rules.latency import LatencyAtMost, LatencyRatioAtMost
from harness.records.comparison import ComparisonRecord
from harness.records.rule import Policy, Rule, kind_of

NOTHING = ComparisonRecord(None, None, {}, (), ())  # type: ignore[arg-type]


def rule(require: str, **keys: object) -> Rule:
    given = {"metric": "latency.ttft_p95", "require": require, **keys}
    return Policy.model_validate({"baseline": "b", "rules": [given]}).rules[0]


@pytest.mark.parametrize(
    ("require", "kind"), [("ratio_at_most", LatencyRatioAtMost), ("at_most", LatencyAtMost)]
)
def test_the_metric_decides_the_kind(require: str, kind: type[Rule]) -> None:
    found = rule(require, value=1.1)
    assert type(found) is kind
    assert found.decided_by == "latency"
    result = found.judge(NOTHING, 0.05)
    assert (result.outcome, result.reason) == ("invalid", "latency.ttft_p95 was not measured")
    assert kind_of(result) is kind
    assert kind_of(result).definition(result).unit == "seconds"
    assert kind_of(result).suite_of(result.metric) is None


def test_other_rules_do_not_hold_for_a_time() -> None:
    wrong = rule("at_least", value=0.5).misfit({})
    assert wrong is not None
    assert (wrong.key, wrong.hint) == ("require", "write at_most or ratio_at_most")


def test_a_time_is_more_than_nothing() -> None:
    wrong = rule("at_most", value=-1.0).misfit({})
    assert wrong is not None
    assert (wrong.key, wrong.problem) == ("value", "-1 is no time")
