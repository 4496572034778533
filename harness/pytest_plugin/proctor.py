"""The proctor: has Python tests sat, gathers what they came to, and has rules wait for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError
from harness.pytest_plugin.python_tests import RECORDED, PythonTests
from harness.pytest_plugin.recorder import Place, Recorder
from harness.pytest_plugin.spread import Controller, Worker
from harness.pytest_plugin.switchboard import Switchboard
from harness.pytest_plugin.workbench import Workbench
from harness.records.progress import Watcher
from harness.records.recording import RecordedCase

if TYPE_CHECKING:
    from harness.pytest_plugin.asking import Asking


# What pytest-xdist says of a test whose worker died in it.
CRASHED = "???"


class Proctor:
    """What is done about Python tests between the asking and the end of a session."""

    def __init__(self, workbench: Workbench, tests: PythonTests, watcher: Watcher) -> None:
        self._workbench = workbench
        self._tests = tests
        self._watcher = watcher
        self._asking: Asking | None = None
        self._recorder: Recorder | None = None
        self._switchboard: Switchboard | None = None

    @property
    def notes(self) -> list[str]:
        """What was recorded, and what was not and why, a line each."""
        return [] if self._recorder is None else self._recorder.notes()

    def outcomes(self) -> dict[Place, str]:
        """By section, why nothing was recorded of it; empty where it was."""
        return {} if self._recorder is None else self._recorder.outcomes()

    def open(self, asking: Asking, controller: Controller) -> None:
        """Get through to every target that is tested, its adapter proven, before any test runs.

        Raises:
            UsageError: a model or adapter does not exist.
            EvidenceError: a target is another by now, or its adapter has no effect.
            ServerError: a server cannot be started or reached.
        """
        needs = asking.needs
        self._asking = asking
        if not needs.tests:
            return
        self._recorder = Recorder(self._workbench, needs.tests)
        self._tests.switchboard = self._switchboard = Switchboard(self._workbench, self._watcher)
        from harness.pytest_plugin.asking import wholes
        from harness.storage import RunFolder

        for target, planned in wholes(asking).items():
            known = RunFolder(self._workbench.project.runs / planned.run_id).header()
            self._switchboard.line(target).check(planned, known, self._watcher)
        self._recorder.begin()
        controller.connect(self._switchboard.started())

    def join(self, worker: Worker) -> None:
        """As a worker, ask where the controller has got through to."""
        if self._switchboard is None:
            running = worker.running()
            self._switchboard = Switchboard(self._workbench, self._watcher, running)
            self._tests.switchboard = self._switchboard

    def hear(self, report: pytest.TestReport) -> bool:
        """Take note of a report; whether it was the last that the rules have waited for."""
        if self._recorder is None:
            return False
        carried = getattr(report, RECORDED, None)
        if carried is not None:
            self._record(self._recorder, *carried)
        elif report.when == CRASHED:
            self._recorder.lose()
        else:
            return False
        findings = self._workbench.findings
        return findings is not None and findings.late and not self._recorder.pending

    def _record(self, recorder: Recorder, target: str, found: str) -> None:
        case = RecordedCase.model_validate_json(found)
        try:
            recorder.hear(target, case)
        except HarnessError as error:  # in the middle of a session nobody could catch it
            recorder.give_up(target, case, self._workbench.told(error))

    def judge(self) -> None:
        """Judge the rules on what was recorded by now in this session, and on nothing older."""
        findings, asking, recorder = self._workbench.findings, self._asking, self._recorder
        if findings is None or asking is None or asking.bench is None or not findings.late:
            return
        from harness.pytest_plugin.judging import judged_late

        unkept = {} if recorder is None else recorder.unkept()
        judged = judged_late(asking, asking.bench, findings, self._watcher, unkept)
        self._workbench.findings = judged

    def close(self) -> None:
        """Hang up; a report on rules that still wait for tests is left as a partial one."""
        findings, asking = self._workbench.findings, self._asking
        if findings is not None and findings.late and asking is not None and asking.bench:
            from harness.pytest_plugin.judging import report_part

            report_part(asking, asking.bench, self._watcher)
        if self._switchboard is not None:
            self._switchboard.close()
