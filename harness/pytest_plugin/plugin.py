"""The plugin of a session with targets: what is done at each of pytest's calls."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError
from harness.files import short_path
from harness.pytest_plugin.chat import LiveTargets
from harness.pytest_plugin.exit_status import ExitStatus, shortcomings
from harness.pytest_plugin.findings import (
    Controller,
    Node,
    Requirements,
    requirements_of,
    worker_of,
)
from harness.pytest_plugin.items import CaseItem, HarnessItem, RuleItem, SuiteFile
from harness.pytest_plugin.loaded_files import loaded_files
from harness.pytest_plugin.names import Marks, marker_names
from harness.pytest_plugin.options import Options
from harness.pytest_plugin.python_tests import PythonTests
from harness.pytest_plugin.reporting import (
    INCONCLUSIVE,
    TOLERATED,
    WORD,
    Progress,
    set_outcome,
    summarise,
)
from harness.pytest_plugin.results import ResultRecorder, rerun
from harness.pytest_plugin.session import SessionState, error_line
from harness.records.recording import RecordedCase
from harness.sections.pytest_child import EventLog, TestEvent
from harness.storage import RunFolder
from harness.suites.load import SUITE_FILE
from harness.targets.connection import keep_servers
from harness.visible_text import on_a_line

if TYPE_CHECKING:
    from harness.pytest_plugin.gate import PlannedRuns

# What pytest-xdist says of a test whose worker died in it.
CRASHED = "???"


class Plugin:
    """Collects suites, asks once for what the selected items need, and reports the outcomes."""

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self._config = config
        self._options = options
        self._from_file = marker_names(config)  # no plugin has registered its own yet
        self._worker = worker_of(config)
        self._controller = Controller()
        self._events = EventLog(None if options.order is None else options.order.events)
        self._planned: PlannedRuns | None = None
        self._recorder: ResultRecorder | None = None
        self._asked = False
        self._over = 0
        self._wanted = Requirements()
        self._exit_status = ExitStatus(config)
        self._servers = ExitStack()
        # There from the session's start.
        self._session: pytest.Session
        self._state: SessionState
        self._marks: Marks
        self._tests: PythonTests
        self._progress: Progress

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
        terminal = self._config.pluginmanager.getplugin("terminalreporter")
        self._progress = Progress(terminal if self._config.option.verbose >= 0 else None)
        self._exit_status.be_outermost()
        self._tests.sent.be_outermost()

    def pytest_report_header(self) -> str:
        """A line above the session: its targets, baseline and configuration."""
        targets, baseline = ", ".join(self._options.targets), self._state.baseline
        against = f", baseline: {baseline}" if baseline else ""
        config = short_path(self._options.config)
        return f"harness: targets: {targets}{against}, configuration: {config}"

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        """Collect the project's suites, and any other that is named outright."""
        named = file_path.name == SUITE_FILE and parent.session.isinitpath(file_path)
        if not named and file_path.resolve() not in self._state.files:
            return None
        collector: pytest.Collector = SuiteFile.from_parent(
            parent, path=file_path, state=self._state, marks=self._marks
        )
        return collector

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Let Python tests go first and rules last, where rules wait for the tests' results."""
        if any(self._tests.is_one(item) for item in items):
            items.sort(key=lambda item: (not self._tests.is_one(item), isinstance(item, RuleItem)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """As a worker, send the controller what the selected items need."""
        self._events.write(TestEvent(event="collected", count=len(session.items)))
        self._tests.sent.be_outermost()  # every conftest.py is loaded by now
        if self._worker is not None:
            self._worker.send(self._requirements())
        else:
            self._wanted = self._requirements()
            self._exit_status.be_outermost()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """Ask, before the first item runs."""
        if self._worker is None:
            self._ask(self._requirements())

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Node) -> None:
        """Give a worker of pytest-xdist the folder in which findings will be."""
        self._controller.share_folder(node)
        if self._tests:
            # The longest file first would be that of the rules, which wait for the tests.
            self._config.option.loadscopereorder = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Node) -> None:
        """Ask, once the first worker knows what is selected and before anything is given out."""
        if self._asked:
            return
        failed = self._session.testsfailed
        if failed and not self._config.option.continue_on_collection_errors:
            # As without workers: they alone would go on.
            raise self._session.Interrupted(
                f"{failed} error{'s' if failed > 1 else ''} during collection"
            )
        self._wanted = self._controller.requirements(node)
        self._ask(self._wanted)
        self._asked = True
        self._controller.publish(self._state.findings)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before an item is looked up, read as a worker what was found, and judge what is late."""
        state, worker, tests = self._state, self._worker, self._tests
        tested = tests.is_one(item)
        if not tested and not isinstance(item, HarnessItem):
            return
        if worker is not None:
            if state.findings is None:
                state.findings = worker.findings()
            if tested and tests.live_targets is None:
                tests.live_targets = LiveTargets(state, self._progress, worker.servers())
        tests.attach(item)
        if isinstance(item, RuleItem) and state.findings is not None and state.findings.late:
            if worker is not None:
                state.findings = worker.wait_for_verdict()
            else:
                self._judge()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather the results of Python tests; after the last of them, judge."""
        if report.when == "teardown":
            self._over += 1
            self._events.write(TestEvent(event="progress", count=self._over))
        recorder, found = self._recorder, self._tests.result(report)
        if str(report.outcome) == "rerun":  # pytest-rerunfailures: the last report holds them all
            found = None
        if recorder is not None and (found is not None or report.when == CRASHED):
            if found is None:
                recorder.worker_died()
            else:
                ended = [RecordedCase.model_validate_json(each) for each in found.ended]
                recorder.add(found.target, rerun(ended), self._tests.change(found, report))
            if not recorder.pending:
                self._judge()
        self._controller.touch()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put an item's own explanation into its report."""
        report = yield
        if isinstance(item, HarnessItem) and call.excinfo is not None:
            set_outcome(report, call.excinfo.value)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport | pytest.CollectReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """Category, letter and word of what pytest has no words for."""
        word = getattr(report, WORD, None)
        if word == TOLERATED:
            return TOLERATED, "t", (TOLERATED.upper(), {"yellow": True})
        if word == INCONCLUSIVE:
            return "failed", "?", (INCONCLUSIVE.upper(), {"red": True})
        return None

    def pytest_exception_interact(
        self, call: pytest.CallInfo[Any], report: pytest.CollectReport | pytest.TestReport
    ) -> None:
        """Report to a gate that a file cannot be collected."""
        if isinstance(report, pytest.CollectReport) and call.excinfo is not None:
            self._events.complain(call.excinfo.value)

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Report an error of pytest or a plugin to a gate."""
        self._events.complain(excinfo.value)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Close what was opened; a report whose rules still wait for tests is a partial one."""
        outcomes = {} if self._recorder is None else self._recorder.outcomes()
        for (target, suite, section), why in outcomes.items():
            self._events.write(
                TestEvent(
                    event="unrecorded" if why else "recorded",
                    section=f"{suite}.{section}",
                    target=target,
                    text=on_a_line(why, 400),
                )
            )
        findings = self._state.findings
        if findings is not None and findings.late and self._planned is not None:
            self._planned.write_partial_reports(self._progress)
        if self._worker is None and not self._config.option.collectonly:
            failing = () if self._recorder is None else self._recorder.failing()
            reasons = shortcomings(self._state, self._config, self._wanted)
            self._exit_status.reasons = (*reasons, *failing)
        if self._tests.live_targets is not None:
            self._tests.live_targets.close()
        self._servers.close()
        self._events.write(TestEvent(event="end", count=int(exitstatus)))

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, exitstatus: int
    ) -> None:
        """Verdicts, reports, what was tolerated, and why the session fails where no item did."""
        notes = [] if self._recorder is None else self._recorder.notes()
        if exitstatus == 0:
            notes += [f"exit status 1: {reason}" for reason in self._exit_status.reasons]
        summarise(self._state, terminalreporter, notes)

    def pytest_unconfigure(self) -> None:
        """Remove what workers and controller shared."""
        self._controller.close()

    def _requirements(self) -> Requirements:
        items, order = self._session.items, self._options.order
        tests = () if self._options.stored else self._tests.section_tests(items)
        found = requirements_of(
            self._state.collected if order is None else order.suites,
            ((item.target, item.case_path) for item in items if isinstance(item, CaseItem)),
            ((item.target, item.rule) for item in items if isinstance(item, RuleItem)),
            tests,
        )
        files = loaded_files(self._config, self._state.project.root) if tests else {}
        return found.model_copy(update={"files": files})

    def _refused(self, text: str) -> pytest.UsageError:
        """The error that ends the session, which is reported to a gate as well."""
        refused = pytest.UsageError(f"harness: {text}")
        self._events.write(TestEvent(event="complaint", text=on_a_line(str(refused), 400)))
        return refused

    def _ask(self, requirements: Requirements) -> None:
        """Ask and judge; whatever prevents it is one line, before any item has run."""
        option = self._config.option
        if self._session.testsfailed and not option.continue_on_collection_errors:
            return
        if option.collectonly or not (requirements.targets or requirements.tests):
            return
        from harness.pytest_plugin.gate import plan_runs  # only who asks pays for it

        try:
            # Python tests and latency come after the answers, and ask the same servers.
            self._servers.enter_context(keep_servers(self._state.asked_targets))
            self._planned = plan_runs(self._state, requirements)
            self._state.findings = self._planned.find(self._progress)
            if requirements.tests:
                self._connect(self._planned)
        except HarnessError as error:
            raise self._refused(self._state.error_line(error)) from None

    def _connect(self, planned: PlannedRuns) -> None:
        """Connect to every target that is tested, its adapter proven, before any test runs.

        Raises:
            UsageError: a model or adapter does not exist.
            EvidenceError: a target is another by now, or its adapter has no effect.
            ServerError: a server cannot be started or reached.
        """
        needs = planned.requirements
        self._recorder = ResultRecorder(self._state, needs.tests, needs.files)
        live = self._tests.live_targets = LiveTargets(self._state, self._progress)
        for target, plan in planned.whole_plans().items():
            known = RunFolder(self._state.project.runs / plan.run_id).header()
            live.target(target).check(plan, known, self._progress)
        self._recorder.begin()
        self._controller.publish_servers(live.started())

    def _judge(self) -> None:
        """Judge late rules on what was recorded by now in this session, and on nothing older."""
        findings, planned = self._state.findings, self._planned
        if findings is None or planned is None or not findings.late:
            return
        unkept = {} if self._recorder is None else self._recorder.unkept()
        self._state.findings = planned.judge_late(findings, self._progress, unkept)
        self._controller.publish(self._state.findings)
