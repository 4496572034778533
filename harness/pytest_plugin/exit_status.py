"""The exit status of a session: what answers and rules come to, whatever hooks made of it."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest

from harness.pytest_plugin.findings import Requirements
from harness.pytest_plugin.session import SessionState
from harness.records.attempt import Score

# Options by which a command line asks for a part of what there is; `-k` and `-m` may follow flags
# without a value, as in `-qk`.
_PARTS = (
    "--deselect", "--ignore", "--lf", "--last-failed", "--sw", "--stepwise", "--lfnf",
)  # fmt: skip
_SHORT = re.compile(r"-[hlqsvx]*[km]")


class ExitStatus:
    """Sets the exit status at the end of a session, after the hooks of others.

    `reasons` say why the session must not pass; there are none where it may.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._session: pytest.Session | None = None
        self.reasons: tuple[str, ...] = ()

    def be_outermost(self) -> None:
        """Have the last word again: a wrapper that is registered later than ours is outside it."""
        register_outermost(self._config, self, "harness-exit-status")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Set the status when every other plugin has."""
        self._session = session
        yield
        self._set()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_unconfigure(self) -> Generator[None]:
        """Set it again: pytest reads it only after this."""
        yield
        self._set()

    def _set(self) -> None:
        if self.reasons and self._session is not None and self._session.exitstatus == 0:
            self._session.exitstatus = pytest.ExitCode.TESTS_FAILED


def register_outermost(config: pytest.Config, plugin: object, name: str) -> None:
    """Register a plugin, again if need be: its wrappers are then outside those of the others."""
    manager = config.pluginmanager
    if manager.is_registered(plugin):
        manager.unregister(plugin)
    manager.register(plugin, name)


def shortcomings(state: SessionState, config: pytest.Config, wanted: Requirements) -> Iterator[str]:
    """Why a session that was to find out what is `wanted` must not pass, each in a few words.

    They go by answers and rules themselves. An item's outcome may have been changed since, by
    markers or by the hooks of a conftest.py.
    """
    if state.findings is None:
        if wanted.targets or wanted.tests:
            yield "nothing was asked"
        return
    for candidate, places in wanted.rules.items():
        if why := _open(state, candidate, places):
            yield why
    for target, paths in wanted.cases.items():
        yield from _failing_cases(state, target, paths)
    if missing := _left_out(state, config, wanted):
        rules = "rule was" if missing == 1 else "rules were"
        yield (
            f"{missing} {rules} left out, and not by the command line: look at the configuration "
            "of pytest, PYTEST_ADDOPTS and conftest.py"
        )


def _open(state: SessionState, candidate: str, places: Sequence[int]) -> str:
    """Why the candidate is not to pass, as far as its rules say; empty where it may."""
    assert state.findings is not None
    found = state.findings.judged.get(candidate)
    if found is None or not (found.rules or found.problems):
        return f"{candidate} was not judged"
    if found.verdict is not None:
        return "" if found.verdict == "PROMOTE" else f"{candidate}: {found.verdict}"
    if found.problems:
        return f"{candidate}: {found.problems[0]}"
    names = [state.rule_names[at] for at in places if found.rules[at].outcome != "pass"]
    return f"{candidate}: {', '.join(names)} not passed" if names else ""


def _failing_cases(state: SessionState, target: str, paths: Sequence[str]) -> Iterator[str]:
    failing = [path for path in paths if any(map(_fails, state.scores(target, path)))]
    unknown = [path for path in paths if not _scored(state.scores(target, path))]
    for what, found in (("critical cases fail", failing), ("cases without evidence", unknown)):
        if found:
            yield f"{target}: {what}: {found[0]}{f' and {len(found) - 1} more' * (len(found) > 1)}"


def _fails(score: Score) -> bool:
    return score.critical and score.passed is False


def _scored(scores: Sequence[Score]) -> bool:
    return bool(scores) and all(score.status == "scored" for score in scores)


def _left_out(state: SessionState, config: pytest.Config, wanted: Requirements) -> int:
    """How many rules on the suites in the named folders were not selected, unasked."""
    given = config.invocation_params.args
    if state.policy is None or state.options.order is not None or is_part(given):
        return 0
    here = config.invocation_params.dir
    named = [(here / argument.partition("::")[0]).resolve() for argument in config.args]
    suites = {
        suite.name
        for file, suite in state.suites.items()
        if any(file.is_relative_to(path) for path in named)
    }
    about = [rule.suite_of(rule.metric_name) for rule in state.policy.rules]
    expected = {
        place for place, suite in enumerate(about) if suite in suites or (suite is None and suites)
    }
    return sum(
        len(expected.difference(wanted.rules.get(candidate, ()))) for candidate in state.candidates
    )


def is_part(arguments: Sequence[str | Path]) -> bool:
    """Whether a command line asks for a part of the tests."""
    texts = [str(argument) for argument in arguments]
    return any("::" in text or text.startswith(_PARTS) or _SHORT.match(text) for text in texts)
