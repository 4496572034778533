"""The gate, asked from Python."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.api.frames import RULES
from harness.api.gate import EVERY, ProgressLines
from harness.records.attempt import Term
from harness.scorers import registry
from harness.scorers.protocol import Judgement
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.manual_clock import ManualClock
from tests.pytest_plugin.builders import write
from tests.pytest_plugin.sessions import session
from tests.shop import answer


def test_a_gate_asks_judges_and_writes_the_report(project_dir: Path) -> None:
    result = harness.gate("candidate")
    assert (result.verdict, result.exit_code, result.problems) == ("PROMOTE", 0, ())
    assert result.reason == "all 4 rules pass"
    assert result.report == project_dir / "reports/candidate-vs-base/report.html"
    assert result.report.exists()
    assert len(result.comparison.frame()) == 80
    assert result.comparison.candidate.path.is_dir()
    assert len(harness.load_run(result.comparison.baseline.path).frame()) == 80


def test_rules_are_rows(project_dir: Path) -> None:
    rules = harness.gate("candidate").rules()
    assert {column.name: column.dtype for column in RULES} == {
        str(name): str(dtype) for name, dtype in rules.dtypes.items()
    }
    assert list(rules["require"]) == [
        "better_than_baseline", "at_least", "no_worse_than_baseline", "no_new_critical_failures",
    ]  # fmt: skip
    assert set(rules["outcome"]) == {"pass"}
    assert rules["estimate"][0] == 0.75
    assert rules.isna()["metric"].tolist() == [False, False, False, True]


def test_it_is_the_verdict_of_the_command(project_dir: Path, mock: ThreadedMock) -> None:
    mock.answer = lambda body: answer({**body, "model": "base"}) + f" {body['model']}"
    blocked = harness.gate("candidate")
    assert (blocked.verdict, blocked.exit_code) == ("BLOCK", 1)
    asked = len(mock.server.requests)
    assert call("gate", "candidate", "--stored") == 1
    again = harness.gate("candidate", stored=True)
    assert again.rules().equals(blocked.rules())
    assert len(mock.server.requests) == asked


def test_it_asks_as_often_as_at_once_and_as_anew_as_the_command(
    project_dir: Path, mock: ThreadedMock
) -> None:
    result = harness.gate("candidate", repeats=2, concurrency=3)
    assert len(mock.server.requests) == 320
    generation = result.comparison.candidate.record.header.generation
    assert (generation["repeats"], generation["concurrency"]) == (2, 3)
    assert harness.gate("candidate", repeats=2).verdict == "PROMOTE"
    assert call("gate", "candidate", "--repeats", "2") == 0
    assert len(mock.server.requests) == 320
    harness.gate("candidate", no_cache=True)
    assert len(mock.server.requests) == 480


def test_numbers_that_the_command_would_refuse_are_usage_errors(project_dir: Path) -> None:
    with pytest.raises(harness.UsageError, match="repeats must be 1 or more, not 0"):
        harness.gate("candidate", repeats=0)
    with pytest.raises(harness.UsageError, match="concurrency must be 1 or more, not -1"):
        harness.gate("candidate", concurrency=-1)
    assert not (project_dir / ".harness").exists()
    harness.gate("candidate")
    assert call("promote", "candidate", "--name", "v1") == 0
    with pytest.raises(harness.UsageError, match="holds 1 answers a case, `base` would be asked"):
        harness.gate("base", baseline="sealed:v1", repeats=2)


@pytest.mark.parametrize("loop", [False, True])
def test_an_interrupted_gate_leaves_a_report_that_is_invalid(
    project_dir: Path, mock: ThreadedMock, loop: bool
) -> None:
    def interrupted(body: dict[str, Any]) -> str:
        if len(mock.server.requests) == 100:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        if len(mock.server.requests) >= 100:
            time.sleep(0.05)  # not all are to be answered before it is heard
        return answer(body)

    async def cell() -> None:
        harness.gate("candidate")

    def in_a_notebook() -> None:
        """As in a kernel, which leaves Ctrl-C to Python."""
        with contextlib.closing(asyncio.new_event_loop()) as kernel:
            kernel.run_until_complete(cell())

    mock.answer = interrupted
    with pytest.raises(KeyboardInterrupt):
        in_a_notebook() if loop else harness.gate("candidate")
    folder = project_dir / "reports/candidate-vs-base"
    verdict = json.loads((folder / "verdict.json").read_text())
    assert verdict["verdict"] == "INVALID"
    told = verdict["problems"][0]
    answered = re.fullmatch(r"broken off by Ctrl-C: (\d+) of 160 answered", told)
    assert answered is not None
    assert 80 <= int(answered[1]) < 160
    assert told in (folder / "report.html").read_text()


def test_it_works_where_an_event_loop_is_running(project_dir: Path) -> None:
    async def cell() -> str:
        return harness.gate("candidate").verdict

    assert asyncio.run(cell()) == "PROMOTE"


def test_a_scorer_with_an_event_loop_of_its_own_works_there_too(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow:
        name = "slow"
        metrics = ("f1", "refusal_recall", "answer_rate", "accuracy")

        def check_section(self, settings) -> None: ...

        def check_case(self, case, settings) -> None: ...

        def score(self, text, case, settings) -> Judgement:
            return asyncio.run(self.judge(text))

        async def judge(self, text: str) -> Judgement:
            return Judgement(1.0, True, {name: Term(num=1.0, den=1.0) for name in self.metrics})

    monkeypatch.setattr(registry.book(), "_loaded", {**registry.book()._loaded, "slow": Slow()})
    path = project_dir / "suites/shop/suite.yaml"
    path.write_text(path.read_text().replace("scorer: scope", "scorer: slow"))

    async def cell() -> set[str]:
        result = harness.gate("candidate", config="harness.yaml")
        return set(result.comparison.candidate.frame()["status"])

    assert asyncio.run(cell()) == {"scored"}


def test_a_sealed_baseline_and_a_suite_may_be_named(project_dir: Path) -> None:
    harness.gate("candidate")
    assert call("promote", "candidate", "--name", "v1") == 0
    result = harness.gate("base", baseline="sealed:v1", suites=["shop"])
    assert (result.verdict, result.record.baseline) == ("BLOCK", "sealed:v1")
    again = harness.compare(result.comparison.candidate, result.comparison.baseline)
    assert again.metrics().equals(result.comparison.metrics())
    with pytest.raises(harness.UsageError, match=r'suites=\["shop"\]'):
        harness.gate("base", suites="shop")


def test_an_error_leaves_no_verdict_behind(project_dir: Path, mock: ThreadedMock) -> None:
    report = harness.gate("candidate").report
    path = project_dir / "suites/shop/gold.jsonl"
    path.write_text(path.read_text().replace("What is fact 8?", "What was fact 8?"))
    with pytest.raises(harness.EvidenceError, match="has no stored answer for 1 of 80 cases"):
        harness.gate("candidate", stored=True)
    assert not report.exists()
    assert not report.with_name("verdict.json").exists()


def test_a_name_that_does_not_exist_is_a_usage_error(project_dir: Path) -> None:
    with pytest.raises(harness.UsageError, match="no target `nobody`"):
        harness.gate("nobody")
    with pytest.raises(harness.HarnessError, match=r"none\.yaml: no such file"):
        harness.gate("candidate", config="none.yaml")


def test_progress_goes_to_standard_error_and_can_be_silenced(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    harness.gate("candidate", progress=False)
    assert capsys.readouterr() == ("", "")
    call("run", "base", "candidate", "--no-cache")
    capsys.readouterr()
    harness.gate("candidate")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "candidate: 80 stored answers" in shown.err


def test_a_result_is_told_on_one_line_and_on_a_card(project_dir: Path, mock: ThreadedMock) -> None:
    result = harness.gate("candidate")
    assert repr(result) == "<GateResult PROMOTE candidate against base: all 4 rules pass>"
    card = result._repr_html_()
    assert "PROMOTE" in card
    assert "shop.gold.accuracy better than the baseline" in card
    assert "report.html" in card
    mock.answer = lambda body: answer({**body, "model": "base"})
    call("run", "base", "candidate", "--no-cache")
    invalid = harness.gate("candidate", stored=True)
    assert invalid.verdict == "INVALID"
    assert "gave the same text in all 80 cases" in invalid._repr_html_()
    assert "shop.gold.accuracy" not in invalid._repr_html_()


def test_python_tests_are_run_where_an_event_loop_is_running(
    project_dir: Path, mock: ThreadedMock
) -> None:
    write(project_dir, mock)

    async def cell() -> harness.GateResult:
        return harness.gate("candidate", progress=False)

    result = asyncio.run(cell())
    assert result.verdict == "PROMOTE"
    assert result.rules()["n"].tolist()[-1] == 6


def test_a_test_of_a_users_own_may_gate_a_suite_with_python_tests(
    project_dir: Path, mock: ThreadedMock
) -> None:
    write(project_dir, mock)
    (project_dir / "test_release.py").write_text(
        "import harness\n\ndef test_release():\n"
        "    assert harness.gate('candidate').verdict == 'PROMOTE'\n"
    )
    done = session(project_dir, "test_release.py", "-p", "xdist.plugin", "-n", "1")
    assert done.code == 0, done.out


def test_a_stage_is_told_of_at_first_now_and_then_and_at_its_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = ManualClock()
    lines = ProgressLines(sys.stderr, clock)
    for done in range(5):
        lines.progress("asking", done, 5, "1 failed" if done == 3 else "")
        clock.advance(EVERY / 2)
    lines.progress("asking", 5, 5, "")
    lines.progress("other", 1, 9, "")
    assert capsys.readouterr().err.splitlines() == [
        "asking: 0/5", "asking: 2/5", "asking: 4/5", "asking: 5/5", "other: 1/9",
    ]  # fmt: skip


def test_a_step_is_told_of_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    ProgressLines(sys.stderr).say("starting the server")
    assert capsys.readouterr().err == "starting the server\n"
