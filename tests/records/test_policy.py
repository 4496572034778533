"""Which rules a measurement of latency decides."""

from __future__ import annotations

import pytest

from harness.records.latency import is_latency


@pytest.mark.parametrize(
    ("metric", "is_one"),
    [
        ("latency.ttft_p95", True),
        ("latency.service_ttft_p50", True),
        ("latency.ttft_p94", False),
        ("latency.ttft_p95.accuracy", False),
        ("latency.gold.accuracy", False),  # of a suite with that name
        ("shop.gold.accuracy", False),
        (None, False),
    ],
)
def test_a_rule_is_on_latency_by_its_metric(metric: str | None, is_one: bool) -> None:
    assert is_latency(metric) is is_one
