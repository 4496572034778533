"""An errand: what a gate has pytest run in a process of its own."""

from __future__ import annotations

from harness.records.base import Record


class Errand(Record):
    """The sections of Python tests to run for each target, as `<suite>.<section>`.

    `suites` are the names of those that the targets' runs are on.
    """

    suites: tuple[str, ...]
    tests: dict[str, tuple[str, ...]]
