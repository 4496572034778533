"""The example of a section of rules: its suite and policy are valid, and nothing in it is weak."""

from __future__ import annotations

from pathlib import Path

from harness.config import load_project
from harness.sections.section_kinds import load_suites
from harness.suites import lint_suite

EXAMPLE = Path(__file__).parents[2] / "examples/compliance"


def test_the_example_has_no_finding() -> None:
    (suite,) = load_suites(load_project(EXAMPLE / "harness.yaml"))
    assert lint_suite(suite) == ()
