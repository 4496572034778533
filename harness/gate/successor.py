"""What a policy asks of the candidate after the one that has just been promoted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from harness.records.rule import Policy, Rule
from harness.records.verdict import Verdict


def successor_lines(policy: Policy, verdict: Verdict, baseline: str) -> Iterator[str]:
    """Which rules ask too much where the promoted candidate is the baseline, and what to write.

    Nothing where every rule can stay as it is. `baseline` is what the policy is to name.
    """
    pairs = list(zip(policy.rules, verdict.rules, strict=False))
    changed = [(rule, result) for rule, result in pairs if rule.for_successor(result) is not None]
    if not changed:
        return
    yield "of its successor these rules would ask the same step once more:"
    for rule, result in changed:
        value = "" if result.candidate is None else f" (it has {result.candidate:.3f} now)"
        yield f"  {rule.title}{value}"
    yield "to hold a successor to what was reached, write under `gate:`"
    yield f"  baseline: {baseline}"
    yield "  rules:"
    for rule, result in pairs:
        yield f"    - {_written(rule, rule.for_successor(result))}"


def _written(rule: Rule, other: dict[str, Any] | None) -> str:
    """A rule as a policy writes it, on one line."""
    keys = other or rule.model_dump(mode="json", exclude_defaults=True)
    order = {"metric": 0, "require": 1}
    named = sorted(keys.items(), key=lambda item: order.get(item[0], 2))
    return "{" + ", ".join(f"{key}: {_scalar(value)}" for key, value in named) + "}"


def _scalar(value: Any) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value)  # which is YAML too
    return f"{value:g}" if isinstance(value, float) else str(value)
