"""A run with what Python tests found, and without; and what its digest knows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.records.recording import Recording
from harness.records.run import RunHeader, RunRecord, names_run_of
from tests.builders import changed, make_run, proof, recorded, shop


@pytest.fixture
def run(tmp_path: Path) -> RunRecord:
    project, suites = shop(tmp_path)
    return make_run(project, suites, "base")


def recording() -> Recording:
    sections = (recorded("memory", a=1.0, b=0.0), recorded("manners", c=1.0))
    return Recording(freshness=0, sections=sections)


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("t-0123456789ab", True),
        ("t-v2-0123456789ab", False),
        ("t-0123456789abc", False),
        ("t-0123456789aX", False),
        ("t", False),
        ("at-0123456789ab", False),
    ],
)
def test_a_run_s_name_is_that_of_its_target_alone(name: str, named: bool) -> None:
    assert names_run_of(name, "t") is named


def test_what_tests_found_is_planned_and_counted_and_can_be_left_out(run: RunRecord) -> None:
    whole = run.with_recording(recording())
    assert whole.header.planned == run.header.planned + 3
    assert whole.summary.accounting.scored == run.summary.accounting.scored + 3
    assert whole.summary.metrics["shop.memory.accuracy"] == 0.5
    less = whole.without({("shop", "memory"): "it is older"})
    assert less.header.planned == run.header.planned + 1
    assert {item.score.section for item in less.recorded} == {"manners"}
    assert less.unrecorded == {("shop", "memory"): "it is older"}
    bare = less.without({("shop", "manners"): "too"})
    assert bare.header == run.header.model_copy(update={"summary": None})
    assert list(bare.scores) == list(run.scores)
    assert bare.summary == run.summary
    same = bare.without({("shop", "gold"): "none of it was recorded"})
    assert (same.header, same.scores, same.attempts) == (bare.header, bare.scores, bare.attempts)


def test_a_digest_knows_answers_and_no_times(run: RunRecord) -> None:
    same = changed(run, created="2027-01-01T00:00:00Z", packages={"numpy": "9"}, host={})
    assert same.digest() == run.digest()
    backwards = replace(run, attempts=tuple(run.attempts)[::-1])
    assert backwards.digest() == run.digest()
    first, *rest = run.attempts
    other = replace(run, attempts=(first.model_copy(update={"text": "other"}), *rest))
    assert other.digest() != run.digest()
    assert changed(run, suites={"shop": "sha256:other"}).digest() != run.digest()


def test_a_run_under_way_again_has_nothing_sealed(run: RunRecord) -> None:
    header = run.header.model_copy(update={"scorers": "v1", "summary": run.summary})
    again = header.reopened()
    assert (again.finished, again.journal, again.scores, again.scorers, again.summary) == (
        None,
    ) * 5
    assert again.created == header.created
    assert RunHeader.model_validate_json(again.model_dump_json()) == again


@pytest.mark.parametrize(
    ("probes", "differing", "forked", "applied"),
    [(8, 4, 0, True), (8, 3, 0, False), (8, 5, 2, False), (8, 6, 2, True), (8, 8, 3, False)],
)
def test_an_adapter_must_show_on_half_of_the_probes(
    probes: int, differing: int, forked: int, applied: bool
) -> None:
    update = {"probes": probes, "differing": differing, "forked": forked}
    assert proof().model_copy(update=update).applied is applied
