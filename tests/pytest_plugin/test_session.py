"""What a session offers to whoever builds on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.pytest_plugin.findings import Findings
from harness.pytest_plugin.options import Options
from harness.pytest_plugin.session import Workbench
from harness.run.engine import run
from tests.conftest import ThreadedMock


class Silent:
    def say(self, text: str) -> None:
        pass

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        pass


def workbench(folder: Path, *targets: str, baseline: str | None = None) -> Workbench:
    return Workbench(Options(targets, baseline, folder / "harness.yaml", None, False, False))


def test_it_knows_targets_baseline_and_rules(project_dir: Path) -> None:
    bench = workbench(project_dir, "base", "candidate")
    assert (bench.baseline, bench.candidates) == ("base", ("candidate",))
    assert bench.rule_names[0] == "shop.gold.accuracy"
    assert [suite.name for suite in bench.suites.values()] == ["shop"]


def test_answers_are_there_once_a_run_is_finished(project_dir: Path, mock: ThreadedMock) -> None:
    bench = workbench(project_dir, "candidate")
    assert bench.answers("candidate") is None
    done = run(bench.project, ["candidate"], tuple(bench.suites.values()), Silent())
    bench.findings = Findings(runs={"candidate": done["candidate"].header.run_id})
    answers = bench.answers("candidate")
    assert answers is not None
    (score,) = answers.of("shop/gold/g7")
    assert (score.passed, answers.attempt(score).text) == (True, "It is value 7.")
    assert answers.of("shop/gold/none") == ()


def test_a_live_endpoint_is_where_the_target_answers(project_dir: Path, mock: ThreadedMock) -> None:
    bench = workbench(project_dir, "candidate")
    with bench.live("candidate", project_dir / "server.log", print) as endpoint:
        assert [url.rstrip("/") for url in endpoint.urls] == [mock.url]


def test_a_target_that_does_not_exist_is_refused(project_dir: Path) -> None:
    with pytest.raises(UsageError, match="no target `nobody`"):
        workbench(project_dir, "nobody")
