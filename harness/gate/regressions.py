"""Regressions: the metrics in which the candidate is worse, whatever the policy asks."""

from __future__ import annotations

from collections.abc import Iterable

from harness import stats
from harness.gate.difference import difference
from harness.records.comparison import Comparison
from harness.records.verdict import Regression, Verdict


def with_regressions(verdict: Verdict, comparison: Comparison) -> Verdict:
    """The verdict with the metrics that are worse, whatever its rules ask."""
    tested = losses(comparison, verdict.alpha)
    found = regressions(tested, verdict.alpha)
    return verdict.model_copy(update={"regressions": found, "metrics_compared": len(tested)})


def regressions(tested: Iterable[Regression], alpha: float) -> tuple[Regression, ...]:
    """Those of the tested metrics that are worse than the baseline's, the most certain first.

    The chance of naming any of them falsely is at most alpha, however many were tested.
    """
    found = (each for each in tested if each.p_value <= alpha)
    return tuple(sorted(found, key=lambda each: each.p_value))


def losses(comparison: Comparison, alpha: float) -> tuple[Regression, ...]:
    """Every metric that can be computed, with its p-value for being worse than the baseline's.

    The p-values are one-sided and Holm-corrected for all of these metrics; the bounds are at
    `alpha` each and not corrected.
    """
    found = {}
    for name, metric in comparison.metrics.items():
        try:
            found[name] = difference(metric, alpha)
        except ValueError:  # a rule on it says what is wrong; the others can still be told
            continue
    corrected = stats.holm([_worse(interval) for interval in found.values()])
    return tuple(
        Regression(
            metric=name,
            estimate=interval.estimate,
            ci_low=interval.low,
            ci_high=interval.high,
            p_value=float(p_value),
            n=interval.n,
            groups=interval.groups,
        )
        for (name, interval), p_value in zip(found.items(), corrected, strict=True)
    )


def _worse(interval: stats.Interval) -> float:
    """The one-sided p-value for a loss; 1 where the metric did not fall."""
    return interval.p_value / 2.0 if interval.estimate < 0.0 else 1.0
