"""Runs in folders, as one machine or another has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.files import Appender
from harness.records.attempt import Attempt, Failure, Score
from harness.records.run import RunHeader, RunRecord
from harness.storage import RunFolder
from harness.storage.mirror import Mirror
from harness.storage.remote_store import Store
from tests.builders import make_run, shop


def a_run(folder: Path) -> RunRecord:
    project, suites = shop(folder)
    return make_run(project, suites, "base")


def begun(run: RunRecord, freshness: int = 0) -> RunHeader:
    return run.header.reopened().model_copy(update={"freshness": freshness})


def place(run: RunRecord, runs: Path) -> RunFolder:
    return RunFolder(runs / run.header.run_id)


@contextmanager
def written(folder: RunFolder, header: RunHeader) -> Iterator[Appender]:
    with folder.writing() as journal:
        folder.write_header(header)
        yield journal


def append(journal: Appender, *attempts: Attempt) -> None:
    for attempt in attempts:
        journal.append(attempt.model_dump_json(exclude_none=True))


def held(folder: RunFolder) -> RunRecord:
    """The finished run of a folder, all of it in memory."""
    run = folder.load()
    return RunRecord(run.header, tuple(run.attempts), tuple(run.scores))


def rows(run: RunRecord) -> Iterator[tuple[Score, Attempt]]:
    """The scores of a run made without a server, each with its attempt."""
    attempts = {one.key: one for one in run.attempts}
    return ((score, attempts[score.key]) for score in run.scores)


def finished(run: RunRecord, runs: Path) -> RunFolder:
    """The run's folder, whole."""
    folder = place(run, runs)
    with written(folder, begun(run)) as journal:
        append(journal, *run.attempts)
    folder.finish(rows(run), None, "2026-01-02T00:00:00Z")
    return folder


def failed(attempt: Attempt) -> Attempt:
    place = {"key": attempt.key, "suite": attempt.suite, "section": attempt.section,
             "case": attempt.case, "repeat": attempt.repeat}  # fmt: skip
    return Attempt(**place, status="failed", failure=Failure(cause="reset", detail="gone"))


def fetched(store: Store, run: RunRecord, runs: Path) -> tuple[RunFolder, list[str]]:
    said: list[str] = []
    Mirror(store, said.append).fetch(runs, "base")
    return place(run, runs), said
