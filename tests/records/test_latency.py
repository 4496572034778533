"""A section of latency as it is kept, and as it once was."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from harness.records.latency import LatencySection
from tests.report.measured import load, section


def test_a_section_with_an_empty_list_of_its_own_problems_can_be_read() -> None:
    made = section(load())
    once = {**json.loads(made.model_dump_json()), "problems": []}
    assert LatencySection.model_validate_json(json.dumps(once)) == made


def test_a_section_with_problems_of_its_own_is_none() -> None:
    once = {**section(load()).model_dump(mode="json"), "problems": ["it was late"]}
    with pytest.raises(ValidationError, match="problems"):
        LatencySection.model_validate(once)
