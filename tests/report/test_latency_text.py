"""What a report tells of a measurement of latency."""

from __future__ import annotations

import pytest

from harness.records.latency import Load
from harness.records.verdict import Verdict
from harness.report.content import ReportContent
from harness.report.html import render_latency_html
from harness.report.json import render_json
from harness.report.latency_rows import (
    findings,
)
from harness.report.latency_text import (
    LatencyContent,
    load_title,
    measurement_facts,
    split_metric,
)
from harness.report.markdown import render_latency_markdown
from harness.report.text import visible
from tests.report.fixtures import pair
from tests.report.hostile import HOSTILE
from tests.report.measured import (
    Kind,
    hostile_section,
    load,
    measured,
    measured_pair,
    section,
)


def content(kind: Kind) -> LatencyContent:
    made, rules = measured(kind)
    return LatencyContent(made, "good", "base", rules)


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("pass", "Every rule on latency passes."),
        ("fail", "A rule on latency fails."),
        ("inconclusive", "The measurement cannot tell."),
        ("invalid", "The measurement cannot be trusted, so nothing follows from it."),
    ],
)
def test_the_outcome_is_told_in_words(kind: Kind, meaning: str) -> None:
    made = content(kind)
    assert (made.outcome, made.meaning) == (kind, meaning)


def test_without_a_rule_it_is_measured_and_not_judged() -> None:
    made = LatencyContent(section(load()), "good", "base", ())
    assert made.outcome is None
    assert findings(load(), made.rules) == ()
    assert "not judged" in made.meaning


def test_a_problem_at_one_load_makes_all_of_it_invalid_and_is_told_with_the_load() -> None:
    broken = load("closed:4", problems=("the server restarted",))
    made = LatencyContent(section(load(), broken), "good", "base", ())
    assert made.outcome == "invalid"
    assert made.problems == ("4 requests at a time: the server restarted",)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("single", "One request at a time"),
        ("closed:1", "1 request at a time"),
        ("closed:16", "16 requests at a time"),
        ("poisson:5/s", "Poisson arrivals, 5 requests/s"),
        ("poisson:65%", "Poisson arrivals at 65% of the baseline's capacity"),
    ],
)
def test_a_load_as_a_heading(written: str, title: str) -> None:
    assert load_title(Load.model_validate(written)) == title


@pytest.mark.parametrize(
    ("metric", "parts"),
    [
        ("ttft_p95", ("TTFT", "p95")),
        ("service_ttft_p99", ("Service TTFT", "p99")),
        ("e2e_p50", ("E2E", "p50")),
        ("something_new", ("something new", "")),
        ("odd_p95", ("odd p95", "")),
    ],
)
def test_a_metric_in_words(metric: str, parts: tuple[str, str]) -> None:
    assert split_metric(metric) == parts


def test_how_it_was_measured_is_told() -> None:
    facts = dict(measurement_facts(content("pass").section))
    assert facts["Requests"] == "1,200 of each arm at each load"
    assert facts["SLO"] == "TTFT ≤ 250 ms, E2E ≤ 4.00 s"
    assert "Stopped early" in facts
    assert "Stopped early" not in dict(measurement_facts(content("fail").section))


def test_the_report_has_the_section_where_the_verdict_has_it() -> None:
    assert ReportContent(*pair("PROMOTE")).latency is None
    made, compared = measured_pair("pass")
    shown = ReportContent(made, compared).latency
    assert shown is not None
    assert [rule.metric for rule in shown.rules] == ["latency.ttft_p95"]
    assert Verdict.model_validate_json(render_json(made)) == made


def test_every_text_of_a_page_and_of_markdown_is_visible() -> None:
    made = LatencyContent(hostile_section(), HOSTILE[0], HOSTILE[10], ())
    for text in (render_latency_html(made), render_latency_markdown(made)):
        # What Markdown would make a mention or a link of is broken by such a space.
        plain = text.replace("\u200b", "")
        assert visible(plain) == plain
