"""Results of Python tests on their way from a worker of pytest-xdist to the controller."""

from __future__ import annotations

from collections.abc import Generator, MutableMapping
from typing import Any

import pytest

from harness.pytest_plugin.exit_status import register_outermost
from harness.pytest_plugin.findings import worker_of
from harness.pytest_plugin.own_outcome import TestResult

RECORDED = "harness_recorded"


class SentResults:
    """Has a worker send what it found itself, and the controller read that before other hooks do.

    A report passes through the hooks of every conftest.py on both sides. `results` are those of
    this process by node id; the controller's come from its workers.
    """

    def __init__(self, config: pytest.Config, results: MutableMapping[str, TestResult]) -> None:
        self._config = config
        self._is_worker = worker_of(config) is not None
        self._results = results

    def be_outermost(self) -> None:
        """Have the last word in a worker and the first in the controller, as of now."""
        register_outermost(self._config, self, "harness-sent-results")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_to_serializable(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
        """Put the result of this process in the place of what a report says by now."""
        data = yield
        if self._is_worker and data is not None and data.pop(RECORDED, None) is not None:
            known = self._results.get(report.nodeid)
            data |= {} if known is None else {RECORDED: known.to_list()}
        return data

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_from_serializable(
        self, data: dict[str, Any]
    ) -> Generator[None, object, object]:
        """Keep the result that a worker has sent."""
        given = data.get(RECORDED)
        if not self._is_worker and given is not None:
            self._results[str(data["nodeid"])] = TestResult.from_list(given)
        return (yield)
