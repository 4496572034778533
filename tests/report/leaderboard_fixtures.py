"""Leaderboards made by hand: candidates that pass, fail and cannot be trusted."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from harness.gate.judge import Circumstances, gate
from harness.records.comparison import ComparisonRecord
from harness.records.leaderboard import Advantage, Leaderboard, LeaderboardEntry, Recommendation
from harness.records.rule import Policy
from harness.records.verdict import VerdictHashes
from harness.session.stored_results import leaderboard_entry
from tests.report.fixtures import comparison, rows

POLICY = Policy.model_validate(
    {
        "baseline": "base",
        "rules": [
            {"metric": "support.gold.accuracy", "require": "better_than_baseline", "by": 0.1},
            {"metric": "support.scope.f1", "require": "at_least", "value": 0.7},
            {"metric": "support.tone.adherence", "require": "no_worse_than_baseline",
             "margin": 0.2},
            {"require": "no_new_critical_failures"},
        ],
    }
)  # fmt: skip
LATENCY = {"metric": "latency.ttft_p95", "require": "ratio_at_most", "value": 1.1}
HASHES = VerdictHashes(suites="s", config="c", candidate="a", baseline="b")
NOW = Circumstances("base", HASHES, "0.1.0", "2026-11-20T14:05:00Z")


@cache
def compared(name: str, kind: str, seed: int) -> ComparisonRecord:
    theirs = [row[4] for row in rows(240)]
    drawn = rows(240, seed=seed, kind=kind)
    found = [(*row[:4], base) for row, base in zip(drawn, theirs, strict=True)]
    if kind == "good":
        found = [(s, i, c, a or (c and b), b) for s, i, c, a, b in found]
    return comparison(found, candidate=name)


@cache
def entry(
    name: str, kind: str = "good", seed: int = 1, policy: Policy | None = POLICY
) -> LeaderboardEntry:
    made = compared(name, kind, seed)
    return leaderboard_entry(made, (), gate(made, policy, NOW) if policy else None, 0.05, {})


@cache
def doubtful(name: str, policy: Policy | None = POLICY) -> LeaderboardEntry:
    doubts = ("candidate and baseline gave the same text in all 240 cases", "another doubt")
    made = replace(compared(name, "good", 4), problems=doubts)
    return leaderboard_entry(made, doubts, gate(made, policy, NOW) if policy else None, 0.05, {})


ADVANTAGE = Advantage(
    metric="support.scope.f1", better="good", worse="older", estimate=0.12, ci_low=0.04,
    ci_high=0.2, p_value=0.011,
)  # fmt: skip


def leaderboard(*, policy: bool = True) -> Leaderboard:
    """Four candidates, the first recommended where there is a policy."""
    rules = POLICY if policy else None
    found = Recommendation(
        choice="one",
        candidates=("good",),
        reason="`good` passes every rule; `older` passes too and is worse than `good` in "
        "support.scope.f1",
        tried=4,
        tested=3,
        advantages=(ADVANTAGE,),
        notes=("4 candidates were tried, each judged at alpha 0.05 by itself",),
    )
    return Leaderboard(
        baseline="base",
        alpha=0.05,
        entries=(
            entry("good", policy=rules),
            entry("older", seed=9, policy=rules),
            entry("overeager", "bad", policy=rules),
            doubtful("same", policy=rules),
        ),
        recommendation=found if policy else None,
    )
