"""The example of lm-eval tasks: its data come from its seed, and every task is as it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.config import load_project
from harness.gate.judge import check_policy
from harness.sections.section_kinds import load_suites

EXAMPLE = Path(__file__).parents[2] / "examples/benchmarks"


def test_the_committed_documents_are_what_the_seed_gives(tmp_path: Path) -> None:
    subprocess.run([sys.executable, EXAMPLE / "make_data.py", tmp_path], check=True)
    for name in ("sums.jsonl", "notes.jsonl"):
        kept = EXAMPLE / "suites/skills" / name
        assert (tmp_path / name).read_bytes() == kept.read_bytes()


def test_suite_and_policy_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASE", "/models/base")
    monkeypatch.setenv("ADAPTER", "/models/adapter")
    project = load_project(EXAMPLE / "harness.yaml")
    (suite,) = load_suites(project)
    check_policy(project.policy(), (suite,), project.place)
