"""Several candidates side by side, in each form."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf
from typing import get_args

import pytest

from harness.records.leaderboard import Choice, Leaderboard, TargetFigures
from harness.records.preferences import Duel, Preferences, PreferredShare
from harness.report.forest import Layout
from harness.report.html import render_leaderboard_html
from harness.report.json import render_leaderboard_json
from harness.report.leaderboard_content import (
    LeaderboardContent,
    difference_words,
    recommendation_title,
    rule_words,
)
from harness.report.leaderboard_drawing import GAP_LAYOUTS, render_gaps
from harness.report.rendering import render_text
from harness.report.rules import requirement, rule_name
from harness.session.stored_results import leaderboard_entry
from tests.report.hostile import HOSTILE
from tests.report.leaderboard_fixtures import LATENCY, POLICY, doubtful, entry, leaderboard


def test_every_rule_and_metric_has_a_cell_for_each_candidate() -> None:
    content = LeaderboardContent(leaderboard())
    assert [one.name for one in content.leaderboard.entries] == [
        "good",
        "older",
        "overeager",
        "same",
    ]
    assert [rule_name(row.wording) for row in content.rules] == [
        "support.gold.accuracy", "support.scope.f1", "support.tone.adherence",
        "no new critical failures",
    ]  # fmt: skip
    assert {len(row.results) for row in content.rules} == {4}
    assert {len(row) for row in content.metrics.values()} == {4}
    assert len(content.metrics) == 7


def test_what_cannot_be_trusted_has_no_number() -> None:
    content = LeaderboardContent(leaderboard())
    last = content.leaderboard.entries[3]
    assert {difference_words(row[3])[0] for row in content.metrics.values()} == {"–"}
    words = {rule_words(last, row.results[3]) for row in content.rules if row.results[3]}
    assert words == {"not judged"}
    (note,) = content.notes
    assert note == f"same: {last.doubts[0]} (and 1 more)"
    data = json.loads(render_leaderboard_json(leaderboard()))["candidates"]["same"]
    assert sorted(data) == ["problems", "reason", "rules", "verdict"]


def test_a_loss_is_worse_only_where_it_is_significant() -> None:
    lost = entry("overeager", "bad")
    lone = Leaderboard("base", 0.05, (lost,), None)
    found = LeaderboardContent(lone)
    assert found.direction(found.metrics["support.gold.accuracy"][0]) == "better"
    assert found.direction(found.metrics["support.tone.adherence"][0]) == ""
    lax = Leaderboard("base", 0.3, (lost,), None)
    found = LeaderboardContent(lax)
    assert found.direction(found.metrics["support.scope.f1"][0]) == "worse"


def test_latency_without_a_measurement_is_said_to_be_not_measured() -> None:
    policy = POLICY.model_validate({"baseline": "base", "rules": [LATENCY]})
    content = LeaderboardContent(Leaderboard("base", 0.05, (entry("good", policy=policy),), None))
    (one,) = content.leaderboard.entries
    assert one.verdict is not None
    assert one.verdict.verdict == "INVALID"
    found = content.rules[0].results[0]
    assert found is not None
    assert (found.outcome, rule_words(one, found)) == ("invalid", "not measured")
    assert "`harness latency good`" in content.notes[0]


def test_two_rules_on_one_metric_have_a_row_each() -> None:
    rules = [{"metric": "support.gold.accuracy", "require": "at_least", "value": v}
             for v in (0.1, 0.99)]  # fmt: skip
    policy = POLICY.model_validate({"baseline": "base", "rules": rules})
    content = LeaderboardContent(Leaderboard("base", 0.05, (entry("good", policy=policy),), None))
    assert [requirement(row.wording) for row in content.rules] == [
        "at least 10.0%",
        "at least 99.0%",
    ]


def test_without_a_policy_there_is_neither_rule_nor_recommendation() -> None:
    content = LeaderboardContent(leaderboard(policy=False))
    assert (content.rules, content.leaderboard.recommendation) == ((), None)
    assert "policy" not in render_text("leaderboard.md.j2", content=content)
    assert "No policy is configured" in render_leaderboard_html(content)


@pytest.mark.parametrize("choice", get_args(Choice))
def test_every_kind_of_choice_has_a_title_and_a_page(choice: Choice) -> None:
    made = leaderboard()
    assert made.recommendation is not None
    found = made.recommendation.model_copy(update={"choice": choice})
    content = LeaderboardContent(replace(made, recommendation=found))
    assert f"{recommendation_title(found)}</bdi></h1>" in render_leaderboard_html(content)


def test_markdown_has_the_recommendation_first_and_all_tables() -> None:
    text = render_text("leaderboard.md.j2", content=LeaderboardContent(leaderboard()))
    lines = text.splitlines()
    assert lines[2].startswith("**Recommended: good.** `good` passes every rule; `older` passes")
    assert (
        "| **the policy** | every rule | ✅ PROMOTE | ✅ PROMOTE | ❌ BLOCK | ⚠️ INVALID |" in lines
    )
    widths = {line.count(" | ") for line in lines if line.startswith("|")}
    assert widths == {5}


FIGURES = (
    TargetFigures("base", 0.0521, None, 40.0, 12.25, 0.042),
    TargetFigures("good", 0.1, inf, 240.0, 9.0, None, grounded=0.755, judged=49),
)


def test_quality_and_cost_stand_side_by_side() -> None:
    content = LeaderboardContent(replace(leaderboard(), figures=FIGURES))
    rows = {row.name: row.cells for row in content.figures}
    assert list(rows) == [
        "support.gold.accuracy", "support.scope.f1", "support.tone.adherence",
        "time to first word, median", "time to first word, p95", "tokens in, an answer",
        "tokens out, an answer", "cost of 1,000 answers", "grounded in its passages",
    ]  # fmt: skip
    assert rows["time to first word, median"] == ("52.1 ms", "100 ms")
    assert rows["time to first word, p95"] == ("–", "∞")
    assert rows["tokens out, an answer"] == ("12.25", "9")
    assert rows["cost of 1,000 answers"] == ("0.042", "–")
    assert rows["grounded in its passages"] == ("–", "75.5%")
    first = content.metrics["support.gold.accuracy"][0]
    value = difference_words(first)[0]
    assert rows["support.gold.accuracy"] == (content.baseline_of("support.gold.accuracy"), value)


def test_quality_and_cost_are_in_every_form() -> None:
    made = replace(leaderboard(), figures=FIGURES)
    content = LeaderboardContent(made)
    assert "Quality and cost" in render_leaderboard_html(content)
    text = render_text("leaderboard.md.j2", content=content)
    assert "| cost of 1,000 answers | 0.042 | – |" in text.splitlines()
    base, good = json.loads(render_leaderboard_json(made))["figures"]
    assert (base["per_thousand"], good["grounded"], good["ttft_p95"]) == (0.042, 0.755, None)
    assert "figures" not in json.loads(render_leaderboard_json(leaderboard()))


def test_preferences_are_a_matrix_with_shares() -> None:
    duels = (Duel("base", "good", 3.0, 1.5, 10.0), Duel("good", "<b>older", 6.0, 2.0, 4.0))
    shares = (PreferredShare("good", 0.712, 0.6, 0.8), PreferredShare("base", 0.2, 0.1, 0.35))
    people = Preferences(duels, shares, raters=3, items=26, groups=20)
    content = LeaderboardContent(replace(leaderboard(), preferences=people))
    good = next(row for row in content.preferences if row.target == "good")
    assert (good.share, good.cells) == ("71.2%", ("10 / 1.5 / 3", "", "6 / 2 / 4"))
    page = render_leaderboard_html(content)
    assert "What people prefer" in page
    assert "<b>older" not in page
    text = render_text("leaderboard.md.j2", content=content)
    (row,) = [line for line in text.splitlines() if line.startswith("| `good` | 71.2%")]
    assert row.count(" | ") == 4
    assert "26 pairs of answers in 20 groups, by 3 raters." in text


@pytest.mark.parametrize("bad", [HOSTILE[0], HOSTILE[10], HOSTILE[15], HOSTILE[16]])
def test_a_hostile_reason_stays_text(bad: str) -> None:
    made = doubtful("same")
    verdict = made.verdict
    assert verdict is not None
    good = entry("good")
    judged = verdict.model_copy(update={"problems": (bad,)})
    hostile = leaderboard_entry(made.comparison, (bad,), judged, 0.05, {})
    content = LeaderboardContent(Leaderboard("base", 0.05, (good, hostile), None))
    assert "<script" not in render_leaderboard_html(content)
    text = render_text("leaderboard.md.j2", content=content)
    assert "<script" not in text
    assert "\u202e" not in text
    assert "](https" not in text


@pytest.mark.parametrize("size", GAP_LAYOUTS, ids=["wide", "narrow"])
def test_the_drawing_is_the_same_each_time_and_has_no_style(size: Layout) -> None:
    first, second = (render_gaps(LeaderboardContent(leaderboard()), size) for _ in range(2))
    assert first == second
    assert "style=" not in first
    assert first.count(">good</text>") == 7


def test_nothing_is_drawn_where_nothing_can_be_computed() -> None:
    content = LeaderboardContent(Leaderboard("base", 0.05, (doubtful("same"),), None))
    assert render_gaps(content, GAP_LAYOUTS[0]) == ""
