"""A policy as a file has it."""

from __future__ import annotations

from harness.records.policy import Policy


def test_a_policy_is_written_as_it_was_read() -> None:
    rules = [
        {"require": "at_most", "metric": "m", "value": 1.0, "evidence": "bound"},
        {"require": "no_new_critical_failures"},
        {"require": "ratio_at_most", "metric": "latency.ttft_p95", "value": 1.1},
    ]
    policy = Policy.model_validate({"baseline": "b", "rules": rules})
    assert policy.model_dump(mode="json")["rules"] == rules
    assert Policy.model_validate(policy.model_dump()) == policy
