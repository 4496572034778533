"""Several candidates beside one baseline, from stored answers alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from harness.session.leaderboard import build_leaderboard

from harness.config import Project, load_project
from harness.errors import ConfigError, UsageError
from tests.cli.builders import call
from tests.conftest import ThreadedMock


@pytest.fixture
def project(project_dir: Path) -> Project:
    return load_project(project_dir / "harness.yaml")


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
