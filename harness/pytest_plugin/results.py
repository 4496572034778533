"""What Python tests came to: gathered, kept where a section was run whole, and judged."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError
from harness.pytest_plugin.chat import LiveTargets
from harness.pytest_plugin.findings import SectionKey, SectionTests
from harness.pytest_plugin.python_tests import RECORDED, PythonTests
from harness.pytest_plugin.session import SessionState
from harness.pytest_plugin.xdist import Controller, Worker
from harness.records.recording import RecordedCase, RecordedSection, Recording
from harness.records.run import Watcher
from harness.sections.evidence import configured_judge
from harness.sections.python import METRICS
from harness.storage import RunFolder

if TYPE_CHECKING:
    from harness.pytest_plugin.gate import PlannedRuns


class ResultRecorder:
    """What has come of the tests of each target and section so far.

    A section counts once every one of its tests has been run in one session: a part of them, chosen
    by whoever looks at the answers, is no evidence.
    """

    def __init__(self, state: SessionState, tested: Iterable[SectionTests]) -> None:
        self._state = state
        self._session = secrets.token_hex(8)
        self._tested = {each.place: each for each in tested}
        self._found: defaultdict[SectionKey, dict[str, RecordedCase]] = defaultdict(dict)
        self._lost: dict[SectionKey, str] = {}
        self.kept: list[SectionKey] = []

    def begin(self) -> None:
        """Note on the disk that sections are tested anew, should this session not get to its end.

        A part of a section cannot, whatever comes of it.

        Raises:
            JournalError: what was recorded before is damaged, or another process writes the run.
            StorageError: the folder cannot be written.
        """
        begun: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for target, suite, section in self._tested:
            begun[target].append((suite, section, self._session))
        for target, each in begun.items():
            self._write(target, begun=tuple(each))

    def worker_died(self) -> None:
        """Wait no more for any section: a worker died.

        What it had left goes to the others behind their own, and rules would wait for tests that
        wait for them.
        """
        for place in self.pending:
            self._lost[place] = f"a worker died, {self._ran(place)}"

    def add(self, target: str, found: RecordedCase) -> None:
        """Take note of one test; keep its section if it was the last."""
        place = target, found.score.suite, found.score.section
        self._found[place][found.case.id] = found
        wanted = self._tested.get(place)
        if wanted is not None and wanted.whole and set(wanted.cases) == set(self._found[place]):
            self._keep(place, wanted)

    def give_up(self, target: str, found: RecordedCase, why: str) -> None:
        """Wait no more for the section of that test: it cannot be kept."""
        self._lost[target, found.score.suite, found.score.section] = why

    @property
    def pending(self) -> list[SectionKey]:
        """The sections that are to be kept and are not yet."""
        over = {*self.kept, *self._lost}
        return [place for place, each in self._tested.items() if each.whole and place not in over]

    def unkept(self) -> dict[SectionKey, str]:
        """Why nothing was kept of a section, by section."""
        unkept = {}
        for place, each in self._tested.items():
            if place not in self.kept:
                unkept[place] = each.part or self._lost.get(place) or self._ran(place)
        return unkept

    def outcomes(self) -> dict[SectionKey, str]:
        """By section, why nothing was kept of it; empty where it was."""
        unkept = self.unkept()
        return {
            place: f"{unkept[place]}, so none is recorded" if place in unkept else ""
            for place in self._tested
        }

    def notes(self) -> list[str]:
        """What was kept, and what was not and why, a line each."""
        outcomes, lines = self.outcomes(), []
        for place, each in self._tested.items():
            target, suite, section = place
            count = len(each.cases)
            recorded = f"{count} Python test{'s' if count > 1 else ''} recorded"
            lines.append(f"{suite}.{section} of {target}: {outcomes[place] or recorded}")
        return lines

    def _ran(self, place: SectionKey) -> str:
        return f"{len(self._found[place])} of {len(self._tested[place].cases)} Python tests ran"

    def _keep(self, place: SectionKey, wanted: SectionTests) -> None:
        target, suite, section = place
        cases = tuple(self._found[place][name] for name in wanted.cases)
        judged = any(case.judge is not None for case in cases)
        kept = RecordedSection(
            suite=suite,
            section=section,
            metrics=METRICS,
            cases=cases,
            session=self._session,
            judge=configured_judge(self._state.project) if judged else None,
        )
        self._write(target, sections=(kept,))
        self.kept.append(place)

    def _write(
        self,
        target: str,
        sections: tuple[RecordedSection, ...] = (),
        begun: tuple[tuple[str, str, str], ...] = (),
    ) -> None:
        findings = self._state.findings
        assert findings is not None
        where = findings.tested_runs[target]
        folder = RunFolder(self._state.project.runs / where.run)
        folder.record(Recording(freshness=where.freshness, sections=sections, begun=begun))


# What pytest-xdist says of a test whose worker died in it.
CRASHED = "???"


class TestSession:
    """Python tests from the requests to the end of a session."""

    def __init__(self, state: SessionState, tests: PythonTests, watcher: Watcher) -> None:
        self._state = state
        self._tests = tests
        self._watcher = watcher
        self._planned: PlannedRuns | None = None
        self._recorder: ResultRecorder | None = None
        self._live_targets: LiveTargets | None = None

    @property
    def notes(self) -> list[str]:
        """What was recorded, and what was not and why, a line each."""
        return [] if self._recorder is None else self._recorder.notes()

    def outcomes(self) -> dict[SectionKey, str]:
        """By section, why nothing was recorded of it; empty where it was."""
        return {} if self._recorder is None else self._recorder.outcomes()

    def open(self, planned: PlannedRuns, controller: Controller) -> None:
        """Get through to every target that is tested, its adapter proven, before any test runs.

        Raises:
            UsageError: a model or adapter does not exist.
            EvidenceError: a target is another by now, or its adapter has no effect.
            ServerError: a server cannot be started or reached.
        """
        requirements = planned.requirements
        self._planned = planned
        if not requirements.tests:
            return
        self._recorder = ResultRecorder(self._state, requirements.tests)
        self._tests.live_targets = self._live_targets = LiveTargets(self._state, self._watcher)
        from harness.pytest_plugin.gate import wholes

        for target, plan in wholes(planned).items():
            known = RunFolder(self._state.project.runs / plan.run_id).header()
            self._live_targets.line(target).check(plan, known, self._watcher)
        self._recorder.begin()
        controller.connect(self._live_targets.started())

    def connect(self, worker: Worker) -> None:
        """As a worker, ask where the controller has got through to."""
        if self._live_targets is None:
            running = worker.running()
            self._live_targets = LiveTargets(self._state, self._watcher, running)
            self._tests.live_targets = self._live_targets

    def receive(self, report: pytest.TestReport) -> bool:
        """Take note of a report; whether it was the last that the rules have waited for."""
        if self._recorder is None:
            return False
        carried = getattr(report, RECORDED, None)
        if carried is not None:
            self._record(self._recorder, *carried)
        elif report.when == CRASHED:
            self._recorder.worker_died()
        else:
            return False
        findings = self._state.findings
        return findings is not None and findings.late and not self._recorder.pending

    def _record(self, recorder: ResultRecorder, target: str, found: str) -> None:
        case = RecordedCase.model_validate_json(found)
        try:
            recorder.add(target, case)
        except HarnessError as error:  # in the middle of a session nobody could catch it
            recorder.give_up(target, case, self._state.error_line(error))

    def judge(self) -> None:
        """Judge the rules on what was recorded by now in this session, and on nothing older."""
        findings, planned, recorder = self._state.findings, self._planned, self._recorder
        if findings is None or planned is None or not findings.late:
            return
        from harness.pytest_plugin.gate import judged_late

        unkept = {} if recorder is None else recorder.unkept()
        judged = judged_late(planned, findings, self._watcher, unkept)
        self._state.findings = judged

    def close(self) -> None:
        """Close what was opened; a report whose rules still wait for tests is a partial one."""
        findings, planned = self._state.findings, self._planned
        if findings is not None and findings.late and planned is not None:
            from harness.pytest_plugin.gate import write_partial_reports

            write_partial_reports(planned, self._watcher)
        if self._live_targets is not None:
            self._live_targets.close()
