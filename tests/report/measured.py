"""Measurements of latency made by hand, with every outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from harness.records.comparison import ComparisonRecord
from harness.records.latency import (
    ARMS,
    Arm,
    ArmFigures,
    BlockMedian,
    Bounded,
    LatencyMetric,
    LatencySection,
    LatencySettings,
    LoadResult,
    Slo,
)
from harness.records.verdict import Decision, RuleResult, Verdict
from tests.report.fixtures import pair, rule
from tests.report.hostile import HOSTILE

Kind = Literal["pass", "fail", "inconclusive", "invalid"]
SHARES = np.linspace(0.0, 1.0, 101)
# (name, percentile, factor on the TTFT, requests needed)
METRICS = (
    *((f"ttft_{name}", q, 1.0, n) for name, q, n in (
        ("p50", 0.5, 200), ("p90", 0.9, 500), ("p95", 0.95, 1000), ("p99", 0.99, 5000),
    )),
    *((f"service_ttft_{name}", q, 0.98, n) for name, q, n in (
        ("p50", 0.5, 200), ("p95", 0.95, 1000), ("p99", 0.99, 5000),
    )),
    ("itl_p50", 0.5, 0.11, 200), ("itl_p99", 0.99, 0.12, 5000),
    ("tpot_p50", 0.5, 0.11, 200),
    ("e2e_p50", 0.5, 7.5, 200), ("e2e_p95", 0.95, 6.5, 1000),
)  # fmt: skip
COUNT = 1200


def times(seed: int, slower: float, lost: float) -> Any:
    """TTFT of one arm in seconds, infinite for what failed."""
    draw = np.random.default_rng(seed)
    made = slower * (0.03 + draw.lognormal(np.log(0.065), 0.42, COUNT))
    made[: round(lost * COUNT)] = np.inf
    return np.sort(made)


def finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def bounded(value: float, spread: float) -> Bounded:
    if not np.isfinite(value):
        return Bounded(estimate=None, low=None, high=None)
    return Bounded(estimate=value, low=value * (1 - spread), high=value * (1 + spread))


def ratio(over: float, under: float, spread: float) -> Bounded:
    return bounded(over / under, spread)


def metrics(arms: dict[Arm, Any]) -> tuple[LatencyMetric, ...]:
    made: list[LatencyMetric] = []
    for name, share, factor, needed in METRICS:
        found = {arm: float(np.quantile(t, share, method="higher")) * factor
                 for arm, t in arms.items()}  # fmt: skip
        spread = 0.015 if share < 0.9 else 0.03 if share < 0.99 else 0.09
        made.append(
            LatencyMetric(
                metric=name,
                candidate=bounded(found["candidate"], spread),
                baseline=bounded(found["baseline"], spread),
                ratio=ratio(found["candidate"], found["baseline"], 1.2 * spread),
                control=ratio(found["control"], found["baseline"], spread),
                n=COUNT,
                needed=needed,
            )
        )
    return tuple(made)


def figures(arm: Arm, found: Any, slo: float, failures: dict[str, int]) -> ArmFigures:
    failed = sum(failures.values())
    good = float((found <= slo).mean())
    return ArmFigures(
        arm=arm,
        requests=COUNT,
        failed=failed,
        failures=failures,
        error_rate=Bounded(estimate=failed / COUNT, low=0.6 * failed / COUNT,
                           high=min((1.4 * failed + 3) / COUNT, 1.0)),
        goodput=Bounded(estimate=good, low=max(good - 0.01, 0.0), high=min(good + 0.008, 1.0)),
        requests_per_second=12.4,
        tokens_per_second=791.2,
        longest_gap=None if failed else 0.212,
        tokens_mean=63.8,
    )  # fmt: skip


def load(
    written: str = "poisson:65%",
    *,
    slower: float = 1.03,
    lost: dict[str, int] | None = None,
    slo: float = 0.25,
    drift: float = 0.0,
    **changes: Any,
) -> LoadResult:
    lost = lost or {}
    arms: dict[Arm, Any] = {
        "candidate": times(1, slower, sum(lost.values()) / COUNT),
        "baseline": times(2, 1.0, 0.0),
        "control": times(3, 1.0, 0.0),
    }
    draw = np.random.default_rng(4)
    medians = [
        BlockMedian(
            arm=arm, round=turn, at=turn * 45.0 + place * 15.0,
            ttft=None if lost and arm == "candidate" and turn == 7
            else finite(np.median(arms[arm]) * draw.normal(1 + drift * turn, 0.03)),
        )
        for turn in range(20) for place, arm in enumerate(ARMS)
    ]  # fmt: skip
    return LoadResult.model_validate(
        {
            "load": written,
            "rate": 12.41,
            "rounds": 20,
            "metrics": metrics(arms),
            "arms": tuple(
                figures(arm, arms[arm], slo, lost if arm == "candidate" else {}) for arm in ARMS
            ),
            "medians": tuple(medians),
            "ecdf": {
                arm: tuple(finite(np.quantile(t, s, method="higher")) for s in SHARES)
                for arm, t in arms.items()
            },
            **changes,
        }
    )


def section(*loads: LoadResult, slo: float | None = 0.25, **changes: Any) -> LatencySection:
    return LatencySection(
        measurement="good-against-base-20261120-1a2b3c",
        settings=LatencySettings(
            loads=tuple(one.load for one in loads),
            requests=COUNT,
            slo=Slo(ttft=slo, e2e=4.0) if slo else None,
        ),
        alpha=0.05,
        loads=loads,
        digest=f"sha256:{'9a' * 32}",
        **changes,
    )


def ratio_rule(found: LatencyMetric, outcome: Kind, limit: float, reason: str) -> RuleResult:
    return rule(
        f"latency.{found.metric}", "ratio_at_most", outcome, reason, limit=limit, n=found.n,
        groups=20, candidate=found.candidate.estimate, baseline=found.baseline.estimate,
        estimate=found.ratio.estimate, ci_low=found.ratio.low, ci_high=found.ratio.high,
    )  # fmt: skip


def metric(found: LoadResult, name: str) -> LatencyMetric:
    return next(one for one in found.metrics if one.metric == name)


def measured(kind: Kind) -> tuple[LatencySection, tuple[RuleResult, ...]]:
    """A section with the results of its rules."""
    if kind == "pass":
        one = load()
        p95 = metric(one, "ttft_p95")
        reason = "latency.ttft_p95 is at most 1.1 times the baseline's at every load"
        single = load("single", slower=1.02, rate=None)
        return section(one, single, stopped_early=True), (ratio_rule(p95, "pass", 1.1, reason),)
    if kind == "fail":
        one = load(slower=1.31, lost={"timeout": 31, "http": 9}, notes=(
            "the server lists no cache hits, so the prefix cache could not be compared",
        ))  # fmt: skip
        rules = (
            ratio_rule(metric(one, "ttft_p50"), "fail", 1.1,
                       "latency.ttft_p50 is more than 1.1 times the baseline's at poisson:65%"),
            ratio_rule(metric(one, "ttft_p99"), "fail", 1.25,
                       "latency.ttft_p99 of the candidate is beyond every bound: "
                       "40 of 1,200 requests failed"),
        )  # fmt: skip
        return section(one), rules
    if kind == "inconclusive":
        one = load(slower=1.085)
        rules = (
            ratio_rule(metric(one, "ttft_p95"), "inconclusive", 1.1,
                       "it is unclear whether latency.ttft_p95 is at most 1.1 times"),
            ratio_rule(metric(one, "ttft_p99"), "inconclusive", 1.25,
                       "latency.ttft_p99 needs 5,000 requests an arm, 1,200 were counted"),
        )  # fmt: skip
        return section(one), rules
    one = load("closed:16", drift=0.03, rate=None, problems=(
        "no steady state: block medians of the baseline rise by 57% over the measurement",
        "the client was late: send lag p99 is 14.2 ms, 2 ms are allowed",
    ))  # fmt: skip
    p95 = metric(one, "ttft_p95")
    reason = "latency.ttft_p95 was measured, but the measurement is not valid at closed:16"
    return section(one), (ratio_rule(p95, "invalid", 1.1, reason),)


_DECISIONS: dict[Kind, Decision] = {
    "pass": "PROMOTE", "fail": "BLOCK", "inconclusive": "INCONCLUSIVE", "invalid": "INVALID",
}  # fmt: skip


def measured_pair(kind: Kind) -> tuple[Verdict, ComparisonRecord]:
    """A verdict with the section, and a comparison that fits it."""
    made, compared = pair(_DECISIONS[kind])
    found, rules = measured(kind)
    return with_latency(made, found, rules), compared


def with_latency(made: Verdict, found: LatencySection, rules: Sequence[RuleResult]) -> Verdict:
    others = tuple(r for r in made.rules if not (r.metric or "").startswith("latency."))
    return made.model_copy(update={"latency": found, "rules": (*others, *rules)})


def hostile_section() -> LatencySection:
    """A section whose every text tries to break a page."""
    texts = [text[:400].replace("\ud800", "").replace("\udfff", "") for text in HOSTILE]
    one = load(
        slower=1.2, lost=dict.fromkeys(texts, 1), problems=texts, notes=texts,
        metrics=[
            found.model_copy(update={"metric": text})
            for found, text in zip(load().metrics, texts, strict=False)
        ],
    )  # fmt: skip
    return section(one).model_copy(update={"measurement": texts[0], "digest": texts[1]})
