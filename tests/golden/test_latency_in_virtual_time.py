"""Measurements of latency in simulated time end as they ended."""

from __future__ import annotations

from tests.golden.capture import differences
from tests.golden.virtual_time import decisions
from tests.golden.write import VIRTUAL


def test_the_same_measurements_lead_to_the_same_decisions() -> None:
    expected = VIRTUAL.read_text(encoding="utf-8").rstrip("\n")
    apart = differences("virtual_time.json", expected, decisions())
    assert not apart, "\n".join(apart)
