"""What Python tests recorded counts in a run, its comparison, its verdict and its seal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import JournalError
from harness.gate.compare import compare
from harness.gate.judge import gate
from harness.gate.noise import measure_noise
from harness.gate.seal import open_sealed, promote
from harness.records.recording import Recording
from harness.records.rule import Policy
from harness.records.run import RunRecord
from harness.records.suite import Suite
from harness.run.plan import Selection
from harness.sections.python import PythonSection
from harness.storage import RunFolder
from tests.builders import make_run, recorded, shop
from tests.gate.test_judge import NOW

METRIC = "shop.memory.accuracy"
RULE = {"metric": METRIC, "require": "better_than_baseline"}
GOOD = {f"m{number}": 1.0 for number in range(30)}
BAD = {f"m{number}": 0.0 for number in range(30)}


def with_tests(suite: Suite) -> Suite:
    sections = (*suite.sections, PythonSection(name="memory", file="t.py"))
    return suite.model_copy(update={"sections": sections})


def runs(tmp_path: Path) -> tuple[RunRecord, RunRecord, tuple[Suite, ...]]:
    """Candidate and baseline on a suite with Python tests, before any were run."""
    project, (suite,) = shop(tmp_path)
    suites = (with_tests(suite),)
    return (*(make_run(project, suites, name) for name in ("candidate", "base")), suites)


def recording(**values: float) -> Recording:
    return Recording(freshness=0, sections=(recorded("memory", **values),))


def test_they_count_like_any_other_case(tmp_path: Path) -> None:
    candidate, base, suites = runs(tmp_path)
    ours, theirs = (
        candidate.with_recording(recording(**GOOD)),
        base.with_recording(recording(**BAD)),
    )
    assert ours.summary.accounting.planned == candidate.summary.accounting.planned + len(GOOD)
    assert ours.summary.accounting.balanced
    found = compare(ours, theirs, suites)
    assert found.problems == ()
    assert (found.metrics[METRIC].candidate_value, found.metrics[METRIC].baseline_value) == (1, 0)
    fixed = [case.path for case in found.cases if case.section == "memory"]
    assert fixed == [f"shop/memory/{name}" for name in GOOD]
    policy = Policy.model_validate({"baseline": "base", "rules": [RULE]})
    assert gate(found, policy, NOW).verdict == "PROMOTE"


@pytest.mark.parametrize("run_for", [(), ("candidate",), ("base",)])
def test_without_their_scores_on_both_sides_there_is_no_verdict(
    tmp_path: Path, run_for: tuple[str, ...]
) -> None:
    candidate, base, suites = runs(tmp_path)
    ours, theirs = (
        run.with_recording(recording(**GOOD)) if run.header.target in run_for else run
        for run in (candidate, base)
    )
    verdict = gate(
        compare(ours, theirs, suites),
        Policy.model_validate({"baseline": "base", "rules": [RULE]}),
        NOW,
    )
    assert verdict.verdict == "INVALID"
    for name in {"candidate", "base"} - set(run_for):
        assert f"`{name}` has no scores of the Python tests" in "; ".join(verdict.problems)


def test_a_test_that_one_side_lacks_is_a_problem(tmp_path: Path) -> None:
    candidate, base, suites = runs(tmp_path)
    found = compare(
        candidate.with_recording(recording(**GOOD)),
        base.with_recording(recording(**{**BAD, "more": 1.0})),
        suites,
    )
    assert "attempts exist on one side only, shop/memory/more" in "; ".join(found.problems)


def test_a_seal_keeps_them(tmp_path: Path) -> None:
    candidate, base, suites = runs(tmp_path)
    ours = candidate.with_recording(recording(**GOOD))
    found = compare(ours, base.with_recording(recording(**BAD)), suites)
    policy = Policy.model_validate({"baseline": "base", "rules": [RULE]})
    verdict = gate(found, policy, NOW)
    promote(verdict, verdict, found.candidate, NOW, "v1", tmp_path / "baselines")
    again = open_sealed("v1", suites, tmp_path / "baselines")
    assert again.recorded == ours.recorded
    assert again.digest() == ours.digest()
    assert compare(again, base.with_recording(recording(**BAD)), suites).problems == ()


def test_the_noise_of_a_baseline_leaves_them_out(tmp_path: Path) -> None:
    project, (suite,) = shop(tmp_path)
    suites = (with_tests(suite),)
    run = make_run(project, suites, "base", selection=Selection(repeats=2))
    rules = [RULE, {"require": "no_new_critical_failures"}]
    policy = Policy.model_validate({"baseline": "base", "rules": rules})
    noise = measure_noise(run, suites, policy, "2026-01-01T00:00:00Z")
    assert [rule.require for rule in noise.rules] == ["no_new_critical_failures"]


class TestFolder:
    def stored(self, tmp_path: Path) -> RunFolder:
        project, suites = shop(tmp_path)
        run = make_run(project, suites, "base")
        folder = RunFolder(project.runs / run.header.run_id)
        with folder.writing() as journal:
            folder.write_header(run.header)
            for attempt in run.attempts:
                journal.append(attempt.model_dump_json())
        pairs = zip(run.scores, run.attempts, strict=True)
        folder.finish(pairs, "scorers", "2026-01-01T00:00:00Z")
        return folder

    def test_a_run_is_read_with_what_was_recorded(self, tmp_path: Path) -> None:
        folder = self.stored(tmp_path)
        before = folder.load()
        folder.record(recording(a=1.0, b=0.0))
        after = folder.load()
        assert len(after.scores) == len(before.scores) + 2
        assert [case.case.id for case in after.recorded] == ["a", "b"]

    def test_sections_are_kept_beside_each_other(self, tmp_path: Path) -> None:
        folder = self.stored(tmp_path)
        folder.record(recording(a=1.0))
        folder.record(Recording(freshness=0, sections=(recorded("manners", c=1.0),)))
        assert [case.score.section for case in folder.load().recorded] == ["memory", "manners"]

    def test_what_was_recorded_before_all_was_asked_anew_is_left_out(self, tmp_path: Path) -> None:
        folder = self.stored(tmp_path)
        folder.record(Recording(freshness=1, sections=(recorded("memory", a=1.0),)))
        assert folder.load().recorded == ()

    def test_a_damaged_file_is_one_line(self, tmp_path: Path) -> None:
        folder = self.stored(tmp_path)
        (folder.path / "recorded.json").write_text("{")
        with pytest.raises(JournalError, match=r"recorded\.json"):
            folder.load()

    def test_what_was_begun_again_stays_until_it_comes_to_an_end(self, tmp_path: Path) -> None:
        folder = self.stored(tmp_path)
        folder.record(recording(a=1.0))
        begun = (("shop", "memory", "mine"),)
        folder.record(Recording(freshness=0, sections=(), begun=begun))
        assert [case.case.id for case in folder.load().recorded] == ["a"]
        known = folder.recording()
        assert known is not None
        assert known.unfinished == {("shop", "memory")}
        folder.record(recording(a=0.0))
        known = folder.recording()
        assert known is not None
        assert known.begun == ()

    def test_a_section_may_be_left_out_and_says_why(self, tmp_path: Path) -> None:
        folder = self.stored(tmp_path)
        folder.record(recording(a=1.0))
        folder.record(Recording(freshness=0, sections=(recorded("manners", c=1.0),)))
        run = folder.load().without({("shop", "memory"): "it broke"})
        assert [case.score.section for case in run.recorded] == ["manners"]
        assert run.unrecorded == {("shop", "memory"): "it broke"}


def test_why_a_section_has_no_scores_is_the_problem(tmp_path: Path) -> None:
    candidate, base, suites = runs(tmp_path)
    told = replace(candidate, unrecorded={("shop", "memory"): "it broke"})
    found = compare(told, base.with_recording(recording(**BAD)), suites)
    assert "`candidate` has no scores of the Python tests of shop.memory: it broke" in (
        found.problems
    )
