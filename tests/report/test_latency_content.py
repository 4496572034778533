"""What a report tells of a measurement of latency."""

from __future__ import annotations

from math import inf

import pytest

from harness.gate.rules.latency import LatencyAtMost, LatencyRatioAtMost
from harness.latency.latency_rule import LatencyRule, judge_rule
from harness.records.deployment import Deployment, Deployments, ServerMode
from harness.records.latency import ArmFigures, Bounded, LatencyMetric
from harness.records.load import Load
from harness.records.verdict import Outcome, RuleResult, Verdict
from harness.report import formats
from harness.report.content import ReportContent
from harness.report.html import render_latency_html
from harness.report.json import render_json
from harness.report.latency_content import (
    LatencyContent,
    families,
    figure_rows,
    findings,
    load_title,
    measurement_facts,
    metric_title,
    span,
    split_metric,
    ttft_curves,
    unfinished,
)
from harness.report.rendering import render_text
from harness.report.rules import estimate_of
from harness.visible_text import visible
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
        ("inconclusive", "The measurement is too uncertain to decide every rule."),
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
        ("tta_p50", ("TTA", "p50")),
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
    for text in (render_latency_html(made), render_text("latency_page.md.j2", latency=made)):
        # What Markdown would make a mention or a link of is broken by such a space.
        plain = text.replace("\u200b", "")
        assert visible(plain) == plain


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("pass", ["TTFT p95 divided by the baseline's is 1.05× (1.01× to 1.09×): {within}."]),
        (
            "fail",
            [
                "TTFT p50 divided by the baseline's is 1.33× (1.30× to 1.35×): {above}.",
                "TTFT p99 divided by the baseline's is ∞: above the limit of 1.25×.",
            ],
        ),
        (
            "inconclusive",
            [
                "TTFT p95 divided by the baseline's is 1.104× (1.064× to 1.144×): {open}.",
                "TTFT p99 divided by the baseline's is 0.96× (0.86× to 1.07×): {short}.",
            ],
        ),
    ],
)
def test_each_load_says_where_it_lies_to_every_limit(kind: Kind, told: list[str]) -> None:
    places = {
        "within": "within the limit of 1.10×",
        "above": "above the limit of 1.10×",
        "open": "the limit of 1.100× lies inside the interval, so the outcome is unclear",
        "short": "1,200 requests, and 5,000 are needed to pass the limit",
    }
    made = content(kind)
    shown = [words for _, words in findings(made.section.loads[0], made.rules)]
    assert shown == [text.format(**places) for text in told]


def hold(rule: LatencyRule, found: LatencyMetric) -> tuple[RuleResult, Outcome | None, str]:
    """What the gate makes of the rule on a load of that metric, and what the report says of it."""
    one = load("single", metrics=(found,))
    result = judge_rule(rule, section(one))
    return result, *findings(one, [result])[0]


def bounds(estimate: float, low: float, high: float) -> Bounded:
    return Bounded(estimate=estimate, low=low, high=high)


def test_what_noise_leaves_open_is_not_reported_as_within_the_limit() -> None:
    rule = LatencyRatioAtMost(require="ratio_at_most", metric="latency.ttft_p95", value=1.1)
    result, outcome, words = hold(
        rule,
        LatencyMetric(
            metric="ttft_p95", candidate=bounds(0.2, 0.1, 0.3), baseline=bounds(0.2, 0.1, 0.3),
            ratio=bounds(1.02, 0.98, 1.06), control=bounds(1.0, 0.8, 1.25), n=1200, needed=1000,
        ),
    )  # fmt: skip
    assert (result.outcome, outcome) == ("inconclusive", "inconclusive")
    assert words == (
        "TTFT p95 divided by the baseline's is 1.02× (0.98× to 1.06×): two measurements of "
        "the baseline differ too much to compare this with the limit of 1.10×."
    )


def test_a_pass_by_the_estimate_alone_is_reported_as_a_pass() -> None:
    rule = LatencyAtMost(require="at_most", metric="latency.ttft_p95", value=0.3, evidence="point")
    result, outcome, words = hold(
        rule,
        LatencyMetric(
            metric="ttft_p95", candidate=bounds(0.29, 0.1, 0.5), baseline=bounds(0.2, 0.1, 0.3),
            ratio=bounds(1.45, 0.8, 2.0), control=bounds(1.0, 0.9, 1.1), n=1200, needed=1000,
        ),
    )  # fmt: skip
    assert (result.outcome, outcome) == ("pass", "pass")
    assert words.endswith(": within the limit of 300 ms by its estimate.")


