"""Difference: how far the candidate is from the baseline in one metric."""

from __future__ import annotations

from harness import stats
from harness.records.comparison import PairedMetric


def difference(metric: PairedMetric, alpha: float) -> stats.Interval:
    """Candidate minus baseline with its bounds, at level alpha each.

    Raises:
        ValueError: the metric cannot be computed.
    """
    return stats.paired_difference_of_ratios(
        metric.candidate_num,
        metric.candidate_den,
        metric.baseline_num,
        metric.baseline_den,
        metric.groups,
        alpha=alpha,
        missing=metric.missing,
    )
