"""Where the numbers of a run come from, as its header says it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness.config import load_project
from harness.records.cost import Asking, Price
from harness.records.run import RunHeader
from harness.run.plan import Selection, plan
from harness.run.provenance import header, packages, priced
from harness.run.resume import Job
from harness.sections.section_kinds import load_suites
from harness.storage import RunFolder
from harness.version import __version__
from tests.builders import identity, proof, shop
from tests.manual_clock import ManualClock


def begun(folder: Path, selection: Selection | None = None) -> RunHeader:
    project, suites = shop(folder)
    planned = plan(project, "base", suites, identity("base"), selection)
    job = Job(planned, RunFolder(project.runs / planned.run_id))
    return header(project, job, suites, None, ManualClock())


def test_a_header_survives_the_disk_and_plans_what_is_asked(tmp_path: Path) -> None:
    made = begun(tmp_path)
    folder = RunFolder(tmp_path / "there")
    folder.write_header(made)
    assert folder.header() == made
    assert sum(section.planned for section in made.sections) == made.planned == 80
    assert made.created == "2026-01-01T00:00:00Z"
    assert made.packages["harness"] == __version__


def test_a_section_that_is_not_asked_is_not_planned(tmp_path: Path) -> None:
    made = begun(tmp_path, Selection(cases=("g1", "g2")))
    assert [(section.section, section.planned) for section in made.sections] == [("gold", 2)]


def test_a_run_that_goes_on_keeps_its_beginning(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    planned = plan(project, "base", suites, identity("base"))
    folder = RunFolder(project.runs / planned.run_id)
    fingerprint = proof().model_copy(update={"fingerprint": ()})
    first = header(project, Job(planned, folder), suites, fingerprint, ManualClock())
    with folder.writing():
        folder.write_header(first.model_copy(update={"created": "2025-12-31T00:00:00Z"}))
    again = header(project, Job(planned, folder), suites, None, ManualClock())
    assert again.created == "2025-12-31T00:00:00Z"


def test_what_was_asked_is_counted_at_the_price_of_now(tmp_path: Path) -> None:
    project, _ = shop(tmp_path)
    known = Asking(price=Price(gpu_hour=9.0), seconds=60.0, answers=5)
    found = priced(project, "base", known)
    assert (found.seconds, found.answers, found.price, found.replicas) == (60.0, 5, None, 1)


def test_packages_that_serve_count_only_where_the_server_is_ours() -> None:
    ours = packages(identity("base"))
    elsewhere = packages(identity("base").model_copy(update={"weights": None}))
    assert elsewhere.items() <= ours.items()
    assert "vllm" not in elsewhere
    assert "torch" not in elsewhere


def test_a_checkout_with_changes_is_told_from_a_clean_one(tmp_path: Path) -> None:
    assert begun(tmp_path).git_commit is None
    identity_of_author = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    for arguments in (["init", "-q"], ["add", "."], [*identity_of_author, "commit", "-qm", "x"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    clean = _again(tmp_path)
    assert clean is not None
    assert "+changes" not in clean
    (tmp_path / "new.txt").write_text("x")
    assert _again(tmp_path) == f"{clean}+changes"


def _again(folder: Path) -> str | None:
    project = load_project(folder / "harness.yaml")
    suites = load_suites(project)
    planned = plan(project, "base", suites, identity("base"))
    job = Job(planned, RunFolder(project.runs / planned.run_id))
    return header(project, job, suites, None, ManualClock()).git_commit
