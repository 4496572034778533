"""A section of latency as it is kept, and as it once was; which metrics are times."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from harness.records.latency import LatencySection, is_latency
from tests.report.measured import load, section


def test_a_section_with_an_empty_list_of_its_own_problems_can_be_read() -> None:
    made = section(load())
    once = {**json.loads(made.model_dump_json()), "problems": []}
    assert LatencySection.model_validate_json(json.dumps(once)) == made


def test_a_section_with_problems_of_its_own_is_none() -> None:
    once = {**section(load()).model_dump(mode="json"), "problems": ["it was late"]}
    with pytest.raises(ValidationError, match="problems"):
        LatencySection.model_validate(once)


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
