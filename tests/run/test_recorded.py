"""Results of Python tests outlast a change of what they do not rest on, and of nothing else."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.config import Project
from harness.records.recording import Recording
from harness.records.run import RunRecord
from harness.records.suite import Suite
from harness.run.plan import plan
from harness.run.provenance import header
from harness.run.resume import Reuse, resume
from harness.sections.python import PythonSection
from harness.storage import RunFolder
from tests.builders import attempt, identity, recorded, shop
from tests.manual_clock import ManualClock

CLOCK = ManualClock()
PARTS = {"test_memory.py": "sha256:1", "pins.txt": "sha256:2"}


def suite_of(known: Suite, version: str, parts: dict[str, str], **update: Any) -> Suite:
    memory = PythonSection(name="memory", file="test_memory.py", parts=parts)
    sections = (*known.sections, memory)
    return known.model_copy(update={"sections": sections, "digest": version, **update})


class Shop:
    """A project whose suite has a section of Python tests, in one version after the other."""

    def __init__(self, folder: Path) -> None:
        self.project: Project
        self.project, (self.suite,) = shop(folder)

    def run(
        self, version: str, parts: dict[str, str] = PARTS, reuse: Reuse = "stored", **update: Any
    ) -> RunRecord:
        suites = (suite_of(self.suite, version, parts, **update),)
        planned = plan(self.project, "base", suites, identity("base"))
        job = resume(self.project, planned, reuse)
        head = partial(header, self.project, suites=suites, proof=None, clock=CLOCK)
        with job.writing(head) as (begun, journal):
            for ask in begun.pending():
                journal.append(attempt(ask, "said").model_dump_json(exclude_none=True))
        return job.finish(suites, CLOCK)

    def record(self, run: RunRecord, *, begun: bool = False, **update: Any) -> None:
        section = recorded("memory", a=1.0, b=0.0)
        changed = section.model_copy(update={"parts": PARTS, "scorer": "pytest", **update})
        again = (("shop", "memory", "later"),) if begun else ()
        whole = Recording(freshness=run.header.freshness, sections=(changed,), begun=again)
        RunFolder(self.project.runs / run.header.run_id).record(whole)


@pytest.fixture
def place(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_another_version_of_the_suite_has_the_results_and_keeps_them(place: Shop) -> None:
    first = place.run("one")
    assert (first.taken, first.unrecorded) == ((), {})
    place.record(first)
    second = place.run("two")
    assert second.header.run_id != first.header.run_id
    assert [each.place for each in second.taken] == [("shop", "memory")]
    kept = RunFolder(place.project.runs / second.header.run_id).load()
    assert kept.digest() == second.digest()
    # So that answers of elsewhere stay what they are, however often they are taken over.
    for run in (second, place.run("three")):
        origins = {case.attempt.reused_from for each in run.taken for case in each.cases}
        assert origins == {first.header.run_id}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"test_memory.py": "sha256:9", "pins.txt": "sha256:2"}, "another test_memory.py"),
        ({"test_memory.py": "sha256:1"}, "another pins.txt"),
        ({**PARTS, "conftest.py": "sha256:3"}, "another conftest.py"),
    ],
)
def test_what_they_rest_on_has_changed(place: Shop, change: dict[str, str], why: str) -> None:
    place.record(place.run("one"))
    changed = place.run("two", change)
    assert changed.taken == ()
    assert changed.unrecorded == {("shop", "memory"): f"recorded with {why}"}


def test_the_newest_that_counts_is_taken(place: Shop) -> None:
    place.record(place.run("one"))
    other = {**PARTS, "pins.txt": "sha256:9"}
    place.record(place.run("two", other), parts=other)
    assert place.run("three").taken[0].parts == PARTS
    assert place.run("four", other).taken[0].parts == other


def test_results_of_the_whole_suite_are_those_of_its_version(place: Shop) -> None:
    place.record(place.run("one"), parts={})
    changed = place.run("two")
    (why,) = changed.unrecorded.values()
    assert why.startswith("recorded on another version of the suite")
    assert place.run("three", {}).unrecorded == {}


def test_what_was_begun_again_or_asked_otherwise_is_not_taken(place: Shop) -> None:
    first = place.run("one")
    place.record(first, begun=True)
    assert place.run("two").taken == ()
    place.record(first)
    assert place.run("three", system_prompt="Another.").taken == ()
    assert place.run("four", reuse="nothing").taken == ()
    assert place.run("five").taken == ()  # everything was asked anew since
