from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import load_project
from harness.errors import UsageError
from harness.run.engine import run
from harness.run.plan import Selection
from harness.session.evidence import Bench, open_bench
from harness.session.partial_report import write_partial
from tests.conftest import ThreadedMock


class Silent:
    def say(self, text: str) -> None:
        pass

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        pass


@pytest.fixture
def bench(project_dir: Path) -> Bench:
    return open_bench(load_project(project_dir / "harness.yaml"), ["candidate"], None, ())


def test_nothing_is_written_where_nothing_is_answered(bench: Bench) -> None:
    assert write_partial(bench, "candidate", Selection()) is None
    assert not bench.project.reports.exists()


def test_one_side_alone_is_a_report_that_is_no_verdict(bench: Bench, mock: ThreadedMock) -> None:
    run(bench.project, ["base"], bench.suites, Silent())
    folder = write_partial(bench, "candidate", Selection())
    assert folder == bench.folder("candidate")
    assert "broken off by Ctrl-C: 80 of 160 answered" in (folder / "report.html").read_text()
    assert len(mock.server.requests) == 80
    with pytest.raises(UsageError, match="there is no verdict yet: broken off by Ctrl-C: 80 of"):
        bench.stored_verdict("candidate")


def test_answers_of_other_runs_count_unless_everything_is_to_be_asked_afresh(
    bench: Bench,
) -> None:
    part = Selection(cases=("g1", "g2"))
    run(bench.project, ["candidate"], bench.suites, Silent(), part)
    folder = write_partial(bench, "candidate", Selection())
    assert folder is not None
    assert "2 of 160 answered" in (folder / "report.md").read_text()
    assert write_partial(bench, "candidate", Selection(), "begun") is None


def test_targets_may_be_asked_for_different_parts(bench: Bench, mock: ThreadedMock) -> None:
    parts = {"base": Selection(cases=("g1",)), "candidate": Selection(limit=2)}
    runs = run(bench.project, ["base", "candidate"], bench.suites, Silent(), parts)
    assert {name: len(found.scores) for name, found in runs.items()} == {"base": 1, "candidate": 4}
    assert len(mock.server.requests) == 5
