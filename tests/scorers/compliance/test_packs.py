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


@pytest.mark.parametrize(
    "text",
    [
        "You can set that up in the app.",
        "It takes up to two hours until the money is there.",
        "Up to £85,000 of your money is protected.",
        "You risk a fee if you go below zero.",
        "Tell a grown-up you trust.",
    ],
)
def test_a_word_that_also_stands_in_talk_of_investments_needs_no_warning(text: str) -> None:
    row = {"packs": ["finance"], "prompt": "How does that work?", "text": text}
    assert judged(row)["finance-risk-warning"].state != "broken"
