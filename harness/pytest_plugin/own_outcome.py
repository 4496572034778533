"""What a Python test comes to by itself, and whether hooks made something else of it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from harness.pytest_plugin.fixtures import RUNNING, RunningTest
from harness.pytest_plugin.loaded_files import is_own
from harness.visible_text import one_line

Verdict = (AssertionError, pytest.fail.Exception)
Outcome = Literal["passed", "failed", "skipped"]
_WATCHED = "__harness_item__"
_FUNCTION = pytest.StashKey[Any]()


@dataclass(frozen=True, slots=True)
class TestResult:
    """The target of a test, its recorded cases as JSON, and how its outcome was changed, if at all.

    `outcome` is that of its report as it was made.
    """

    __test__ = False

    target: str
    ended: Sequence[str]
    change: str
    outcome: str

    def to_list(self) -> list[str]:
        """As texts that pytest-xdist can send."""
        return [self.target, self.change, self.outcome, *self.ended]

    @classmethod
    def from_list(cls, given: Sequence[str]) -> TestResult:
        """The result that was made a list of texts."""
        target, change, outcome, *ended = given
        return cls(target, ended, change, outcome)


def note_function(item: pytest.Function) -> None:
    """Note the test's function as pytest has collected it, before anybody puts another there."""
    item.stash[_FUNCTION] = _plain(item.obj)


def watch_function(item: pytest.Function, running: RunningTest) -> None:
    """Have the test's function itself say what becomes of it, within all hooks of pytest."""
    item.stash[RUNNING] = running
    function = item.obj
    if getattr(function, _WATCHED, None) is item:
        return
    code = getattr(_plain(function), "__code__", None)
    replaced = _plain(function) is not item.stash.get(_FUNCTION, None)
    running.replaced = replaced and code is not None and is_own(Path(code.co_filename))
    item.obj = _watched(item, function)


def _watched(item: pytest.Function, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        item.stash[RUNNING].called = True
        try:
            return function(*given, **named)
        except BaseException as error:
            item.stash[RUNNING].raised = error
            raise

    @functools.wraps(function)
    async def call_async(*given: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        item.stash[RUNNING].called = True
        try:
            return await function(*given, **named)
        except BaseException as error:
            item.stash[RUNNING].raised = error
            raise

    watched: Callable[..., Any] = call_async if inspect.iscoroutinefunction(function) else call
    setattr(watched, _WATCHED, item)
    return watched


def _plain(function: Any) -> Any:
    """The function of a method; each access to it makes another method."""
    return getattr(function, "__func__", function)


def own_error(running: RunningTest, call: pytest.CallInfo[Any]) -> BaseException | None:
    """What the test raised: its function's own verdict, else what pytest has of the call."""
    if call.when == "call" and isinstance(running.raised, Verdict):
        return running.raised
    return None if call.excinfo is None else call.excinfo.value


def change_of(running: RunningTest, call: pytest.CallInfo[Any], report: pytest.TestReport) -> str:
    """How hooks changed what the test comes to; empty where they did not, as far as can be seen."""
    known = None if call.excinfo is None else call.excinfo.value
    if running.replaced:
        return "its function was replaced"
    if call.when == "call":
        if not running.called and known is None:
            return "its function was not called"
        if isinstance(running.raised, Verdict) and known is not running.raised:
            seen = "nothing" if known is None else type(known).__name__
            return f"{one_line(type(running.raised).__name__, 80)} became {one_line(seen, 80)}"
    if hasattr(report, "wasxfail") or str(report.outcome) == "rerun":
        return ""
    expected: Outcome = "passed" if known is None else "failed"
    if isinstance(known, pytest.skip.Exception | pytest.xfail.Exception):
        expected = "skipped"
    return "" if report.outcome == expected else f"{expected} became {one_line(report.outcome, 80)}"
