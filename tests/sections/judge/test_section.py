"""A judged section: its verdicts, and what its scores are as a baseline's."""

from __future__ import annotations

from typing import Any

from harness.records.attempt import Score, Term
from harness.records.metric import Metric
from harness.sections.judge.prompt import JudgeRubric
from harness.sections.judge.section import JudgeSection


def section(**given: Any) -> JudgeSection:
    rubric = JudgeRubric(criterion="x")
    fixed = {"judge_repeats": 1, "structured": None, "cases_file": "x", "asks": ("j",)}
    metrics = (Metric(name="win_rate", needs_audit=True),)
    return JudgeSection(
        name="x", scorer="judge j", metrics=metrics, rubric=rubric, **fixed, **given
    )


SCORE = Score(
    key="k", suite="s", section="x", case="c", repeat=0, group="c", critical=False,
    status="scored", state="ok", value=1.0, terms={"win_rate": Term(num=1.0, den=1.0)},
)  # fmt: skip


def test_what_a_judge_may_say_follows_from_the_mode() -> None:
    assert section().verdicts == ("pass", "fail")
    assert section(against_baseline=True).verdicts == ("first", "second", "tie")


def test_a_baseline_ties_with_itself_where_targets_are_held_against_it() -> None:
    assert section().as_baseline(SCORE) is SCORE
    found = section(against_baseline=True).as_baseline(SCORE)
    assert (found.value, found.terms["win_rate"].num) == (0.5, 0.5)
    empty = SCORE.model_copy(update={"state": "empty"})
    assert section(against_baseline=True).as_baseline(empty) is empty


def test_what_lacks_verdicts_says_who_makes_them() -> None:
    assert section().missing("s.x") == ("section s.x", "`harness run` makes them")
    assert section(against_baseline=True).missing("s.x")[0] == "the judge's verdicts of s.x"
