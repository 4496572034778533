"""The JSON files of reports: records as they are, with every number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from math import inf
from typing import Any

from harness.chain.hop import Hop
from harness.records.leaderboard import (
    Leaderboard,
    LeaderboardEntry,
    PairedDifference,
    TargetFigures,
)
from harness.records.verdict import Verdict
from harness.report.leaderboard_content import changes

# The order people read the verdict in; what is not named here follows.
_ORDER = (
    "schema_version", "verdict", "candidate", "baseline", "alpha", "rules",
    "new_critical_failures", "accounting", "hashes", "harness_version", "created",
)  # fmt: skip


def render_json(verdict: Verdict) -> str:
    """The verdict as indented JSON in ASCII, which holds even a lone surrogate."""
    data: dict[str, Any] = verdict.model_dump(mode="python")
    for rule in data["rules"]:
        rule["limit"] = rule.pop("limit")
    ordered = {name: data.pop(name) for name in _ORDER}
    return json.dumps({**ordered, **data}, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def render_chain_json(hops: Sequence[Hop]) -> str:
    """The hops of a chain, as data."""
    data = {"schema_version": 1, "hops": [hop.as_json() for hop in hops]}
    return json.dumps(data, indent=2, allow_nan=False) + "\n"


def render_leaderboard_json(leaderboard: Leaderboard) -> str:
    """The candidates with their metrics, rules and changes, and the recommendation."""
    found, people = leaderboard.recommendation, leaderboard.preferences
    figures = [_finite(one) for one in leaderboard.figures]
    data = {
        "schema_version": 1,
        "baseline": leaderboard.baseline,
        "alpha": leaderboard.alpha,
        "recommendation": None if found is None else found.model_dump(mode="json"),
        **({} if people is None else {"preferences": asdict(people)}),
        **({"figures": figures} if figures else {}),
        "candidates": {entry.name: _entry(entry) for entry in leaderboard.entries},
    }
    return json.dumps(data, indent=2, allow_nan=False) + "\n"


def _finite(figures: TargetFigures) -> dict[str, Any]:
    """The figures; a time is None where so many requests failed that it is without bounds."""
    return {name: None if value == inf else value for name, value in asdict(figures).items()}


def _entry(entry: LeaderboardEntry) -> dict[str, Any]:
    verdict = entry.verdict
    rules = () if verdict is None else verdict.rules
    judged: dict[str, Any] = {
        "verdict": None if verdict is None else verdict.verdict,
        "reason": None if verdict is None else verdict.reason,
        "problems": entry.doubts,
        "rules": [rule.model_dump(mode="json") for rule in rules],
    }
    if entry.doubts:  # what cannot be trusted gives no number
        return judged
    return {
        **judged,
        "new_critical_failures": entry.new_critical_failures,
        "metrics": {name: _difference(found) for name, found in entry.differences.items()},
        "changes": changes(entry.comparison),
    }


def _difference(found: PairedDifference) -> dict[str, Any]:
    values = {"candidate": found.candidate, "baseline": found.baseline}
    if found.estimate is None:
        return {**values, "reason": found.reason}
    interval = {"estimate": found.estimate, "low": found.low, "high": found.high}
    tested = {} if found.p_of_loss is None else {"p_of_loss": found.p_of_loss}
    cut = {} if found.cap is None else {"cap": found.cap, "cut": found.cut}
    return {**values, **interval, "n": found.n, "groups": found.groups, **tested, **cut}
