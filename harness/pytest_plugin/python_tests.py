"""Python tests of a suite: each is a case, put to every target and to the baseline."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.errors import HarnessError
from harness.pytest_plugin import fixtures
from harness.pytest_plugin.chat import LiveTargets
from harness.pytest_plugin.findings import SectionKey, SectionTests
from harness.pytest_plugin.fixtures import (
    RUNNING,
    CaseMark,
    RunningTest,
    TestCase,
    TestEnd,
    recorded,
)
from harness.pytest_plugin.loaded_files import changing_files
from harness.pytest_plugin.names import CRITICAL, Marks
from harness.pytest_plugin.own_outcome import (
    TestResult,
    Verdict,
    change_of,
    note_function,
    own_error,
    watch_function,
)
from harness.pytest_plugin.reporting import (
    Failing,
    NoEvidence,
    Tolerated,
    answer_section,
    printable,
    prompt_sections,
    set_outcome,
)
from harness.pytest_plugin.sent_results import RECORDED, SentResults
from harness.pytest_plugin.session import SessionState
from harness.records.base import explain
from harness.records.recording import RecordedCase
from harness.records.suite import Suite
from harness.sections.python import PythonSection
from harness.visible_text import on_a_line, one_line

ENDED = pytest.StashKey[list[str]]()
_TARGET = "harness_target"
_REPETITION = "__pytest_repeat_step_number"  # pytest-repeat's own parameter
_MARKER = "case(group=NAME, critical=False, tags=[]): a Python test of a suite as a case"


class PythonTests:
    """Collects the Python tests of suites, prepares them to run, and reports their outcomes."""

    def __init__(self, config: pytest.Config, state: SessionState, marks: Marks) -> None:
        self._config = config
        self._state = state
        self._marks = marks
        self._files = dict(_files(state.suites.values()))
        self._collected: dict[SectionKey, dict[str, str]] = {}  # the case of each test by its id
        self._broken: set[Path] = set()
        self._results: dict[str, TestResult] = {}  # the latest by node id
        self.sent = SentResults(config, self._results)
        self.live_targets: LiveTargets | None = None
        config.addinivalue_line("markers", _MARKER)
        config.pluginmanager.register(fixtures, "harness-fixtures")

    @pytest.hookimpl(trylast=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Put each test to every target, the target last in its name."""
        known = self._files.get(metafunc.definition.path.resolve())
        if known is not None:
            suite, section = known
            metafunc.fixturenames.append(_TARGET)
            metafunc.parametrize(_TARGET, self._targets_of(f"{suite.name}.{section.name}"))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take note of a file of tests that cannot be collected or skips itself."""
        path = (self._config.rootpath / report.nodeid.partition("::")[0]).resolve()
        if not report.passed and path in self._files:
            self._broken.add(path)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Give a test its markers, and take note of it whether or not it is selected."""
        case = self._case(item)
        if case is None:
            return
        assert isinstance(item, pytest.Function)
        note_function(item)
        self._collected.setdefault(case.place, {})[case.id] = case.case_id
        item.add_marker(self._marks.of(case.section, "a section of a suite"))
        for tag in case.mark.tags:
            item.add_marker(self._marks.of(tag, "a tag of cases"))
        if case.mark.critical:
            item.add_marker(self._marks.own(CRITICAL))

    def __bool__(self) -> bool:
        return bool(self._files)

    def is_one(self, item: pytest.Item) -> bool:
        """Whether the item is a Python test of a suite."""
        return self._case(item) is not None

    def section_tests(self, items: Iterable[pytest.Item]) -> tuple[SectionTests, ...]:
        """The sections that the selected items belong to, with all tests that were collected."""
        chosen: dict[SectionKey, set[str]] = {}
        for item in items:
            if case := self._case(item):
                chosen.setdefault(case.place, set()).add(case.id)
        for suite, section in (self._files[path] for path in self._broken):
            for target in self._targets_of(f"{suite.name}.{section.name}"):
                chosen.setdefault((target, suite.name, section.name), set())
        return tuple(
            SectionTests(
                target=place[0],
                suite=place[1],
                section=place[2],
                cases=tuple(self._collected.get(place, ())),
                whole=ids == set(self._collected.get(place, ())) and self._is_whole(place),
                repeated={
                    test: case
                    for test, case in self._collected.get(place, {}).items()
                    if test != case
                },
            )
            for place, ids in chosen.items()
        )

    def attach(self, item: pytest.Item) -> None:
        """Attach a running test before its fixtures are made; nothing, where the item is none."""
        case, findings = self._case(item), self._state.findings
        if case is None:
            return
        if self._state.options.stored:
            pytest.skip("--harness-stored asks no server")
        live = self.live_targets
        if findings is None or live is None or case.target not in findings.tested_runs:
            pytest.fail("harness: the session did not get to ask anything", pytrace=False)
        assert isinstance(item, pytest.Function)
        watch_function(item, RunningTest(self._state, live, case))

    def result(self, report: pytest.TestReport) -> TestResult | None:
        """What a report is to say of a test's case, None where it says nothing.

        What this process has found itself, or a worker has sent, is not read from the report, which
        hooks have had.
        """
        return self._results.get(report.nodeid) if hasattr(report, RECORDED) else None

    def change(self, found: TestResult, report: pytest.TestReport) -> str:
        """How the outcome of a test was changed and by what; empty if it was not."""
        what = found.change
        if not what and report.outcome != found.outcome:
            what = f"{found.outcome} became {one_line(report.outcome, 80)}"
        if not what:
            return ""
        files = ", ".join(changing_files(self._config)) or "a plugin"
        name = one_line(report.nodeid.partition("::")[2], 200)
        return f"the outcome of {name} was changed by a hook of {files} ({what})"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let the report carry the case that the test amounts to, and its outcome."""
        report = yield
        running = item.stash.get(RUNNING, None)
        over = call.when == "call" or (call.when == "setup" and not report.passed)
        if running is None or not over:
            return report
        findings = self._state.findings
        assert findings is not None
        error, change = own_error(running, call), change_of(running, call, report)
        target, suite, section = running.case.place
        found = recorded(running, _ended(item, call, error), findings.tested_runs[target].run)
        # A plugin may run a test again: what it came to before belongs to the case as well.
        ended = item.stash.setdefault(ENDED, [])
        ended.append(found.model_dump_json())
        report.user_properties += [
            ("target", target), ("suite", suite), ("section", section), ("group", found.case.group),
        ]  # fmt: skip
        if found.score.value is not None:
            report.user_properties.append(("score", found.score.value))
        _set_case_outcome(report, error, found, running)
        result = TestResult(target, tuple(ended), change, report.outcome)
        self._results[item.nodeid] = result
        setattr(report, RECORDED, result.to_list())
        return report

    def _targets_of(self, section: str) -> tuple[str, ...]:
        """The targets that the tests of a section are run for."""
        order = self._state.options.order
        if order is not None:
            return tuple(name for name, sections in order.tests.items() if section in sections)
        return self._state.asked_targets

    def _case(self, item: pytest.Item) -> TestCase | None:
        """The case that an item is, None where it is no Python test of a suite."""
        callspec = getattr(item, "callspec", None)
        known = self._files.get(item.path.resolve()) if isinstance(item, pytest.Function) else None
        if known is None or callspec is None or _TARGET not in callspec.params:
            return None
        suite, section = known
        target = str(callspec.params[_TARGET])
        name = _name(item, target)
        case_id = _without_repetition(name, callspec.params.get(_REPETITION))
        return TestCase(target, suite, section.name, name, case_id, _case_mark(item))

    def _is_whole(self, place: SectionKey) -> bool:
        """Whether all tests of a section's file were collected.

        An argument that names a test, a rerun of the last failures, or other names for tests leave
        some out before anybody could count them.
        """
        option = self._config.option
        overridden = any(each.startswith("python_") for each in option.override_ini or ())
        if overridden or any(getattr(option, name, False) for name in ("lf", "stepwise", "pyargs")):
            return False
        file = next(
            file
            for file, (suite, section) in self._files.items()
            if (suite.name, section.name) == place[1:]
        )
        if file in self._broken:
            return False
        here = self._config.invocation_params.dir
        named = (argument.split("::", 1) for argument in self._config.args if "::" in argument)
        return all((here / path).resolve() != file for path, _ in named)


def _files(suites: Iterable[Suite]) -> Iterator[tuple[Path, tuple[Suite, PythonSection]]]:
    for suite in suites:
        for section in suite.sections:
            if isinstance(section, PythonSection):
                yield (Path(suite.folder) / section.file).resolve(), (suite, section)


def _name(item: pytest.Item, target: str) -> str:
    """The item's name below its file, without the target."""
    name = item.nodeid.partition("::")[2]
    if name.endswith(f"-{target}]"):
        return f"{name.removesuffix(f'-{target}]')}]"
    return name.removesuffix(f"[{target}]")


