from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records.attempt import UNDETERMINED, Score, Term
from harness.records.run import RunRecord
from harness.records.suite import Section, Suite
from harness.review.looks import DIFFER, DISAGREE, UNDECIDED, UNSTEADY, allocate, worth_a_look
from harness.sections.judge.signs import NOISE
from tests.builders import make_run, shop


def run_with(run: RunRecord, **changed: Score) -> RunRecord:
    return replace(run, scores=tuple(changed.get(score.case, score) for score in run.scores))


def gold(folder: Path) -> tuple[Suite, Section, RunRecord]:
    project, (suite,) = shop(folder)
    section = next(one for one in suite.sections if one.name == "gold")
    return suite, section, make_run(project, (suite,), "candidate")


def score_of(run: RunRecord, case: str) -> Score:
    return next(score for score in run.scores if score.case == case)


def test_answers_that_the_scorer_is_sure_of_are_worth_no_look(tmp_path: Path) -> None:
    suite, section, run = gold(tmp_path)
    assert worth_a_look(suite, section, (run, run)) == {}


def test_what_was_not_decided_or_not_alike_is_worth_a_look(tmp_path: Path) -> None:
    suite, section, run = gold(tmp_path)
    one = score_of(run, "g1")
    noise = {**one.terms, NOISE: Term(num=1.0, den=1.0)}
    ours = run_with(
        run,
        g0=score_of(run, "g0").model_copy(update={"label": UNDETERMINED}),
        g1=one.model_copy(update={"terms": noise}),
        g2=score_of(run, "g2").model_copy(update={"value": 0.0, "passed": False}),
    )
    found = worth_a_look(suite, section, (ours, run))
    assert found == {"g0": UNDECIDED, "g1": UNSTEADY, "g2": DIFFER}


def test_another_section_that_decides_otherwise_on_the_same_answer_is_a_disagreement(
    tmp_path: Path,
) -> None:
    suite, section, run = gold(tmp_path)
    twin = section.model_copy(update={"name": "judged"})
    suite = suite.model_copy(update={"sections": (*suite.sections, twin)})
    others = [
        score.model_copy(update={"section": "judged", "passed": score.case != "g3"})
        for score in run.scores
        if score.section == "gold" and score.status == "scored"
    ]
    attempts = [
        one.model_copy(update={"section": "judged"})
        for one in run.attempts
        if one.section == "gold"
    ]
    both = replace(run, scores=(*run.scores, *others), attempts=(*run.attempts, *attempts))
    assert worth_a_look(suite, section, (both,)) == {"g3": DISAGREE}


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 400))
def test_no_group_is_out_of_reach(worth: int, others: int, count: int) -> None:
    some, more = allocate(worth, others, count)
    assert min(worth, 2) <= some <= worth
    assert min(others, 2) <= more <= others
    assert some + more == pytest.approx(min(count, worth + others), abs=4)
    # Two of the others are drawn however few they are.
    if worth and more > 2 and count >= 8 and some < worth:
        assert some / worth >= more / others
