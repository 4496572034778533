"""The labels that are recorded for the demo."""

from __future__ import annotations

from pathlib import Path

from harness.config import load_project
from harness.labels.files import cases_digest, project_labels
from harness.sections.section_kinds import load_suites

ROOT = Path(__file__).resolve().parents[2]


def test_they_are_of_the_suites_cases_and_of_every_target() -> None:
    project = load_project(ROOT / "harness.yaml")
    (suite,) = load_suites(project)
    tone = next(section for section in suite.sections if section.name == "tone")
    found = project_labels(project)
    assert {label.cases for label in found} == {cases_digest(tone)}
    assert {label.case for label in found} <= {case.id for case in tone.cases}
    assert {label.target for label in found} == set(project.config.targets)
