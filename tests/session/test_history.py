"""A suite's history from the project and from files that were kept elsewhere."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from harness.session.history import gather_history

from harness.config import Project, load_project
from harness.errors import EvidenceError, JournalError, UsageError
from harness.storage.working_files import gate_line
from tests.report.history_fixtures import FIRST, kept, result, verdict


@pytest.fixture
def project(project_dir: Path) -> Project:
    return load_project(project_dir / "harness.yaml")


RULE = (result("shop.gold.accuracy", "at_least", 0.8, (0.9, 0.5)),)
EARLY = verdict(rules=RULE)
LATE = verdict(FIRST + timedelta(days=1), RULE, candidate="better")


def log(path: Path, *given: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [kept(one).model_copy(update={"suites": {"shop": "v"}}) for one in given]  # type: ignore[arg-type]
    path.write_text("".join(gate_line(line) + "\n" for line in lines))
    return path


def test_gates_of_the_project_and_of_elsewhere_are_one_history(
    project: Project, tmp_path: Path
) -> None:
    log(project.gates, EARLY)
    other = tmp_path / "elsewhere"
    log(other / "deep/gates.jsonl", EARLY)
    (other / "verdict.json").write_text(LATE.model_dump_json())
    (found,) = gather_history(project, (), (other, other / "verdict.json"))
    assert found.suite == "shop"
    assert [gate.candidate for gate in found.gates] == ["good", "better"]


def test_nothing_kept_is_no_history(project: Project) -> None:
    with pytest.raises(UsageError) as caught:
        gather_history(project, (), ())
    assert caught.value.what == "no gate of suite `shop` was kept, and no baseline of it is sealed"
    assert caught.value.where == str(project.gates)


def test_a_source_without_gates_is_refused(project: Project, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match=r"holds no verdict\.json and no gates\.jsonl"):
        gather_history(project, (), (empty,))
    with pytest.raises(UsageError, match="no such file or folder - check --from"):
        gather_history(project, (), (tmp_path / "gone",))


@pytest.mark.parametrize("text", ["{}", "", "no json", '{"verdict": "PROMOTE"}'])
def test_a_file_that_is_no_verdict_is_named(project: Project, tmp_path: Path, text: str) -> None:
    path = tmp_path / "some.json"
    path.write_text(text)
    with pytest.raises(EvidenceError) as caught:
        gather_history(project, (), (path,))
    assert caught.value.line.startswith(f"{path}: is no verdict: ")


def test_a_damaged_line_from_elsewhere_is_named(project: Project, tmp_path: Path) -> None:
    path = log(tmp_path / "gates.jsonl", EARLY)
    path.write_text("{}\n" + path.read_text())
    with pytest.raises(JournalError) as caught:
        gather_history(project, (), (path,))
    assert caught.value.where == f"{path}:1"
    assert caught.value.hint == "--from takes verdict.json, gates.jsonl or a folder"