def _without_repetition(name: str, step: object) -> str:
    """The name without pytest-repeat's part of it; `step` counts the repetitions from 0."""
    if not isinstance(step, int):
        return name
    before, _, parameters = name.partition("[")
    kept = re.sub(rf"(?:^|-){step + 1}-\d+(?=-|$)", "", parameters.removesuffix("]"), count=1)
    kept = kept.removeprefix("-")
    return f"{before}[{kept}]" if kept else before


def _case_mark(item: pytest.Item) -> CaseMark:
    given: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers("case"))):
        if mark.args:
            raise pytest.UsageError(
                f"harness: {item.nodeid}: case() takes group=, critical= and tags="
            )
        given |= mark.kwargs
    try:
        return CaseMark.model_validate(given)
    except ValidationError as error:
        raise pytest.UsageError(f"harness: {item.nodeid}: case(): {explain(error)}") from None


def _ended(item: pytest.Item, call: pytest.CallInfo[Any], error: BaseException | None) -> TestEnd:
    """How a test ended: only an assertion of its own says something about the target.

    A fixture's does not, nor what pytest or a plugin says, such as that time is up.
    """
    if error is None:
        return TestEnd("passed")
    reason = one_line(str(error), 600)
    own = isinstance(error, AssertionError) or (
        isinstance(error, Verdict) and _raised_by(item, error)
    )
    if own and call.when == "call":
        return TestEnd("failed", reason)
    if isinstance(error, pytest.skip.Exception | pytest.xfail.Exception):
        return TestEnd("skipped", f"{type(error).__name__}: {reason}")
    return TestEnd("broken", f"{type(error).__name__}: {reason}")


