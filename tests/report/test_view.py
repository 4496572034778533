"""The one view model that every renderer works from."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from harness.records.comparison import PairedCase
from harness.records.suite import Message
from harness.records.verdict import Decision
from harness.report.model import Clip
from harness.report.text import visible
from harness.report.view import build_view
from tests.report.fixtures import (
    SYSTEM,
    attempt,
    comparison,
    pair,
    rows,
    score,
    verdict,
)
from tests.report.hostile import HOSTILE, hostile_pair


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for part in value for text in _strings(part)]
    if is_dataclass(value):
        return [text for f in fields(value) for text in _strings(getattr(value, f.name))]
    return []


@pytest.mark.parametrize(
    ("decision", "code", "headline", "rule"),
    [
        ("PROMOTE", 0, "all 5 rules pass", None),
        ("BLOCK", 1, "support.scope.f1 is not at least 85.0%.", "support.scope.f1"),
        (
            "INCONCLUSIVE",
            4,
            "It is open whether support.tone.adherence is at most 3.0 pp worse than the baseline.",
            "support.tone.adherence",
        ),
        (
            "INVALID",
            3,
            "support/gold: 21 of 120 attempts have no score, 82.5% where 99% are needed",
            None,
        ),
    ],
)
def test_the_verdict_and_why(
    decision: Decision, code: int, headline: str, rule: str | None
) -> None:
    view = build_view(*pair(decision))
    assert (view.verdict, view.exit_code, view.headline) == (decision, code, headline)
    assert (view.deciding.name if view.deciding else None) == rule
    assert view.confidence == "90%"


def test_new_failures_come_first_and_critical_ones_first_of_all() -> None:
    view = build_view(*pair("BLOCK"))
    assert [group.key for group in view.groups] == [
        "new_failure", "fixed", "still_failing", "not_comparable", "changed", "unchanged",
    ]  # fmt: skip
    for group in view.groups:
        marks = [case.critical for case in group.cases]
        assert marks == sorted(marks, reverse=True)
    assert view.groups[0].cases[0].critical
    assert sum(len(group.cases) for group in view.groups) == 60


def test_sections_count_what_happened() -> None:
    made, compared = pair("BLOCK")
    view = build_view(made, compared)
    assert [section.name for section in view.sections] == [
        "support/gold", "support/scope", "support/tone", "support/general",
    ]  # fmt: skip
    for section in view.sections:
        assert section.cases.cases == sum(
            tally.cases for tally in (
                section.new_failures, section.fixed, section.still_failing,
                section.still_passing, section.not_comparable,
            )
        )  # fmt: skip
        assert section.cases.answers == section.new_failures.answers == ""
    scope = view.sections[1]
    assert scope.new_critical == len(made.new_critical_failures) > 0
    assert [metric.direction for metric in scope.metrics] == ["worse"] * 3
    assert view.sections[0].metrics[0].direction == "better"


def test_failures_are_counted_and_shown_never_turned_into_answers() -> None:
    view = build_view(*pair("BLOCK"))
    ours, theirs = view.counts
    assert (ours.planned, ours.scored, ours.failed, ours.retried) == ("60", "59", "1", "1")
    assert (theirs.scored, theirs.failed) == ("60", "0")
    group = view.group("not_comparable")
    assert group is not None
    case = group.cases[0]
    assert case.candidate.verdict == "failed"
    assert case.candidate.answer.text == ""
    assert "(http 503): upstream said no" in case.candidate.note
    assert "sent 5 times" in case.candidate.note


def test_failed_requests_rank_last_in_the_times_and_reused_ones_have_none() -> None:
    def half_lost(case: PairedCase) -> PairedCase:
        if case.critical:
            lost = attempt(case.section, case.case, None)
            return replace(
                case, candidate_attempt=lost, change="not_comparable",
                candidate_score=score(lost, None, critical=True),
            )  # fmt: skip
        old = case.baseline_attempt.model_copy(update={"reused_from": "an-older-run"})
        return replace(case, baseline_attempt=old)

    compared = comparison(changes=half_lost)
    ours, theirs = build_view(verdict("INVALID", compared), compared).counts
    assert (ours.ttft_p50, ours.ttft_p95, ours.e2e_p95) == ("40.0 ms", "∞", "∞")
    assert (theirs.reused, theirs.timed) == ("51", "9")


def test_the_system_prompt_is_shown_once_and_another_one_in_its_case() -> None:
    def with_system(case: PairedCase) -> PairedCase:
        text = "You are a pirate." if case.case.endswith("000") else SYSTEM
        return replace(case, messages=(Message(role="system", content=text), *case.messages))

    compared = comparison(rows(8), changes=with_system)
    view = build_view(verdict("PROMOTE", compared), compared)
    assert [(prompt.whose, prompt.text.text) for prompt in view.prompts] == [("both", SYSTEM)]
    turns = {c.path: [turn.role for turn in c.turns] for g in view.groups for c in g.cases}
    assert turns["support/gold/gold-000"] == ["system", "user"]
    assert turns["support/scope/scope-001"] == ["user"]


def test_an_answer_given_twice_is_kept_once() -> None:
    group = build_view(*pair("PROMOTE")).group("unchanged")
    assert group is not None
    for case in group.cases:
        assert case.candidate.repeat_of_other
        assert case.candidate.answer.text == ""
        assert case.baseline.answer.text


def test_every_string_is_visible_and_every_anchor_its_own() -> None:
    view = build_view(*hostile_pair())
    for text in _strings(view):
        assert visible(text) == text
    anchors = [case.anchor for group in view.groups for case in group.cases]
    assert len(set(anchors)) == len(anchors) == len(HOSTILE) + 24


def test_a_page_of_long_answers_stays_within_its_budget() -> None:
    def long(case: PairedCase) -> PairedCase:
        return replace(case, candidate_attempt=attempt(case.section, case.case, "x" * 60_000))

    compared = comparison(rows(1_600), changes=long)
    view = build_view(verdict("BLOCK", compared), compared)
    clips = {g.key: {c.candidate.answer for c in g.cases} for g in view.groups}
    assert clips["new_failure"] == {Clip("x" * 20_000, "40,000 characters more")}
    (passing,) = clips["changed"]
    assert 300 < len(passing.text) < 20_000
    assert passing.more == f"{60_000 - len(passing.text):,} characters more"
    few = comparison(rows(40), changes=long)
    small = build_view(verdict("BLOCK", few), few)
    assert {len(c.candidate.answer.text) for g in small.groups for c in g.cases} == {20_000}


def test_provenance_names_both_runs_and_what_the_verdict_is_bound_to() -> None:
    view = build_view(*pair("PROMOTE"))
    facts = {(table.title, name): (a, b) for table in view.provenance for name, a, b in table.rows}
    assert facts["Run", "run"] == ("good-20261120-1a2b3c", "base-20261120-1a2b3c")
    assert facts["Adapter proof", "probes that differ from the parent"] == ("8 of 8", "–")
    assert facts["Model and server", "--max-model-len"] == ("512", "512")
    assert facts["Packages", "torch"][0] == "2.13.0+cpu"
    assert dict(view.hashes)["suites"] == f"sha256:{'12' * 32}"


def test_no_cases_at_all_is_still_a_view() -> None:
    compared = comparison([], problems=("nothing was asked",))
    view = build_view(verdict("INVALID", compared), compared)
    assert view.groups == ()
    assert view.headline == "nothing was asked"
