"""What a session offers to whoever builds on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.pytest_plugin.findings import Findings
from harness.pytest_plugin.options import Options
from harness.pytest_plugin.session import SessionState
from harness.run.engine import run
from tests.conftest import ThreadedMock


class Silent:
    def say(self, text: str) -> None:
        pass

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        pass


def open_state(folder: Path, *targets: str, baseline: str | None = None) -> SessionState:
    return SessionState(Options(targets, baseline, folder / "harness.yaml", None, False, False))


def test_it_knows_targets_baseline_and_rules(project_dir: Path) -> None:
    state = open_state(project_dir, "base", "candidate")
    assert (state.baseline, state.candidates) == ("base", ("candidate",))
    assert state.rule_names[0] == "shop.gold.accuracy"
    assert [suite.name for suite in state.suites.values()] == ["shop"]


def test_answers_are_there_once_a_run_is_finished(project_dir: Path, mock: ThreadedMock) -> None:
    state = open_state(project_dir, "candidate")
    assert state.answers("candidate") is None
    done = run(state.project, ["candidate"], tuple(state.suites.values()), Silent())
    state.findings = Findings(runs={"candidate": done["candidate"].header.run_id})
    answers = state.answers("candidate")
    assert answers is not None
    (score,) = answers.of("shop/gold/g7")
    assert (score.passed, answers.attempt(score).text) == (True, "It is value 7.")
    assert answers.of("shop/gold/none") == ()


def test_a_live_endpoint_is_where_the_target_answers(project_dir: Path, mock: ThreadedMock) -> None:
    state = open_state(project_dir, "candidate")
    with state.live("candidate", project_dir / "server.log", print) as endpoint:
        assert [url.rstrip("/") for url in endpoint.urls] == [mock.url]


def test_a_target_that_does_not_exist_is_refused(project_dir: Path) -> None:
    with pytest.raises(UsageError, match="no target `nobody`"):
        open_state(project_dir, "nobody")
