"""A leaderboard: several candidates, each compared with one baseline."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records.comparison import Comparison
from harness.records.metric import Metric
from harness.records.recommendation import Recommendation
from harness.records.verdict import Verdict


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """A metric of a candidate beside the baseline's, with the interval of their difference.

    Where no interval could be computed, `reason` says why and its numbers are None. `p_of_loss` is
    one-sided, for being worse than the baseline, and Holm-corrected for the candidate's metrics.
    """

    metric: Metric
    candidate: float | None
    baseline: float | None
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    groups: int | None = None
    reason: str = ""
    p_of_loss: float | None = None


@dataclass(frozen=True, slots=True)
class LeaderboardEntry:
    """One candidate; where there are `doubts`, nothing is to be read from its comparison.

    `verdict` is what the policy makes of the stored answers, None where there is no policy.
    `differences` go by the metrics' full names; with doubts there are none, and no new failures.
    """

    name: str
    comparison: Comparison
    doubts: tuple[str, ...]
    verdict: Verdict | None
    differences: dict[str, PairedDifference]
    new_critical_failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """The candidates in the order asked for; `recommendation` is None without a policy."""

    baseline: str
    alpha: float
    entries: tuple[LeaderboardEntry, ...]
    recommendation: Recommendation | None
