"""An errand: what a gate has pytest run in a process of its own."""

from __future__ import annotations

from harness.records.base import Record


class Errand(Record):
    """The sections of Python tests to run for each target, as `<suite>.<section>`.

    `suites` are the names of those that the targets' runs are on; `concurrency` stands in place of
    the targets' own where the gate was told one.
    """

    suites: tuple[str, ...]
    tests: dict[str, tuple[str, ...]]
    concurrency: int | None = None
