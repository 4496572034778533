"""What every gate needs first, opened by name."""

from __future__ import annotations

import pytest

from harness.config import Project
from harness.errors import EvidenceError, UsageError
from harness.session.context import open_context, report_folder, sealed_run


def test_names_are_checked_before_anything_is_asked(project: Project) -> None:
    with pytest.raises(UsageError, match="no target `nobody`"):
        open_context(project, ["nobody"], None, ())
    with pytest.raises(UsageError, match="`base` is the baseline itself"):
        open_context(project, ["base"], None, ())
    with pytest.raises(UsageError, match="no suite `other`"):
        open_context(project, [], None, ("other",))


def test_a_baseline_is_a_target_or_a_sealed_run(project: Project) -> None:
    suites = open_context(project, ["candidate"], None, ()).suites
    assert sealed_run(project, suites, "base") is None
    with pytest.raises(UsageError, match="no target `nobody`"):
        sealed_run(project, suites, "nobody")
    with pytest.raises(UsageError):
        sealed_run(project, suites, "sealed:../elsewhere")
    with pytest.raises(UsageError, match="no such baseline"):
        sealed_run(project, suites, "sealed:good")


def test_a_report_has_a_folder_that_any_system_can_name(project: Project) -> None:
    folder = report_folder(project, "candidate", "sealed:good")
    assert folder == project.reports / "candidate-vs-sealed-good"


def test_a_verdict_that_is_missing_or_damaged_is_told_apart(project: Project) -> None:
    context = open_context(project, ["candidate"], None, ())
    with pytest.raises(UsageError, match="no verdict there"):
        context.stored_verdict("candidate")
    path = context.folder("candidate") / "verdict.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"verdict": "PROMOTE"}')
    with pytest.raises(EvidenceError, match=r"verdict\.json: "):
        context.stored_verdict("candidate")
