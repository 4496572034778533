"""The suites' metrics of two neighbouring links: no worse than before, within a margin."""

from __future__ import annotations

from collections.abc import Sequence

from harness.chain.hop import MetricResult
from harness.gate.compare import compare
from harness.gate.differences import bounded
from harness.records.comparison import PairedMetric
from harness.records.run import RunRecord
from harness.records.suite import Suite

MARGIN = 0.05  # of a metric's range


def compare_metrics(
    before: RunRecord,
    after: RunRecord,
    suites: Sequence[Suite],
    alpha: float,
    hops: int,
    margin: float = MARGIN,
) -> tuple[MetricResult, ...]:
    """Every metric of the suites, the link after paired with the link before, case by case.

    `same` is non-inferiority at level alpha, for each by itself: a chain is the same only if all
    are. `different` is a loss beyond the margin, at alpha shared by all metrics of all `hops`, so
    that the chance of one false alarm in the whole chain is at most alpha (Bonferroni).
    """
    compared = compare(after, before, suites, askings=True)
    family = max(1, hops * len(compared.metrics))
    return tuple(
        _judge(metric, alpha, alpha / family, margin) for metric in compared.metrics.values()
    )


def _judge(metric: PairedMetric, alpha: float, shared: float, margin: float) -> MetricResult:
    before, after = metric.baseline_value, metric.candidate_value
    try:
        terms = bounded(metric)
        found, strict = terms.difference(alpha), terms.difference(shared)
    except ValueError as error:
        return MetricResult(
            metric.name, "cannot tell", before, after, None, None, None, None, str(error)
        )
    sign = -1.0 if metric.metric.lower_is_better else 1.0
    room = margin * terms.span
    worst = found.low if sign > 0 else -found.high
    best = strict.high if sign > 0 else -strict.low
    return MetricResult(
        metric=metric.name,
        outcome="same" if worst >= -room else "different" if best < -room else "cannot tell",
        before=before,
        after=after,
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        margin=room,
    )
