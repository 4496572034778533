"""What is said of latency before any server is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from harness.config import load_project
from harness.sections.section_kinds import load_suites
from harness.session.latency_checks import latency_lines
from tests.shop import write_project

RULE = {"metric": "latency.ttft_p95", "require": "ratio_at_most", "value": 1.1}


def lines(folder: Path, *rules: dict[str, Any], **changes: Any) -> list[tuple[str, bool]]:
    write_project(folder, "http://127.0.0.1:1")
    path = folder / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    config["gate"]["rules"] += rules
    config["servers"]["far"] = {"url": "https://card.example/v1"}
    config["servers"]["beside"] = {"url": "http://127.0.0.1:2"}
    config["targets"]["elsewhere"] = {"server": "far", "model": "m"}
    config["targets"]["merged"] = {"server": "beside", "model": "m"}
    path.write_text(yaml.safe_dump(config | changes))
    project = load_project(path)
    return list(latency_lines(project, load_suites(project)))


def test_without_a_rule_on_latency_nothing_is_said(tmp_path: Path) -> None:
    assert lines(tmp_path) == []


def test_deployments_and_what_cannot_be_measured_are_told_apart(tmp_path: Path) -> None:
    far, beside = lines(tmp_path, RULE)
    assert far[1]
    assert far[0].startswith("the latency of `elsewhere` cannot be measured: ")
    assert "is on card.example, `base` on this machine" in far[0]
    assert beside == (
        "latency of `merged` against `base`: deployments, on servers `beside` and `main`",
        False,
    )


def test_a_rule_that_can_never_pass_is_a_warning(tmp_path: Path) -> None:
    first = lines(tmp_path, RULE, latency={"requests": 100})[0]
    assert first[1]
    assert "latency.ttft_p95" in first[0]
    assert "1000" in first[0]


def test_of_a_sealed_baseline_that_is_not_there_the_gate_speaks(tmp_path: Path) -> None:
    gate = {"baseline": "sealed:gone", "rules": [RULE]}
    assert lines(tmp_path, gate=gate) == []
