"""Deployments on disk: there where two servers were measured, and nowhere else."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from benchmarks.latency_world import header
from harness.records.deployment import Deployment, Deployments
from harness.records.latency import LatencySettings, Measurement

ONE = Deployment(server="whole", version="vllm 1", model="merged", args={"max-model-len": 64})
OTHER = Deployment(server="main", version="vllm 1", address="http://127.0.0.1:1/v1", model="base")
BOTH = Deployments(mode="in_turns", candidate=ONE, baseline=OTHER)


def test_a_measurement_on_one_server_says_nothing_of_deployments() -> None:
    made = header(LatencySettings(), (), 0.05).model_dump(mode="json")
    assert "servers" not in made
    assert "servers" not in made["settings"]


def test_two_servers_come_back_from_the_disk() -> None:
    settings = LatencySettings(servers="in_turns")
    made = header(settings, (), 0.05).model_copy(update={"servers": BOTH})
    found = Measurement.model_validate_json(made.model_dump_json())
    assert found.servers == BOTH
    assert found.settings.servers == "in_turns"


def test_servers_are_up_in_one_of_two_ways() -> None:
    with pytest.raises(ValidationError, match="side_by_side"):
        Deployments.model_validate({**BOTH.model_dump(), "mode": "sometimes"})
