"""A line-up as JSON, with every number as it is."""

from __future__ import annotations

import json
from typing import Any

from harness.gate.differences import difference, losses
from harness.gate.rules.no_new_critical_failures import new_critical_failures
from harness.records.comparison import PairedMetric
from harness.records.lineup import Contender, Lineup
from harness.report.lineup.view import changes


def render_lineup_json(lineup: Lineup) -> str:
    """The candidates with their metrics, rules and changes, and the recommendation."""
    found = lineup.recommendation
    data = {
        "schema_version": 1,
        "baseline": lineup.baseline,
        "alpha": lineup.alpha,
        "recommendation": None if found is None else found.model_dump(mode="json"),
        "candidates": {one.name: _contender(one, lineup.alpha) for one in lineup.contenders},
    }
    return json.dumps(data, indent=2, allow_nan=False) + "\n"


def _contender(one: Contender, alpha: float) -> dict[str, Any]:
    verdict = one.verdict
    told: dict[str, Any] = {
        "verdict": None if verdict is None else verdict.verdict,
        "reason": None if verdict is None else verdict.reason,
        "problems": one.doubts,
        "rules": []
        if verdict is None
        else [rule.model_dump(mode="json") for rule in verdict.rules],
    }
    if one.doubts:  # what cannot be trusted gives no number
        return told
    metrics = {name: _metric(each, alpha) for name, each in one.comparison.metrics.items()}
    for tested in losses(one.comparison, alpha):
        metrics[tested.metric]["p_of_loss"] = tested.p_value
    return {
        **told,
        "new_critical_failures": new_critical_failures(one.comparison),
        "metrics": metrics,
        "changes": changes(one.comparison),
    }


def _metric(metric: PairedMetric, alpha: float) -> dict[str, Any]:
    values = {"candidate": metric.candidate_value, "baseline": metric.baseline_value}
    try:
        interval = difference(metric, alpha)
    except ValueError as error:
        return {**values, "reason": str(error)}
    return {
        **values,
        "estimate": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "n": interval.n,
        "groups": interval.groups,
    }
