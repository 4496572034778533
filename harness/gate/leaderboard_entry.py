"""One candidate of a leaderboard: every metric's difference to the baseline."""

from __future__ import annotations

from harness.gate.differences import difference, losses
from harness.gate.rules.no_new_critical_failures import new_critical_failures
from harness.records.comparison import Comparison, PairedMetric
from harness.records.leaderboard import LeaderboardEntry, PairedDifference
from harness.records.verdict import Verdict


def leaderboard_entry(
    comparison: Comparison, doubts: tuple[str, ...], verdict: Verdict | None, alpha: float
) -> LeaderboardEntry:
    """The candidate of the comparison; what cannot be trusted gives no number."""
    name = comparison.candidate.header.target
    if doubts:
        return LeaderboardEntry(name, comparison, doubts, verdict, {}, ())
    p_values = {tested.metric: tested.p_value for tested in losses(comparison, alpha)}
    return LeaderboardEntry(
        name,
        comparison,
        doubts,
        verdict,
        differences={
            full: _difference(metric, alpha, p_values.get(full))
            for full, metric in comparison.metrics.items()
        },
        new_critical_failures=tuple(new_critical_failures(comparison)),
    )


def _difference(metric: PairedMetric, alpha: float, p_of_loss: float | None) -> PairedDifference:
    candidate, baseline = metric.candidate_value, metric.baseline_value
    try:
        found = difference(metric, alpha)
    except ValueError as error:
        return PairedDifference(metric.metric, candidate, baseline, reason=str(error))
    return PairedDifference(
        metric.metric,
        candidate,
        baseline,
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        n=found.n,
        groups=found.groups,
        p_of_loss=p_of_loss,
    )
