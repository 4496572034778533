"""Leaderboards and histories from what is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from harness.config import Project, load_project
from harness.errors import ConfigError, EvidenceError, JournalError, UsageError
from harness.session.stored_results import build_leaderboard, gather_history
from harness.storage.working_files import gate_line
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.report.history_fixtures import FIRST, kept, result, verdict


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["base"], "`base` is the baseline itself"),
        (["sealed:old"], "`sealed:old` is a sealed baseline and no candidate"),
        (["nobody"], "no target `nobody`"),
    ],
)
def test_a_leaderboard_is_of_candidates(project: Project, names: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build_leaderboard(project, names, None, ())


def test_a_leaderboard_needs_a_baseline(project: Project) -> None:
    project = replace(project, config=project.config.model_copy(update={"gate": None}))
    with pytest.raises(ConfigError, match="has no `gate:` that names a baseline"):
        build_leaderboard(project, ["candidate"], None, ())


def test_a_history_is_of_gates_that_were_kept(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no gate of suite `shop` was kept"):
        gather_history(project, [], [])
    with pytest.raises(UsageError, match="no such file or folder"):
        gather_history(project, [], [tmp_path / "nothing"])
    (tmp_path / "verdicts").mkdir()
    with pytest.raises(UsageError, match=r"holds no verdict\.json and no gates\.jsonl"):
        gather_history(project, [], [tmp_path / "verdicts"])
    (tmp_path / "verdicts/verdict.json").write_text("{}")
    with pytest.raises(EvidenceError, match="is no verdict"):
        gather_history(project, [], [tmp_path / "verdicts"])


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
    assert caught.value.line.startswith("some.json: is no verdict: ")


def test_a_damaged_line_from_elsewhere_is_named(project: Project, tmp_path: Path) -> None:
    path = log(tmp_path / "gates.jsonl", EARLY)
    path.write_text("{}\n" + path.read_text())
    with pytest.raises(JournalError) as caught:
        gather_history(project, (), (path,))
    assert caught.value.where == f"{path}:1"
    assert caught.value.hint == "--from takes verdict.json, gates.jsonl or a folder"


def without_policy(project: Project) -> Project:
    file = project.root / "harness.yaml"
    written = yaml.safe_load(file.read_text())
    del written["gate"]
    file.write_text(yaml.safe_dump(written))
    return load_project(file)


@pytest.mark.parametrize(
    ("names", "baseline", "said"),
    [
        (["base"], None, "`base` is the baseline itself"),
        (["candidate"], "candidate", "`candidate` is the baseline itself"),
        (["sealed:v1"], None, "`sealed:v1` is a sealed baseline and no candidate"),
        (["nobody"], None, "no target `nobody`"),
    ],
)
def test_names_that_cannot_be_compared_are_refused(
    project: Project, names: list[str], baseline: str | None, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        build_leaderboard(project, names, baseline, ())


def test_without_a_policy_a_baseline_must_be_named(project: Project) -> None:
    with pytest.raises(ConfigError) as caught:
        build_leaderboard(without_policy(project), ["candidate"], None, ())
    assert caught.value.what == "has no `gate:` that names a baseline"
    assert caught.value.hint == "--baseline NAME"


def test_nothing_is_asked_or_written_and_without_a_policy_nothing_is_judged(
    project: Project, mock: ThreadedMock
) -> None:
    assert call("run", "base", "candidate") == 0
    asked = len(mock.server.requests)
    judged = build_leaderboard(project, ["candidate", "base", "candidate"], None, ())
    bare = build_leaderboard(without_policy(project), ["candidate"], "base", ())
    assert [entry.name for entry in judged.entries] == ["candidate"]
    assert judged.recommendation is not None
    assert judged.recommendation.candidates == ("candidate",)
    assert bare.recommendation is None
    assert [entry.verdict for entry in bare.entries] == [None]
    assert bare.entries[0].differences == judged.entries[0].differences
    assert len(mock.server.requests) == asked
    assert not project.reports.exists()
    assert not project.gates.exists()
