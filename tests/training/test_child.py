"""A process that trains for another one; test_side_by_side.py has what outlives whom."""

from __future__ import annotations

from threading import Event
from typing import Any

from harness.training.child import died, kill, start


def work(number: int, reports: Any) -> None:
    reports.send(number + 1)
    Event().wait()


def test_it_reports_and_is_killed() -> None:
    reports, process = start(work, "cand", (1,))
    assert (reports.recv(), process.name) == (2, "cand")
    kill([process])
    assert "recipe cand: its process ended with exit code -9" in died("cand", process).line
