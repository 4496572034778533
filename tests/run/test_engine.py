from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.config import load_project
from harness.errors import ServerError
from harness.run import engine as stage
from harness.run.plan import plan
from harness.run.resume import resume
from harness.sections.section_kinds import load_suites
from harness.storage import runs_of
from tests.cli.builders import call


def test_a_server_that_dies_before_the_first_question_is_asked_everything_afresh(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the folder still holds then are the answers that were not wanted."""
    assert call("run", "base") == 0
    project = load_project(project_dir / "harness.yaml")
    suites = load_suites(project)
    (_, header), *_ = runs_of(project.runs, "base")
    job = resume(project, plan(project, "base", suites, header.identity), "begun")
    assert (job.open, job.anew()) == (80, True)
    asked = []

    async def dies_once(engine: Any, job: Any, *rest: Any) -> None:
        asked.append(job.open)
        if len(asked) == 1:
            raise ServerError("gone")

    monkeypatch.setattr(stage._Engine, "_ask", dies_once)
    managed = SimpleNamespace(alive=lambda: False, restart=lambda: None)
    watcher: Any = SimpleNamespace(say=lambda text: None)
    endpoint: Any = SimpleNamespace(managed=managed)
    hold: Any = SimpleNamespace()
    stage._Engine(project, suites, watcher, None).ask_restarting(job, endpoint, hold)
    assert asked == [80, 80]
