"""Several candidates side by side, in each form."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

import pytest

from harness.records.lineup import Lineup
from harness.records.recommendation import Choice
from harness.report.leaderboard_drawing import NARROW, WIDE, GapLayout, render_gaps
from harness.report.lineup.html import render_lineup_html
from harness.report.lineup.json import render_lineup_json
from harness.report.lineup.markdown import render_lineup_markdown
from harness.report.lineup.view import build_lineup
from tests.report.hostile import HOSTILE
from tests.report.lineup.making import LATENCY, POLICY, contender, doubtful, lineup


def test_every_rule_and_metric_has_a_cell_for_each_candidate() -> None:
    view = build_lineup(lineup())
    assert [one.name for one in view.contenders] == ["good", "older", "overeager", "same"]
    assert [row.name for row in view.rules] == [
        "support.gold.accuracy", "support.scope.f1", "support.tone.adherence",
        "no new critical failures",
    ]  # fmt: skip
    assert {len(row.cells) for row in (*view.rules, *view.metrics)} == {4}
    assert len(view.metrics) == 7


def test_what_cannot_be_trusted_has_no_number() -> None:
    view = build_lineup(lineup())
    assert {row.cells[3].value for row in view.metrics} == {"–"}
    assert {row.cells[3].told for row in view.rules if row.cells[3]} == {"not judged"}
    (note,) = view.notes
    assert note == f"same: {view.contenders[3].doubts[0]} (and 1 more)"
    data = json.loads(render_lineup_json(lineup()))["candidates"]["same"]
    assert sorted(data) == ["problems", "reason", "rules", "verdict"]


def test_a_loss_is_worse_only_where_it_is_significant() -> None:
    lost = contender("overeager", "bad")
    lone = Lineup("base", 0.05, (lost,), None)
    cells = {row.name: row.cells[0] for row in build_lineup(lone).metrics}
    assert cells["support.gold.accuracy"].direction == "better"
    assert cells["support.tone.adherence"].direction == ""
    lax = Lineup("base", 0.3, (lost,), None)
    cells = {row.name: row.cells[0] for row in build_lineup(lax).metrics}
    assert cells["support.scope.f1"].direction == "worse"


def test_latency_without_a_measurement_is_said_to_be_not_measured() -> None:
    policy = POLICY.model_validate({"baseline": "base", "rules": [LATENCY]})
    view = build_lineup(Lineup("base", 0.05, (contender("good", policy=policy),), None))
    assert view.contenders[0].verdict == "INVALID"
    cell = view.rules[0].cells[0]
    assert cell is not None
    assert (cell.outcome, cell.told) == ("invalid", "not measured")
    assert "`harness latency good`" in view.notes[0]


def test_two_rules_on_one_metric_have_a_row_each() -> None:
    rules = [{"metric": "support.gold.accuracy", "require": "at_least", "value": v}
             for v in (0.1, 0.99)]  # fmt: skip
    policy = POLICY.model_validate({"baseline": "base", "rules": rules})
    view = build_lineup(Lineup("base", 0.05, (contender("good", policy=policy),), None))
    assert [row.requirement for row in view.rules] == ["at least 10.0%", "at least 99.0%"]


def test_without_a_policy_there_is_neither_rule_nor_recommendation() -> None:
    view = build_lineup(lineup(policy=False))
    assert (view.rules, view.recommendation) == ((), None)
    assert "policy" not in render_lineup_markdown(view)
    assert "No policy is configured" in render_lineup_html(view)


@pytest.mark.parametrize("choice", get_args(Choice))
def test_every_kind_of_choice_has_a_title_and_a_page(choice: Choice) -> None:
    made = lineup()
    assert made.recommendation is not None
    found = made.recommendation.model_copy(update={"choice": choice})
    view = build_lineup(replace(made, recommendation=found))
    assert view.recommendation is not None
    assert f"{view.recommendation.title}</bdi></h1>" in render_lineup_html(view)


def test_markdown_has_the_recommendation_first_and_all_tables() -> None:
    text = render_lineup_markdown(build_lineup(lineup()))
    lines = text.splitlines()
    assert lines[2].startswith("**Recommended: good.** `good` passes every rule; `older` passes")
    assert (
        "| **the policy** | every rule | ✅ PROMOTE | ✅ PROMOTE | ❌ BLOCK | ⚠️ INVALID |" in lines
    )
    widths = {line.count(" | ") for line in lines if line.startswith("|")}
    assert widths == {5}


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_drawing_is_the_same_each_time_and_has_no_style(size: GapLayout) -> None:
    first, second = (render_gaps(build_lineup(lineup()), size) for _ in range(2))
    assert first == second
    assert "style=" not in first
    assert first.count(">good</text>") == 7


def test_nothing_is_drawn_where_nothing_can_be_computed() -> None:
    view = build_lineup(Lineup("base", 0.05, (doubtful("same"),), None))
    assert render_gaps(view, WIDE) == ""


@pytest.mark.parametrize("bad", [HOSTILE[0], HOSTILE[10], HOSTILE[15], HOSTILE[16]])
def test_a_hostile_reason_stays_text(bad: str) -> None:
    made = doubtful("same")
    verdict = made.verdict
    assert verdict is not None
    one = contender("good")
    hostile = type(made)(
        "same", made.comparison, (bad,), verdict.model_copy(update={"problems": (bad,)})
    )
    view = build_lineup(Lineup("base", 0.05, (one, hostile), None))
    assert "<script" not in render_lineup_html(view)
    text = render_lineup_markdown(view)
    assert "<script" not in text
    assert "\u202e" not in text
    assert "](https" not in text
