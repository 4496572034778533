"""What a rule makes of a ratio, of failures without end, of noise and of too few requests."""

from __future__ import annotations

import pytest

from harness.gate.rules.latency import LatencyAtMost, LatencyRatioAtMost
from harness.latency.latency_rule import decided, judge_load, judge_rule, uncertifiable
from harness.records.latency import Bounded, LatencySection, LatencySettings, LoadResult
from harness.records.load import Load
from tests.latency.builders import bounds, metric

RATIO = LatencyRatioAtMost(require="ratio_at_most", metric="latency.ttft_p95", value=1.1)
SECONDS = LatencyAtMost(require="at_most", metric="latency.ttft_p95", value=0.3)
FOREVER = bounds(None, None, None)
UNKNOWN = bounds(None, 0.0, None)


def load(*metrics: object, **more: object) -> LoadResult:
    given = {"load": Load(kind="single"), "rounds": 20, "metrics": metrics, "arms": (), **more}
    return LoadResult.model_validate(given)


@pytest.mark.parametrize(
    ("ratio", "outcome"),
    [
        (bounds(1.0, 0.95, 1.1), "pass"),
        (bounds(1.0, 0.95, 1.101), "inconclusive"),
        (bounds(1.2, 1.1, 1.3), "inconclusive"),
        (bounds(1.2, 1.101, 1.3), "fail"),
        (bounds(0.8, 0.7, 0.9), "pass"),
        (bounds(1.2, 1.0, None), "inconclusive"),
        (bounds(None, 1.2, None), "fail"),
        (FOREVER, "fail"),
        (UNKNOWN, "inconclusive"),
    ],
)
def test_a_ratio_is_held_against_its_limit(ratio: Bounded, outcome: str) -> None:
    found = judge_load(RATIO, load(metric(ratio)))
    assert found.outcome == outcome
    assert (found.estimate, found.limit, found.n, found.groups) == (ratio.estimate, 1.1, 1000, 20)


@pytest.mark.parametrize(
    ("candidate", "outcome"),
    [
        (bounds(0.2, 0.1, 0.3), "pass"),
        (bounds(0.2, 0.1, 0.31), "inconclusive"),
        (bounds(0.4, 0.31, 0.5), "fail"),
        (FOREVER, "fail"),
    ],
)
def test_a_time_is_held_against_its_limit(candidate: Bounded, outcome: str) -> None:
    found = metric(bounds(1.0, 0.9, 1.1), candidate=candidate)
    assert judge_load(SECONDS, load(found)).outcome == outcome


@pytest.mark.parametrize(
    ("candidate", "outcome"),
    [
        (bounds(0.3, 0.1, 0.5), "pass"),
        (bounds(0.301, 0.1, 0.5), "fail"),
        (bounds(None, 0.1, None), "fail"),
    ],
)
def test_a_time_may_be_held_against_its_limit_by_its_estimate_alone(
    candidate: Bounded, outcome: str
) -> None:
    rule = SECONDS.model_copy(update={"evidence": "point"})
    found = metric(bounds(1.0, 0.9, 1.1), candidate=candidate)
    assert judge_load(rule, load(found)).outcome == outcome


@pytest.mark.parametrize(
    ("control", "ratio", "outcome"),
    [
        (bounds(1.0, 0.95, 1.05), bounds(1.0, 0.95, 1.05), "pass"),
        (bounds(1.0, 0.95, 1.12), bounds(1.0, 0.95, 1.05), "inconclusive"),
        (bounds(1.0, 0.88, 1.05), bounds(1.0, 0.95, 1.05), "inconclusive"),
        (bounds(1.0, 0.88, 1.05), bounds(0.8, 0.7, 0.9), "pass"),
        (bounds(1.0, 0.88, 1.05), bounds(1.2, 1.15, 1.3), "inconclusive"),
        (bounds(1.0, 0.88, 1.05), bounds(2.0, 1.8, 2.2), "fail"),
        (UNKNOWN, bounds(0.8, 0.7, 0.9), "inconclusive"),
    ],
)
def test_noise_beyond_the_margin_leaves_it_open(
    control: Bounded, ratio: Bounded, outcome: str
) -> None:
    assert judge_load(RATIO, load(metric(ratio, control))).outcome == outcome


