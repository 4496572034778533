"""The numbers of a load as text, and where rules put limits."""

from __future__ import annotations

from math import inf

import pytest

from harness.gate.rules.latency import LatencyAtMost, LatencyRatioAtMost
from harness.latency.judge import LatencyRule, judge_rule
from harness.records.latency import ArmFigures, Bounded, LatencyMetric
from harness.records.verdict import RuleResult
from harness.report import formats
from harness.report.latency_drawings import ttft_curves
from harness.report.latency_rows import (
    Finding,
    families,
    figure_rows,
    findings,
    metric_title,
    span,
    unfinished,
)
from harness.report.latency_text import (
    split_metric,
)
from harness.report.rules import estimate_of
from tests.report.measured import (
    Kind,
    load,
    section,
)
from tests.report.test_latency_text import content


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
        "open": "the limit of 1.100× lies within the interval, so it cannot be told",
        "short": "not certifiable: 1,200 of 5,000 requests needed",
    }
    made = content(kind)
    shown = [found.words for found in findings(made.section.loads[0], made.rules)]
    assert shown == [text.format(**places) for text in told]


def hold(rule: LatencyRule, found: LatencyMetric) -> tuple[RuleResult, Finding]:
    """What the gate makes of the rule on a load of that metric, and what the report says of it."""
    one = load("single", metrics=(found,))
    result = judge_rule(rule, section(one))
    return result, findings(one, [result])[0]


def bounds(estimate: float, low: float, high: float) -> Bounded:
    return Bounded(estimate=estimate, low=low, high=high)


def test_what_noise_leaves_open_is_not_reported_as_within_the_limit() -> None:
    rule = LatencyRatioAtMost(require="ratio_at_most", metric="latency.ttft_p95", value=1.1)
    result, shown = hold(
        rule,
        LatencyMetric(
            metric="ttft_p95", candidate=bounds(0.2, 0.1, 0.3), baseline=bounds(0.2, 0.1, 0.3),
            ratio=bounds(1.02, 0.98, 1.06), control=bounds(1.0, 0.8, 1.25), n=1200, needed=1000,
        ),
    )  # fmt: skip
    assert (result.outcome, shown.outcome) == ("inconclusive", "inconclusive")
    assert shown.words == (
        "TTFT p95 divided by the baseline's is 1.02× (0.98× to 1.06×): the baseline differs from "
        "itself by too much to hold it against the limit of 1.10×."
    )


def test_a_pass_by_the_estimate_alone_is_reported_as_a_pass() -> None:
    rule = LatencyAtMost(require="at_most", metric="latency.ttft_p95", value=0.3, evidence="point")
    result, shown = hold(
        rule,
        LatencyMetric(
            metric="ttft_p95", candidate=bounds(0.29, 0.1, 0.5), baseline=bounds(0.2, 0.1, 0.3),
            ratio=bounds(1.45, 0.8, 2.0), control=bounds(1.0, 0.9, 1.1), n=1200, needed=1000,
        ),
    )  # fmt: skip
    assert (result.outcome, shown.outcome) == ("pass", "pass")
    assert shown.words.endswith(": within the limit of 300 ms by its estimate.")


def test_of_a_load_that_did_not_decide_the_rule_the_report_tells_only_the_numbers() -> None:
    fast, slow = load("single", slower=1.0), load("closed:8", slower=1.5)
    both = section(fast, slow)
    rule = LatencyRatioAtMost(require="ratio_at_most", metric="latency.ttft_p50", value=1.1)
    result = judge_rule(rule, both)
    shown = [findings(one, [result])[0] for one in (fast, slow)]
    assert [one.outcome for one in shown] == [None, "fail"]
    assert shown[0].words.endswith("): the limit is 1.10×.")


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
    figures = {row.name: row.cells for row in figure_rows(made.arms, "")}
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
    names = [row.name for row in figure_rows([arm], "")]
    assert names == ["Requests", "Failed", "Error rate", "Requests per second"]
    assert figure_rows([], "") == ()
