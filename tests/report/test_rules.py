"""Rules, worded for people."""

from __future__ import annotations

import re
from math import inf
from typing import Any

import pytest

from harness.records.verdict import EvidenceWarning
from harness.report.content import ReportContent
from harness.report.html import render_html
from harness.report.markdown import render_markdown
from harness.report.rules import (
    NO_NOISE,
    NOISE,
    cannot_fail,
    completed,
    estimate_of,
    good_above,
    headline,
    interval_of,
    limit_of,
    noise_of,
    own_value,
    requirement,
    scale_of,
    unit_of,
)
from tests.report.fixtures import pair, rule


@pytest.mark.parametrize(
    ("metric", "require", "limit", "words"),
    [
        ("s.a.accuracy", "better_than_baseline", 0.0, "better than the baseline"),
        (
            "s.a.accuracy",
            "better_than_baseline",
            0.02,
            "more than 2.0 points better than the baseline",
        ),
        ("s.a.f1", "no_worse_than_baseline", -0.03, "at most 3.0 points worse than the baseline"),
        ("s.a.f1", "no_worse_than_baseline", 0.0, "at least as good as the baseline"),
        ("s.a.f1", "no_worse_than_baseline", None, "no worse than the baseline"),
        ("s.a.f1", "at_least", 0.85, "at least 85.0%"),
        ("s.a.f1", "at_most", 0.1, "at most 10.0%"),
        ("s.a.f1", "at_most", None, "at most a set value"),
        ("latency.ttft_p95", "at_most", 0.25, "at most 250 ms"),
        ("latency.ttft_p95", "ratio_at_most", 1.1, "at most 1.10× the baseline"),
        (None, "no_new_critical_failures", None, "no new failure among critical cases"),
        ("s.a.f1", "something_new", None, "something new"),
    ],
)
def test_the_requirement_in_words(
    metric: str | None, require: str, limit: float | None, words: str
) -> None:
    assert requirement(rule(metric, require, "pass", "r", limit=limit)) == words


def test_what_differs_from_the_limit_does_not_print_as_the_limit() -> None:
    values: dict[str, Any] = {"estimate": 0.02, "ci_low": -0.0302, "ci_high": 0.07}
    found = rule("s.a.f1", "no_worse_than_baseline", "inconclusive", "r", limit=-0.03, **values)
    assert limit_of(found) == "−3.00 points"
    assert interval_of(found) == "−3.02 to +7.00 points"


def test_a_rule_without_numbers_has_no_place_in_the_plot() -> None:
    found = rule("s.a.f1", "at_least", "invalid", "no evidence", limit=0.5)
    assert completed(found) is found
    assert (own_value(found, None), estimate_of(found), interval_of(found)) == ("–",) * 3
    assert headline(found) == "no evidence"


def test_a_rule_on_latency_that_was_judged_has_infinity_for_what_is_left_out() -> None:
    made = rule("latency.ttft_p95", "ratio_at_most", "fail", "r", limit=1.1, n=1000,
                baseline=0.2, ci_low=1.3)  # fmt: skip
    found = completed(made)
    assert own_value(found, found.candidate) == "∞"
    assert own_value(found, found.baseline) == "200 ms"
    assert (estimate_of(found), interval_of(found)) == ("∞", "1.30× to ∞")
    assert (found.ci_low, found.estimate, found.ci_high) == (1.3, inf, inf)
    assert headline(found) == "latency.ttft_p95 must be at most 1.10× the baseline; it is not."


def test_a_rule_on_latency_that_has_no_evidence_has_no_numbers() -> None:
    found = completed(rule("latency.ttft_p95", "ratio_at_most", "invalid", "r", limit=1.1, n=40))
    assert (found.candidate, found.estimate, found.ci_low, found.ci_high) == (None,) * 4


