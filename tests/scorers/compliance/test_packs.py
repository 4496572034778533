"""The packs: that they can be read, and what they say of the labelled answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.compliance import FILE, judged
from harness.scorers.compliance.packs import PACKS, rules_of

ROWS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("pack", PACKS)
def test_the_rules_of_a_pack_are_named_after_it(pack: Any) -> None:
    assert all(rule.name.startswith(f"{pack}-") for rule in rules_of(pack))


@pytest.mark.parametrize("half", ["measure", "develop", "again"])
def test_the_rules_know_the_plain_wordings(half: str) -> None:
    wrong = [
        (row["text"], name)
        for row in ROWS
        if row["half"] == half
        for name, finding in judged(row).items()
        if (finding.state == "broken") != (name in row["violates"])
    ]
    assert wrong == []
