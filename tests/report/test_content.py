"""What every format of a report is written from."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from math import inf
from typing import Any

import pytest

from harness.records.attempt import Timing
from harness.records.comparison import PairedCase
from harness.records.request_fields import RequestForm
from harness.records.suite import Message
from harness.records.summary import recorded_times
from harness.records.verdict import Decision
from harness.report.content import ReportContent, confidence
from harness.report.html import render_html
from harness.report.rules import rule_name
from harness.report.runs import metric_direction, provenance, system_prompts
from harness.report.text import Clip
from harness.visible_text import visible
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
        ("BLOCK", 1, "support.scope.f1 must be at least 85.0%; it is not.", "support.scope.f1"),
        (
            "INCONCLUSIVE",
            4,
            "It is unclear whether support.tone.adherence is at most 3.0 points worse than the baseline.",  # noqa: E501
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
    report = ReportContent(*pair(decision))
    made = report.verdict
    assert (made.verdict, made.exit_code, report.headline) == (decision, code, headline)
    assert (rule_name(report.deciding) if report.deciding else None) == rule
    assert confidence(made.alpha) == "90%"


def test_new_failures_come_first_and_critical_ones_first_of_all() -> None:
    report = ReportContent(*pair("BLOCK"))
    assert [group.key for group in report.groups] == [
        "new_failure", "fixed", "still_failing", "not_comparable", "changed", "unchanged",
    ]  # fmt: skip
    for group in report.groups:
        marks = [case.critical for case in group.cases]
        assert marks == sorted(marks, reverse=True)
    assert report.groups[0].cases[0].critical
    assert sum(len(group.cases) for group in report.groups) == 60


def test_sections_count_what_happened() -> None:
    made, compared = pair("BLOCK")
    report = ReportContent(made, compared)
    assert [section.name for section in report.sections] == [
        "support/gold", "support/scope", "support/tone", "support/general",
    ]  # fmt: skip
    for section in report.sections:
        assert section.cases.cases == sum(size.cases for size in section.changes.values())
        assert section.cases.answers == section.changes["new_failure"].answers == ""
    scope = report.sections[1]
    assert scope.new_critical == len(made.new_critical_failures) > 0
    assert list(map(metric_direction, scope.metrics)) == ["worse"] * 3
    assert metric_direction(report.sections[0].metrics[0]) == "better"


def test_failures_are_counted_and_shown_never_turned_into_answers() -> None:
    report = ReportContent(*pair("BLOCK"))
    (_, run, ours, _), (_, _, theirs, _) = report.runs
    assert (ours.planned, ours.scored, ours.failed) == (60, 59, 1)
    assert recorded_times(run.attempts).retried == 1
    assert (theirs.scored, theirs.failed) == (60, 0)
    group = report.group("not_comparable")
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
    runs = (compared.candidate, compared.baseline)
    ours, theirs = (recorded_times(run.attempts) for run in runs)
    assert (ours.ttft_p50, ours.ttft_p95, ours.e2e_p95) == (0.04, inf, inf)
    assert (theirs.reused, theirs.timed) == (51, 9)


def test_the_times_until_the_answer_have_columns_where_answers_think() -> None:
    def thinking(case: PairedCase) -> PairedCase:
        times = Timing(sent=0.0, chunks=(0.04, 1.5), done=2.0, thinks=True, answer=1.5)
        attempt = case.candidate_attempt.model_copy(update={"timing": times, "reasoning": "hm"})
        return replace(case, candidate_attempt=attempt)

    compared = comparison(rows(8), changes=thinking)
    page = render_html(ReportContent(verdict("PROMOTE", compared), compared))
    assert "First of the answer" in page
    assert "1,500 ms" in page
    plain = comparison(rows(8))
    assert "First of the answer" not in render_html(ReportContent(verdict("PROMOTE", plain), plain))


def test_an_answer_that_was_cut_off_while_thinking_says_so() -> None:
    def cut(case: PairedCase) -> PairedCase:
        made = attempt(case.section, case.case, "", finish="length")
        return replace(case, candidate_attempt=made.model_copy(update={"reasoning": "hm"}))

    compared = comparison(rows(8), changes=cut)
    report = ReportContent(verdict("PROMOTE", compared), compared)
    notes = {case.candidate.note for group in report.groups for case in group.cases}
    (note,) = notes
    assert note.startswith("The answer is empty: cut off at the token limit while thinking")


def test_the_system_prompt_is_shown_once_and_another_one_in_its_case() -> None:
    def with_system(case: PairedCase) -> PairedCase:
        text = "You are a pirate." if case.case.endswith("000") else SYSTEM
        return replace(case, messages=(Message(role="system", content=text), *case.messages))

    compared = comparison(rows(8), changes=with_system)
    report = ReportContent(verdict("PROMOTE", compared), compared)
    assert [(side, text.text) for _, side, text in system_prompts(compared)] == [("both", SYSTEM)]
    turns = {c.path: [turn.role for turn in c.turns] for g in report.groups for c in g.cases}
    assert turns["support/gold/gold-000"] == ["system", "user"]
    assert turns["support/scope/scope-001"] == ["user"]


def test_an_answer_given_twice_is_kept_once() -> None:
    group = ReportContent(*pair("PROMOTE")).group("unchanged")
    assert group is not None
    for case in group.cases:
        assert case.candidate.repeat_of_other
        assert case.candidate.answer.text == ""
        assert case.baseline.answer.text


def test_every_string_is_visible_and_every_anchor_its_own() -> None:
    report = ReportContent(*hostile_pair())
    for text in _strings(report.groups):
        assert visible(text) == text
    anchors = [case.anchor for group in report.groups for case in group.cases]
    assert len(set(anchors)) == len(anchors) == len(HOSTILE) + 24


def test_a_page_of_long_answers_stays_within_its_budget() -> None:
    def long(case: PairedCase) -> PairedCase:
        return replace(case, candidate_attempt=attempt(case.section, case.case, "x" * 60_000))

    compared = comparison(rows(1_600), changes=long)
    report = ReportContent(verdict("BLOCK", compared), compared)
    clips = {g.key: {c.candidate.answer for c in g.cases} for g in report.groups}
    assert clips["new_failure"] == {Clip("x" * 20_000, "40,000 characters more")}
    (passing,) = clips["changed"]
    assert 300 < len(passing.text) < 20_000
    assert passing.more == f"{60_000 - len(passing.text):,} characters more"
    few = comparison(rows(40), changes=long)
    small = ReportContent(verdict("BLOCK", few), few)
    assert {len(c.candidate.answer.text) for g in small.groups for c in g.cases} == {20_000}


def test_provenance_names_both_runs_and_what_the_verdict_is_bound_to() -> None:
    report = ReportContent(*pair("PROMOTE"))
    tables = provenance(report.comparison)
    facts = {(title, name): (a, b) for title, rows in tables for name, a, b in rows}
    assert facts["Run", "run"] == ("good-20261120-1a2b3c", "base-20261120-1a2b3c")
    assert facts["Adapter proof", "probes that differ from the parent"] == ("8 of 8", "–")
    assert facts["Model and server", "--max-model-len"] == ("512", "512")
    assert facts["Packages", "torch"][0] == "2.13.0+cpu"
    assert report.verdict.hashes.suites == f"sha256:{'12' * 32}"
    assert ("Generation", "any other field") not in facts


def test_provenance_says_what_was_not_sent_and_what_nobody_knows() -> None:
    _, compared = pair("PROMOTE")
    form = RequestForm(omit=("temperature", "top_k"), system_as="user")
    head = compared.candidate.header
    identity = head.identity.model_copy(update={"weights": None, "request": form})
    head = head.model_copy(update={"identity": identity, "sampling_defaults": {"min_p": 0.1}})
    compared = replace(compared, candidate=replace(compared.candidate, header=head))
    facts = {name: (a, b) for _, rows in provenance(compared) for name, a, b in rows}
    assert facts["form of requests"] == (
        "request: {omit: [temperature, top_k], system_as: user}", "–",
    )  # fmt: skip
    assert facts["temperature"][0] == "not sent"
    assert "top_k" not in facts  # it was not set either
    assert facts["min_p, the server's"] == ("0.1", "–")
    assert facts["any other field"] == ("the server's own, not known", "–")


def test_no_cases_at_all_is_still_a_report() -> None:
    compared = comparison([], problems=("nothing was asked",))
    report = ReportContent(verdict("INVALID", compared), compared)
    assert report.groups == ()
    assert report.headline == "nothing was asked"


def test_only_what_is_beyond_chance_is_certain() -> None:
    report = ReportContent(*pair("BLOCK"))
    known = {name: report.is_certain(metric) for name, metric in report.comparison.metrics.items()}
    listed = {one.metric for one in report.verdict.regressions}
    assert all(known[name] for name in listed & known.keys())
    assert not all(known.values())
    page = render_html(report)
    assert 'class="num worse"' in page
    assert 'class="num same"' in page


def test_evidence_that_cannot_be_trusted_has_its_rules_without_a_table() -> None:
    page = render_html(ReportContent(*pair("INVALID")))
    assert "No rule is judged, because the evidence cannot be trusted." in page
    assert 'class="rules"' not in page