def test_scales_follow_the_rule_and_the_metric() -> None:
    assert scale_of(rule("s.a.f1", "no_worse_than_baseline", "pass", "r")) == "difference"
    assert scale_of(rule("s.a.f1", "at_least", "pass", "r")) == "value"
    assert scale_of(rule("latency.ttft_p95", "at_most", "pass", "r")) == "value"
    assert scale_of(rule("latency.ttft_p95", "ratio_at_most", "pass", "r")) == "ratio"
    assert (unit_of("s.a.f1"), unit_of("latency.ttft_p95")) == ("share", "seconds")
    assert not good_above(rule("latency.ttft_p95", "at_most", "pass", "r"))
    assert good_above(rule("s.a.f1", "at_least", "pass", "r"))


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("fail", "s.a.f1 must be at least 85.0%; it is not."),
        ("inconclusive", "It is unclear whether s.a.f1 is at least 85.0%."),
    ],
)
def test_the_headline_of_a_deciding_rule(outcome: str, words: str) -> None:
    assert headline(rule("s.a.f1", "at_least", outcome, "r", estimate=0.5, limit=0.85)) == words


@pytest.mark.parametrize(
    ("metric", "require", "noise", "words"),
    [
        ("s.a.f1", "no_worse_than_baseline", 0.0041, "noise of two askings: 0.4 points"),
        ("s.a.f1", "at_least", 0.0, "noise of two askings: 0 points"),
        ("s.a.f1", "ratio_at_most", 0.125, "noise of two askings: 12.5 points"),
        ("s.a.f1", "at_least", None, ""),
        (None, "no_new_critical_failures", None, ""),
    ],
)
def test_the_noise_stands_beside_a_rule_where_it_was_measured(
    metric: str | None, require: str, noise: float | None, words: str
) -> None:
    assert noise_of(rule(metric, require, "pass", "r", noise=noise)) == words


@pytest.mark.parametrize(
    ("noise", "note", "words"),
    [
        ((None, None), "", []),
        ((0.0, 0.0), NO_NOISE, []),
        (
            (0.0, 0.0041),
            NOISE,
            ["noise of two askings: 0 points", "noise of two askings: 0.4 points"],
        ),
        ((None, 0.0041), NOISE, ["noise of two askings: 0.4 points"]),
    ],
)
def test_noise_is_told_once_where_there_is_none_and_explained_where_there_is(
    noise: tuple[float | None, ...], note: str, words: list[str]
) -> None:
    made, compared = pair("PROMOTE")
    rules = tuple(
        rule(metric, "at_least", "pass", "r", noise=value)
        for metric, value in zip(("s.a.f1", "s.a.accuracy"), noise, strict=True)
    )
    report = ReportContent(made.model_copy(update={"rules": rules}), compared)
    page, comment = render_html(report), render_markdown(report)
    shown = re.sub(r"</?code>", "`", page)
    for text in (shown, comment):
        assert re.findall(r"noise of two askings: [\d.]+ points", text) == words
        assert [told for told in (NO_NOISE, NOISE) if told in text] == [note] * bool(note)
    assert "<code>harness gate --aa</code>" in page or note != NOISE


@pytest.mark.parametrize(
    ("require", "code", "outcome", "expected"),
    [
        ("no_worse_than_baseline", "floor", "pass", True),
        ("better_than_baseline", "floor", "pass", False),
        ("at_least", "cannot-fail", "pass", True),
        ("at_least", "ceiling", "pass", False),
        ("no_worse_than_baseline", "floor", "inconclusive", False),
    ],
)
def test_a_rule_that_no_candidate_could_fail_says_so_in_its_line(
    require: str, code: str, outcome: str, expected: bool
) -> None:
    metric = "support.tone.adherence"
    found = rule(metric, require, outcome, "a reason", estimate=0.5, limit=0.1)
    warning = EvidenceWarning(code=code, place=metric, what="why")
    elsewhere = EvidenceWarning(code=code, place="support.gold.accuracy", what="why")
    assert cannot_fail(found, [elsewhere, warning]) is expected
    assert not cannot_fail(found, [elsewhere])


def test_every_format_of_a_report_says_that_a_rule_cannot_fail() -> None:
    made, compared = pair("BLOCK")
    warning = EvidenceWarning(code="floor", place="support.tone.adherence", what="why")
    report = ReportContent(made.model_copy(update={"warnings": (warning,)}), compared)
    assert render_html(report).count("o candidate could fail this rule") == 2
    assert render_markdown(report).count("no candidate could fail this rule") == 1