def test_of_a_load_that_did_not_decide_the_rule_the_report_tells_only_the_numbers() -> None:
    fast, slow = load("single", slower=1.0), load("closed:8", slower=1.5)
    both = section(fast, slow)
    rule = LatencyRatioAtMost(require="ratio_at_most", metric="latency.ttft_p50", value=1.1)
    result = judge_rule(rule, both)
    shown = [findings(one, [result])[0] for one in (fast, slow)]
    assert [outcome for outcome, _ in shown] == [None, "fail"]
    assert shown[0][1].endswith("): the limit is 1.10×.")


def test_what_is_beyond_every_bound_is_infinite_in_text_and_number() -> None:
    made = content("fail")
    metrics = {metric_title(metric): metric for metric in made.section.loads[0].metrics}
    p99 = metrics["TTFT p99"]
    assert span(p99.candidate, formats.duration).value == "∞"
    assert span(p99.ratio, formats.ratio).value == "∞"
    assert span(p99.baseline, formats.duration).value == "218 ms"
    assert [estimate_of(rule) for rule in made.rules] == ["1.33×", "∞"]
    assert made.rules[1].estimate == inf


def test_metrics_of_a_family_stand_together() -> None:
    found = families(content("pass").section.loads[0].metrics)
    names = [split_metric(family[0].metric)[0] for family in found]
    assert names == ["TTFT", "Service TTFT", "ITL", "TPOT", "E2E"]
    assert list(map(metric_title, found[0])) == ["TTFT p50", "TTFT p90", "TTFT p95", "TTFT p99"]


def test_failures_are_counted_by_cause_and_never_finish() -> None:
    made = content("fail").section.loads[0]
    figures = {name: cells for name, _, cells in figure_rows(made.arms, "")}
    assert (figures["Failed"][0].value, figures["Failed"][0].bounds) == ("40", "timeout 31, http 9")
    assert [cell.value for cell in figures["Longest gap"]] == ["∞", "212 ms", "212 ms"]
    assert unfinished(made) == (
        "3.3% of the candidate's requests failed: its curve ends below 100%.",
    )
    ends = {arm: points[-1][1] for arm, points in ttft_curves(made).items()}
    assert ends["candidate"] == pytest.approx(0.96)
    assert ends["baseline"] == 1.0


def test_an_arm_that_only_failed_has_no_curve() -> None:
    made = load(lost={"connect": 1200})
    assert list(ttft_curves(made)) == ["baseline", "control"]
    assert unfinished(made) == ("100% of the candidate's requests failed: it has no curve.",)


def test_figures_that_no_arm_has_are_left_out() -> None:
    arm = ArmFigures(
        arm="baseline", requests=40, failed=0, requests_per_second=2.0,
        error_rate=Bounded(estimate=0.0, low=0.0, high=0.07),
    )  # fmt: skip
    names = [name for name, _, _ in figure_rows([arm], "")]
    assert names == ["Requests", "Failed", "Error rate", "Requests per second"]
    assert figure_rows([], "") == ()


def deployed(mode: ServerMode, model: str = "models/merged") -> LatencyContent:
    candidate = Deployment(server="whole", version="vllm 1", model=model)
    baseline = Deployment(
        server="main", version="vllm 1", address="http://127.0.0.1:1/v1", model="base",
        adapter="adapters/good",
    )  # fmt: skip
    servers = Deployments(mode=mode, candidate=candidate, baseline=baseline)
    made, rules = measured("pass")
    return LatencyContent(made.model_copy(update={"servers": servers}), "merged", "good", rules)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("side_by_side", "Both servers were up side by side, each from one start"),
        ("in_turns", "One server was up at a time, started anew and warmed up for every block"),
    ],
)
def test_that_deployments_were_compared_is_told_with_both_servers(
    mode: ServerMode, words: str
) -> None:
    made = deployed(mode)
    assert made.deployments.startswith(
        "Deployments were compared, not adapters: merged is models/merged on the server whole "
        "(vllm 1), good is the adapter adapters/good on base on the server main at "
        "http://127.0.0.1:1/v1 (vllm 1). "
    )
    assert words in made.deployments
    assert dict(measurement_facts(made.section))["Servers"]
    for text in (render_latency_html(made), render_text("latency_page.md.j2", latency=made)):
        assert "Deployments were compared, not adapters" in text
        assert words in text


def test_of_one_server_nothing_is_said_of_deployments() -> None:
    made = content("pass")
    assert made.deployments == ""
    assert "Servers" not in dict(measurement_facts(made.section))
    assert "eployments" not in render_latency_html(made)


def test_a_models_name_is_no_markup() -> None:
    made = deployed("in_turns", "<script>alert(1)</script>\n# top")
    assert "<script>alert" not in render_latency_html(made)
    assert "\n# top" not in render_text("latency_page.md.j2", latency=made)
