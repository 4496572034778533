"""Differences of simulated metrics, of which many are the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.gate.differences import difference
from harness.records.comparison import PairedMetric
from harness.stats import Interval


def remembered() -> Callable[[PairedMetric, float, float | None], Interval]:
    """`difference` for metrics of one case a group, which computes none of them twice.

    Metrics are the same if as many cases were won and as many lost.
    """
    known: dict[tuple[float, bytes], Interval] = {}

    def find(metric: PairedMetric, alpha: float, cap: float | None) -> Interval:
        assert cap is None
        changes = np.sort(metric.candidate_num - metric.baseline_num)
        key = alpha, changes.tobytes()
        if key not in known:
            known[key] = difference(metric, alpha)
        return known[key]

    return find