def _raised_by(item: pytest.Item, error: BaseException) -> bool:
    """Whether the item's own file called `pytest.fail`."""
    excinfo = pytest.ExceptionInfo.from_exception(error)
    callers = [entry.path for entry in excinfo.traceback][:-1]
    return bool(callers) and callers[-1] == item.path


def _set_case_outcome(
    report: pytest.TestReport,
    error: BaseException | None,
    found: RecordedCase,
    running: RunningTest,
) -> None:
    """Set the report's outcome as for a case: tolerated, failed, or no evidence."""
    score = found.score
    broken = isinstance(error, HarnessError)
    if not broken and (score.status != "scored" or score.passed):
        return
    message, target = on_a_line(score.reason) or "the test does not pass", running.case.target
    sections = [*prompt_sections(found.case), answer_section(target, score, found.attempt)]
    tolerated = not score.critical or target == running.state.baseline
    if broken:
        report.when = "setup"  # an error, not a failure: nothing follows about the target
        set_outcome(report, NoEvidence(f"no evidence, {message}", sections))
    elif tolerated:
        if error is not None:
            sections.append(("assertion", printable(report.longreprtext)))
        set_outcome(report, Tolerated(message, sections))
    elif error is None or report.longrepr is None:
        report.outcome = "failed"
        set_outcome(report, Failing(message, sections))
    else:
        report.outcome = "failed"
        report.longrepr = printable(report.longreprtext)
        report.sections += [(f"harness: {title}", text) for title, text in sections]
