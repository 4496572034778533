"""What a session offers to whoever builds on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.pytest_plugin.chat import ChatTarget, LiveTargets
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
    assert state.scores("candidate", "shop/gold/g7") == ()
    done = run(state.project, ["candidate"], tuple(state.suites.values()), Silent())
    state.findings = Findings(runs={"candidate": done["candidate"].header.run_id})
    (score,) = state.scores("candidate", "shop/gold/g7")
    assert (score.passed, state.attempt("candidate", score).text) == (True, "It is value 7.")
    assert state.scores("candidate", "shop/gold/none") == ()


def test_a_live_target_answers(project_dir: Path, mock: ThreadedMock) -> None:
    targets = LiveTargets(open_state(project_dir, "candidate"), Silent())
    live = targets.target("candidate")
    (answer,) = ChatTarget(live, None)(["What is fact 7?"])
    assert (answer.text, targets.target("candidate")) == ("It is value 7.", live)
    assert targets.started() == {}  # it is on no server of ours
    targets.close()


def test_a_target_that_does_not_exist_is_refused(project_dir: Path) -> None:
    with pytest.raises(UsageError, match="no target `nobody`"):
        open_state(project_dir, "nobody")
