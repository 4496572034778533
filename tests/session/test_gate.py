from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import load_project
from harness.errors import UsageError
from harness.run.engine import run
from harness.run.plan import Selection
from harness.session.context import GateContext, open_context
from harness.session.gate import write_partial
from tests.conftest import ThreadedMock


class Silent:
    def say(self, text: str) -> None:
        pass

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        pass


@pytest.fixture
def context(project_dir: Path) -> GateContext:
    return open_context(load_project(project_dir / "harness.yaml"), ["candidate"], None, ())


def test_nothing_is_written_where_nothing_is_answered(context: GateContext) -> None:
    assert write_partial(context, "candidate", Selection()) is None
    assert not context.project.reports.exists()


def test_one_side_alone_is_a_report_that_is_no_verdict(
    context: GateContext, mock: ThreadedMock
) -> None:
    run(context.project, ["base"], context.suites, Silent())
    folder = write_partial(context, "candidate", Selection())
    assert folder == context.folder("candidate")
    assert "broken off by Ctrl-C: 80 of 160 answered" in (folder / "report.html").read_text()
    assert len(mock.server.requests) == 80
    with pytest.raises(UsageError, match="there is no verdict yet: broken off by Ctrl-C: 80 of"):
        context.stored_verdict("candidate")


def test_answers_of_other_runs_count_unless_everything_is_to_be_asked_afresh(
    context: GateContext,
) -> None:
    part = Selection(cases=("g1", "g2"))
    run(context.project, ["candidate"], context.suites, Silent(), part)
    folder = write_partial(context, "candidate", Selection())
    assert folder is not None
    assert "2 of 160 answered" in (folder / "report.md").read_text()
    assert write_partial(context, "candidate", Selection(), "begun") is None


def test_targets_may_be_asked_for_different_parts(context: GateContext, mock: ThreadedMock) -> None:
    parts = {"base": Selection(cases=("g1",)), "candidate": Selection(limit=2)}
    runs = run(context.project, ["base", "candidate"], context.suites, Silent(), parts)
    assert {name: len(found.scores) for name, found in runs.items()} == {"base": 1, "candidate": 4}
    assert len(mock.server.requests) == 5