def test_too_few_requests_never_pass_and_may_fail() -> None:
    passing = judge_load(RATIO, load(metric(bounds(1.0, 0.9, 1.1), n=999)))
    assert passing.outcome == "inconclusive"
    assert "has too few requests to pass: 999 of 1000 for each target" in passing.reason
    assert judge_load(RATIO, load(metric(bounds(2.0, 1.8, 2.2), n=999))).outcome == "fail"


def test_what_cannot_be_believed_or_is_not_there_is_invalid() -> None:
    problem = load(metric(bounds(1.0, 0.9, 1.1)), problems=("single: the server drifted",))
    assert judge_load(RATIO, problem).outcome == "invalid"
    assert judge_load(RATIO, problem).reason == "single: the server drifted"
    assert judge_load(RATIO, load()).outcome == "invalid"


def test_the_worst_load_decides() -> None:
    passing = load(metric(bounds(1.0, 0.9, 1.05)))
    failing = load(metric(bounds(1.5, 1.4, 1.6)), load="closed:8")
    open_ = load(metric(bounds(1.1, 1.0, 1.2)), load="closed:4")
    section = LatencySection(
        measurement="m", settings=LatencySettings(), alpha=0.05,
        loads=(passing, open_, failing), digest="d",
    )  # fmt: skip
    found = judge_rule(RATIO, section)
    assert found.outcome == "fail"
    assert "at closed:8 is more than 1.1 times the baseline's: 1.500 [1.400, 1.600]" in found.reason
    two = section.model_copy(update={"loads": (passing, open_)})
    assert judge_rule(RATIO, two).outcome == "inconclusive"


def test_a_load_is_decided_by_a_failure_or_when_all_pass() -> None:
    other = LatencyRatioAtMost(require="ratio_at_most", metric="latency.e2e_p50", value=1.1)
    passes, fails, open_ = (
        bounds(1.0, 0.9, 1.05), bounds(1.5, 1.4, 1.6), bounds(1.1, 1.0, 1.2),
    )  # fmt: skip

    def both(one: Bounded, two: Bounded) -> bool:
        return decided([RATIO, other], load(metric(one), metric(two, metric="e2e_p50")))

    assert both(passes, passes)
    assert both(fails, open_)
    assert both(open_, fails)
    assert not both(passes, open_)


def test_rules_that_so_few_requests_can_never_pass_are_named() -> None:
    rules = [
        RATIO.model_copy(update={"metric": f"latency.{metric}"})
        for metric in ("ttft_p95", "itl_p50", "e2e_p99")
    ]
    assert uncertifiable(rules[:2], LatencySettings()) == ""
    assert uncertifiable(rules, LatencySettings(requests=999)) == (
        "`latency.requests` is 999 of each arm; to be able to pass, latency.ttft_p95 needs 1000, "
        "latency.e2e_p99 needs 5000: write at least 5000"
    )


@pytest.mark.parametrize("limit", [0.999, 1.0, 1.001])
def test_no_margin_is_no_leave_for_noise(limit: float) -> None:
    rule = RATIO.model_copy(update={"value": limit})
    noisy = metric(bounds(0.99, 0.985, 0.995), bounds(1.0, 0.6, 1.9))
    assert judge_load(rule, load(noisy)).outcome == "inconclusive"


def test_an_estimate_alone_ends_nothing_early() -> None:
    rule = SECONDS.model_copy(update={"evidence": "point"})
    found = metric(bounds(1.0, 0.9, 1.1), candidate=bounds(0.301, 0.25, 0.36))
    assert judge_load(rule, load(found)).outcome == "fail"
    assert not decided([rule], load(found))
