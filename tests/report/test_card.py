from __future__ import annotations

from dataclasses import replace

from harness.records.verdict import EvidenceWarning, RuleResult
from harness.report.card import card_lines, failing_cases, label_rows, labels, undetermined
from harness.report.content import ReportContent
from harness.report.html import render_html
from tests.report.fixtures import pair

CRITICAL = RuleResult(require="no_critical_failures", outcome="fail", reason="2 failed")


def test_the_cases_of_a_rule_are_those_of_its_section_or_the_critical_ones() -> None:
    verdict, found = pair("BLOCK")
    deciding = verdict.deciding
    assert deciding is not None
    assert deciding.metric is not None
    rows = failing_cases(found, deciding)
    section = deciding.metric.rpartition(".")[0].replace(".", "/")
    assert {(row.section, row.critical) for row in rows} == {(section, False)}
    assert [row.change for row in rows] == ["new_failure", "still_failing"]
    assert {row.critical for row in failing_cases(found, CRITICAL)} == {True}
    new = CRITICAL.model_copy(update={"require": "no_new_critical_failures"})
    assert {row.change for row in failing_cases(found, new)} <= {"new_failure"}
    slow = RuleResult(metric="latency.ttft_p95", require="at_most", outcome="fail", reason="slow")
    assert failing_cases(found, slow) == ()


def test_labels_are_counted_by_section() -> None:
    _, found = pair("BLOCK")
    rows = label_rows(found)
    assert rows[0].section == "support/gold"
    assert rows[0].candidate == labels(
        score for score in found.candidate.scores if score.section == "gold"
    )
    assert undetermined(found) == (0, 0)


def test_the_card_says_what_still_fails_and_what_was_changed() -> None:
    verdict, found = pair("BLOCK")
    changed = EvidenceWarning(code="policy-changed", place="policy", what="alpha was 0.1")
    verdict = verdict.model_copy(
        update={"critical_failures": ("s/x/a", "s/x/b"), "warnings": (changed,)}
    )
    lines = card_lines(verdict, (), (5, 1))
    assert lines == (
        "2 critical cases still fail: `s/x/a`, `s/x/b`",
        "undetermined: 5, the baseline's 1",
        "changed since the last verdict on this candidate: policy",
    )
    page = render_html(ReportContent(verdict, replace(found)))
    assert "<b>2</b> critical cases still fail" in page
    assert "Changed since the last verdict on this candidate" in page
    assert 'data-filter="outcome=still_failing&amp;critical=only"' in page
