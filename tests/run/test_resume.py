from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from harness.config import Project
from harness.records.attempt import Failure
from harness.records.suite import Suite
from harness.run.plan import Selection, plan
from harness.run.provenance import header
from harness.run.resume import Job, Reuse, resume
from harness.storage import RunFolder, runs_of
from tests.builders import attempt, identity, shop
from tests.manual_clock import ManualClock

CLOCK = ManualClock()


@pytest.fixture
def place(tmp_path: Path) -> tuple[Project, tuple[Suite, ...]]:
    return shop(tmp_path)


def job(
    place: tuple[Project, tuple[Suite, ...]],
    reuse: Reuse = "stored",
    limit: int | None = None,
) -> Job:
    project, suites = place
    planned = plan(project, "base", suites, identity("base"), Selection(limit=limit))
    return resume(project, planned, reuse)


def answer(
    place: tuple[Project, tuple[Suite, ...]], one: Job, text: str, *, but: int = 0
) -> list[str]:
    """Give the open asks of a job the text, the last ones a failure; finish it unless some fail."""
    project, suites = place
    head = partial(header, project, suites=suites, proof=None, clock=CLOCK)
    with one.writing(head) as (begun, journal):
        pending = list(begun.pending())
        for number, ask in enumerate(pending):
            fails = number >= len(pending) - but
            said = Failure(cause="http", detail="no", status=500) if fails else text
            journal.append(attempt(ask, said).model_dump_json(exclude_none=True))
    if not but:
        one.finish(suites, CLOCK)
    return [ask.key for ask in pending]


def texts(one: Job) -> set[str | None]:
    return {item.text for item in one.folder.attempts().values() if item.status == "answered"}


def test_what_another_process_finished_in_the_meantime_is_not_asked_again(
    place: tuple[Project, tuple[Suite, ...]],
) -> None:
    early = job(place)
    assert len(answer(place, job(place), "theirs")) == 80
    assert answer(place, early, "ours") == []
    assert texts(early) == {"theirs"}
    assert len((early.folder.path / "attempts.jsonl").read_text().splitlines()) == 80


def test_answers_are_taken_over_when_the_run_is_written_and_not_before(
    place: tuple[Project, tuple[Suite, ...]],
) -> None:
    part = job(place, limit=5)
    answer(place, part, "part")
    whole = job(place)
    assert (len(whole.done), whole.open) == (10, 70)
    assert not whole.folder.path.exists()
    assert len(answer(place, whole, "rest")) == 70
    origins = {item.reused_from for item in whole.folder.attempts().values()}
    assert origins == {None, part.folder.path.name}


def test_a_journal_without_a_header_is_nobodys(place: tuple[Project, tuple[Suite, ...]]) -> None:
    lost = job(place)
    answer(place, lost, "old")
    (lost.folder.path / "run.json").unlink()
    again = job(place)
    assert again.open == 80
    assert len(answer(place, again, "new")) == 80
    assert texts(again) == {"new"}
    assert (lost.folder.path / "attempts.replaced-1.jsonl").exists()


def test_a_finished_run_that_was_opened_again_is_not_one_begun_afresh(
    place: tuple[Project, tuple[Suite, ...]],
) -> None:
    """Else `--no-cache` would go on with answers that it is there to replace."""
    _, suites = place
    afresh = job(place, "begun")
    answer(place, afresh, "first", but=1)
    assert job(place, "begun").open == 1, "broken off: it goes on"
    afresh.finish(suites, CLOCK)
    answer(place, job(place), "second", but=1)
    known = RunFolder(afresh.folder.path).header()
    assert known is not None
    assert known.finished is None
    assert job(place, "begun").open == 80


def test_a_run_begun_again_after_others_has_a_birth_of_its_own(
    place: tuple[Project, tuple[Suite, ...]],
) -> None:
    """A header from before must not pass for one of answers that came after."""
    project, _ = place
    part = job(place, limit=5)
    answer(place, part, "old")
    CLOCK.advance(100.0)
    answer(place, job(place, "begun"), "new")
    again = job(place, limit=5)
    assert (again.open, again.anew()) == (0, True)
    answer(place, again, "never")
    assert texts(again) == {"new"}
    freshness = {head.freshness for _, head in runs_of(project.runs, "base")}
    assert freshness == {1}
