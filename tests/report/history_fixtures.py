"""Histories made by hand: so many gates of a suite, with every verdict among them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.clock import iso
from harness.records.history import HeldGate, History, PastGate, Promotion, Values
from harness.records.summary import Accounting
from harness.records.verdict import RuleResult, Verdict, VerdictHashes, decide

FIRST = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
GOLD, SCOPE, TONE = "support.gold.accuracy", "support.scope.f1", "support.tone.adherence"


def result(
    metric: str, require: str, limit: float, values: tuple[float, float], **more: Any
) -> RuleResult:
    """A rule's result as the gate would give it, with an interval of four points to each side."""
    candidate, baseline = values
    estimate = {
        "at_least": candidate,
        "at_most": candidate,
        "ratio_at_most": candidate / baseline,
    }.get(require, candidate - baseline)
    low, high = estimate - 0.04, estimate + 0.04
    above = require not in ("at_most", "ratio_at_most")
    passes, fails = (low >= limit, high < limit) if above else (high <= limit, low > limit)
    outcome = "pass" if passes else "fail" if fails else "inconclusive"
    return RuleResult.model_validate(
        {
            "metric": metric, "require": require, "outcome": outcome, "candidate": candidate,
            "baseline": baseline, "estimate": estimate, "ci_low": low, "ci_high": high,
            "limit": limit, "n": 120, "groups": 40, "reason": f"{metric} {require}: {outcome}",
            **more,
        }
    )  # fmt: skip


def verdict(
    at: datetime = FIRST,
    rules: tuple[RuleResult, ...] = (),
    *,
    candidate: str = "good",
    problems: tuple[str, ...] = (),
    suites: str = "sha256:all",
    **more: Any,
) -> Verdict:
    done = Accounting(planned=120, scored=120, unscored=0, failed=0)
    given = rules or (result(GOLD, "at_least", 0.8, (0.9, 0.5)),)
    return Verdict(
        verdict=decide(problems, (rule.outcome for rule in given)),
        candidate=candidate, baseline=more.pop("baseline", "base"), alpha=0.05, rules=given,
        problems=problems, accounting=done, baseline_accounting=done,
        hashes=VerdictHashes(suites=suites, config="c", candidate=f"h-{candidate}", baseline="b"),
        candidate_run="r", baseline_run="b", harness_version="0.1.0", created=iso(at), **more,
    )  # fmt: skip


def kept(given: Verdict, version: str = "sha256:one", **metrics: Values) -> PastGate:
    told = {rule.metric: Values(candidate=rule.candidate, baseline=rule.baseline)
            for rule in given.rules if rule.metric and rule.candidate is not None}  # fmt: skip
    return PastGate(suites={"support": version}, metrics={**told, **metrics}, verdict=given)


def held(place: int, draw: random.Random, at: datetime, version: str) -> HeldGate:
    """A gate of a project that gets better with time, now and then with a candidate that is bad."""
    level = 0.55 + 0.35 * min(1.0, place / 24)
    gold = min(0.99, level + draw.gauss(0.06, 0.05))
    scope = min(0.99, 0.88 + 0.004 * place + draw.gauss(0, 0.04))
    tone = min(0.99, 0.83 + draw.gauss(0, 0.03))
    rules = (
        result(GOLD, "better_than_baseline", 0.0, (gold, level - 0.04)),
        result(SCOPE, "at_least", 0.85, (scope, 0.8)),
        result(TONE, "no_worse_than_baseline", -0.05, (tone, 0.79)),
        result("latency.ttft_p95", "ratio_at_most", 1.1, (0.0412 + draw.gauss(0, 0.002), 0.0402)),
    )
    broken = place % 11 == 7
    if broken:
        rules = tuple(
            RuleResult(
                metric=rule.metric, require=rule.require, outcome="invalid", reason="unjudged"
            )
            for rule in rules
        )
    own = {rule.metric: Values(candidate=rule.candidate, baseline=rule.baseline)
           for rule in rules if rule.metric and rule.candidate is not None}  # fmt: skip
    general = Values(candidate=0.7 + draw.gauss(0, 0.03), baseline=0.72)
    said = decide((), (rule.outcome for rule in rules))
    return HeldGate(
        created=iso(at), candidate=f"run-{place:02d}",
        baseline="sealed:v1" if place > 9 else "base",
        verdict=said, reason=f"the reason why it is {said}", alpha=0.05, suite_version=version,
        rules=rules, harness_version="0.1.0",
        metrics=own if broken else {**own, "support.general.accuracy": general},
    )  # fmt: skip


def made(count: int, seed: int = 3) -> History:
    """A history of so many gates over half a year; the suite changes after two thirds of many."""
    draw = random.Random(seed)
    gates, at = [], FIRST
    for place in range(count):
        version = "sha256:one" if place < 2 * count / 3 or count < 5 else "sha256:two"
        gate = held(place, draw, at, version)
        if gate.verdict == "PROMOTE" and draw.random() < 0.6:
            sealed = Promotion(name=f"v{place}", sealed=iso(at + timedelta(hours=2)))
            gate = gate.model_copy(update={"promotions": (sealed,)})
        gates.append(gate)
        at += timedelta(hours=draw.choice((3, 20, 48, 240)))
    return History(suite="support", gates=tuple(gates))
