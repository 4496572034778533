"""Leaderboards and histories from what is stored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.config import Project
from harness.errors import ConfigError, EvidenceError, UsageError
from harness.session.stored_results import build_leaderboard, gather_history


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
