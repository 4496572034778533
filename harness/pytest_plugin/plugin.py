"""The plugin of a session with targets: what is done at each of pytest's calls."""

from __future__ import annotations

import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.pytest_plugin.findings import Requirements, SectionKey, requirements_of
from harness.pytest_plugin.items import CaseItem, HarnessItem, RuleItem, SuiteFile
from harness.pytest_plugin.names import Marks, marker_names
from harness.pytest_plugin.options import Options
from harness.pytest_plugin.python_tests import PythonTests
from harness.pytest_plugin.reporting import (
    Status,
    header,
    progress_of,
    set_outcome,
    status,
    summarise,
)
from harness.pytest_plugin.results import TestSession
from harness.pytest_plugin.session import SessionState, error_line
from harness.pytest_plugin.xdist import Controller, Node, worker_of
from harness.sections.pytest_child import EventLog, TestEvent
from harness.suites.load import SUITE_FILE
from harness.visible_text import on_a_line


class Plugin:
    """Collects suites, asks once for what the selected items need, and tells of the outcomes."""

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self._config = config
        self._options = options
        self._from_file = marker_names(config)  # no plugin has registered its own yet
        self._marks: Marks | None = None
        self._state: SessionState | None = None
        self._session: pytest.Session | None = None
        self._worker = worker_of(config)
        self._controller = Controller()
        self._asked = False
        self._tests: PythonTests | None = None
        self._test_session: TestSession | None = None
        self._events = EventLog(None if options.order is None else options.order.events)
        self._over = 0

    @property
    def state(self) -> SessionState:
        """What the session knows; there from its start."""
        assert self._state is not None
        return self._state

    @property
    def tests(self) -> PythonTests:
        """The Python tests of suites; there from the session's start."""
        assert self._tests is not None
        return self._tests

    @property
    def test_session(self) -> TestSession:
        """Who looks after them."""
        assert self._test_session is not None
        return self._test_session

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Open the project: what is wrong with the command line is said before all else."""
        self._session = session
        if self._options.order is not None:
            # How a gate that is interrupted passes that on.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            self._state = SessionState(self._options)
        except HarnessError as error:
            root = self._options.config.absolute().parent
            raise self._refused(error_line(error, root)) from None
        self._marks = Marks(self._config, self._from_file)
        self._tests = PythonTests(self._config, self._state, self._marks)
        self._config.pluginmanager.register(self._tests, "harness-python-tests")
        self._test_session = TestSession(self._state, self._tests, progress_of(self._config))

    def pytest_report_header(self) -> str:
        """A line above the session."""
        return header(self.state)

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        """Collect the project's suites, and any other that is named outright."""
        named = file_path.name == SUITE_FILE and parent.session.isinitpath(file_path)
        if not named and file_path.resolve() not in self.state.files:
            return None
        assert self._marks is not None
        collector: pytest.Collector = SuiteFile.from_parent(
            parent, path=file_path, state=self.state, marks=self._marks
        )
        return collector

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Let Python tests go first and rules last, where rules wait for what the tests come to."""
        if any(self.tests.is_one(item) for item in items):
            items.sort(key=lambda item: (not self.tests.is_one(item), isinstance(item, RuleItem)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """As a worker, tell the controller what the selected items need."""
        self._events.write(TestEvent(event="collected", count=len(session.items)))
        if self._worker is not None:
            self._worker.send(self._requirements(session))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Ask, before the first item runs."""
        if self._worker is None:
            self._ask(session, self._requirements(session))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Node) -> None:
        """Let a worker of pytest-xdist know where findings will be."""
        self._controller.share_folder(node)
        if self.tests:
            # The longest file first would be that of the rules, which wait for the tests.
            self._config.option.loadscopereorder = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Node) -> None:
        """Ask, once the first worker knows what is selected and before anything is given out."""
        if self._asked or self._session is None:
            return
        failed = self._session.testsfailed
        if failed and not self._config.option.continue_on_collection_errors:
            # As without workers: they alone would go on.
            raise self._session.Interrupted(
                f"{failed} error{'s' if failed > 1 else ''} during collection"
            )
        self._ask(self._session, self._controller.requirements(node))
        self._asked = True
        if self.state.findings is not None:
            self._controller.publish(self.state.findings)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before an item is looked up, read as a worker what was found, and judge what is late."""
        state, worker = self.state, self._worker
        tested = self.tests.is_one(item)
        if not tested and not isinstance(item, HarnessItem):
            return
        if worker is not None and state.findings is None:
            state.findings = worker.findings()
        if worker is not None and tested:
            self.test_session.connect(worker)
        self.tests.attach(item)
        if isinstance(item, RuleItem) and state.findings is not None and state.findings.late:
            if worker is not None:
                state.findings = worker.wait_for_verdict()
            else:
                self.test_session.judge()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather what Python tests came to; after the last of them, judge."""
        if report.when == "teardown":
            self._over += 1
            self._events.write(TestEvent(event="progress", count=self._over))
        if self._worker is None and self.test_session.receive(report):
            self.test_session.judge()
            if self._asked and self.state.findings is not None:
                self._controller.publish(self.state.findings)
        self._controller.touch()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let the report tell of an item in its own words."""
        report = yield
        if isinstance(item, HarnessItem) and call.excinfo is not None:
            set_outcome(report, call.excinfo.value)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport | pytest.CollectReport
    ) -> Status | None:
        """Category, letter and word of what pytest has no words for."""
        return status(report)

    def pytest_exception_interact(
        self, call: pytest.CallInfo[Any], report: pytest.CollectReport | pytest.TestReport
    ) -> None:
        """Tell a gate of a file that cannot be collected."""
        if isinstance(report, pytest.CollectReport) and call.excinfo is not None:
            self._events.complain(call.excinfo.value)

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell a gate of what pytest or a plugin stumbled over."""
        self._events.complain(excinfo.value)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Close what was opened: nothing is tested any more."""
        if self._test_session is not None:
            for place, why in self._test_session.outcomes().items():
                self._events.write(_outcome(place, why))
            self._test_session.close()
        self._events.write(TestEvent(event="end", count=int(exitstatus)))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Verdicts, reports, and what was tolerated."""
        if self._state is not None:
            notes = [] if self._test_session is None else self._test_session.notes
            summarise(self._state, terminalreporter, notes)

    def pytest_unconfigure(self) -> None:
        """Remove what workers and controller shared."""
        self._controller.close()

    def _requirements(self, session: pytest.Session) -> Requirements:
        cases = [item for item in session.items if isinstance(item, CaseItem)]
        rules = [item for item in session.items if isinstance(item, RuleItem)]
        order = self._options.order
        return requirements_of(
            self.state.collected if order is None else order.suites,
            ((item.target, item.case_path) for item in cases),
            ((item.target, item.rule) for item in rules),
            () if self._options.stored else self.tests.section_tests(session.items),
        )

    def _refused(self, text: str) -> pytest.UsageError:
        """The error that ends the session, of which a gate is told as well."""
        refused = pytest.UsageError(f"harness: {text}")
        self._events.write(TestEvent(event="complaint", text=on_a_line(str(refused), 400)))
        return refused

    def _ask(self, session: pytest.Session, requirements: Requirements) -> None:
        """Ask and judge; whatever prevents it is one line, before any item has run."""
        if session.testsfailed and not self._config.option.continue_on_collection_errors:
            return
        if self._config.option.collectonly or not (requirements.targets or requirements.tests):
            return
        from harness.pytest_plugin.gate import find, plan_runs  # only who asks pays for it

        try:
            planned = plan_runs(self.state, requirements)
            self.state.findings = find(planned, progress_of(self._config))
            self.test_session.open(planned, self._controller)
        except HarnessError as error:
            raise self._refused(self.state.error_line(error)) from None


def _outcome(place: SectionKey, why: str) -> TestEvent:
    """What came of the Python tests of a section, for a gate."""
    target, suite, section = place
    return TestEvent(
        event="unrecorded" if why else "recorded",
        section=f"{suite}.{section}",
        target=target,
        text=on_a_line(why, 400),
    )
