"""How a rule finds its kind, and what is said where it does not."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from harness.records.base import explain
from harness.records.rule import Policy, Rule, kind_of, rule_kinds
from harness.records.verdict import RuleResult


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"require": "at_lest"}, "require: no kind of rule `at_lest`; did you mean `at_least`?"),
        ({"metric": "m", "value": 1}, "require: missing key"),
        ({"require": 3}, "require: must be text, not a number"),
        ({"require": "at_least", "metric": "m"}, "value: missing key"),
        ({"require": "at_least", "metric": "m", "value": 1, "by": 1}, "by: unknown key"),
        ({"require": "at_least", "metric": "m", "value": "x"}, "value: must be a number, not text"),
    ],
)
def test_what_is_wrong_is_said_of_its_key(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Policy.model_validate({"baseline": "b", "rules": [rule]})
    told = explain(caught.value, Policy)
    assert told.startswith(f"rules.0.{said}")
    assert "more)" not in told


def test_the_schema_knows_every_kind() -> None:
    schema = Draft202012Validator(Policy.model_json_schema())
    good = {"require": "no_worse_than_baseline", "metric": "m", "margin": 0.1}
    for rule, fits in ((good, True), ({**good, "value": 1}, False), ({"require": "x"}, False)):
        assert schema.is_valid({"baseline": "b", "rules": [rule]}) is fits


def test_a_result_of_a_kind_that_is_not_installed_is_told_in_its_own_words() -> None:
    result = RuleResult(metric="s.x.m", require="fancier_than", outcome="pass", reason="it is")
    assert kind_of(result) is Rule
    assert kind_of(result).requirement(result, "") == "fancier than"
    assert kind_of(result).suite_of(result.metric) == "s"


def test_every_kind_calls_itself_by_its_name() -> None:
    registry = rule_kinds()
    assert [registry.get(name).name for name in registry.names()] == list(registry.names())


def test_a_policy_is_written_as_it_was_read() -> None:
    rules = [
        {"require": "at_most", "metric": "m", "value": 1.0, "evidence": "bound"},
        {"require": "no_new_critical_failures"},
        {"require": "ratio_at_most", "metric": "latency.ttft_p95", "value": 1.1},
    ]
    policy = Policy.model_validate({"baseline": "b", "rules": rules})
    assert policy.model_dump(mode="json")["rules"] == rules
    assert Policy.model_validate(policy.model_dump()) == policy
