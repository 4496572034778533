from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_project
from harness.errors import EvidenceError, ServerError, UsageError
from harness.run.engine import run
from harness.run.plan import Selection
from harness.sections.section_kinds import load_suites
from harness.session.context import GateContext, open_context
from harness.session.gate import GateRequest, GateSession, open_gate
from harness.session.partial import write_partial
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


@pytest.fixture
def old(context: GateContext) -> Path:
    """The verdict of an earlier gate."""
    path = context.folder("candidate") / "verdict.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    return path


@pytest.mark.parametrize(
    ("error", "stays"),
    [
        (EvidenceError("no score"), False),
        (ServerError("is gone"), False),
        (UsageError("no such target"), True),
        (ValueError("a mistake"), True),
    ],
)
def test_no_report_of_another_day_is_left_by_an_error_of_today(
    context: GateContext, old: Path, error: Exception, stays: bool
) -> None:
    session = GateSession(context, {"candidate": Selection()}, Silent())
    with pytest.raises(type(error)), session:
        raise error
    assert old.exists() == stays


def test_ctrl_c_leaves_a_partial_report_unless_only_stored_answers_are_judged(
    context: GateContext, old: Path
) -> None:
    run(context.project, ["base"], context.suites, Silent())
    for stored in (True, False):
        session = GateSession(context, {"candidate": Selection()}, Silent(), stored=stored)
        with pytest.raises(KeyboardInterrupt), session:
            raise KeyboardInterrupt
        assert session.partial == ({} if stored else {"candidate": old.parent})
    assert "broken off by Ctrl-C" in old.read_text()


def test_a_gate_is_opened_asked_judged_and_kept(context: GateContext) -> None:
    request = GateRequest("candidate")
    with open_gate(context.project, request, Silent()) as session:
        outcome = session.run("candidate")
    assert outcome.verdict.verdict == "PROMOTE"
    assert session.context.stored_verdict("candidate") == outcome.verdict
    assert context.project.gates.read_text().count("\n") == 1
    assert outcome.entry.verdict.verdict == "PROMOTE"


def test_a_bot_that_one_side_alone_is_given_a_hint_in_is_no_evidence(
    project_dir: Path, mock: ThreadedMock
) -> None:
    def named(model: str, hint: str = "") -> dict[str, Any]:
        said = [{"role": "system", "content": f"You are a bot.{hint}"},
                {"role": "user", "content": {"$": "last_message"}}]  # fmt: skip
        request = {"model": model, "messages": said}
        found = {"engine": "http", "url": f"{mock.url}/chat/completions", "request": request}
        return {**found, "answer": "choices[0].message.content"}

    path = project_dir / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    config["targets"] = {name: {"server": name} for name in ("base", "candidate")}
    for hint in ("", " The answers are: value 1, value 2."):
        config["servers"] = {"base": named("base"), "candidate": named("candidate", hint)}
        path.write_text(yaml.safe_dump(config))
        project = load_project(path)
        run(project, ["base", "candidate"], load_suites(project), Silent())
        request = GateRequest("candidate", stored=True)
        with open_gate(project, request, Silent()) as session:
            verdict = session.run("candidate").verdict
        assert verdict.verdict == ("INVALID" if hint else "PROMOTE"), verdict.reason
        places = [one.place for one in verdict.warnings if one.code == "asked-differently"]
        assert places == (["request"] if hint else [])
