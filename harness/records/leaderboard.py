"""A leaderboard: several candidates, each compared with one baseline, and what is recommended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from harness.records.base import Record
from harness.records.comparison import ComparisonRecord
from harness.records.metric import Metric, OfMetric
from harness.records.preferences import Preferences
from harness.records.verdict import Verdict

Choice = Literal["none", "one", "cheapest", "equal", "trade_off", "not_compared"]


class Advantage(OfMetric):
    """A ruled metric on which one promotable candidate is significantly better than another.

    `estimate` is `better` minus `worse`, with bounds at alpha each.
    `p_value` is two-sided and Holm-corrected for every pair and metric that was tested.
    """

    metric: str
    better: str
    worse: str
    estimate: float
    ci_low: float
    ci_high: float
    p_value: float


class Recommendation(Record):
    """What follows from the policy for several candidates.

    `choice` is `one`; `cheapest` where several pass, cannot be told apart, and it is not worse than
    any other of them; `equal` where that is not known of the cheapest; `trade_off` where some
    are better in one thing and worse in another; `not_compared` where some could not be compared;
    `none` where none passes. `candidates` are those recommended, equally. `tested` counts the tests
    between candidates that pass. `unjudged` are the candidates whose verdict is INVALID.
    """

    choice: Choice
    candidates: tuple[str, ...]
    reason: str
    tried: int = Field(ge=1)
    tested: int = Field(default=0, ge=0)
    advantages: tuple[Advantage, ...] = ()
    notes: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = Field(default=(), exclude_if=lambda names: not names)


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """A metric of a candidate beside the baseline's, with the interval of their difference.

    Where no interval could be computed, `reason` says why and its numbers are None. `p_of_loss` is
    one-sided, for being worse than the baseline, and Holm-corrected for the candidate's metrics.
    `cap` is the value at which those of a metric without bounds were cut, `cut` how many were.
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
    cap: float | None = None
    cut: int = 0

    @property
    def is_gain(self) -> bool:
        """Whether the bound on the side of a loss is for the better too."""
        lower = self.metric.lower_is_better
        bound = self.high if lower else self.low
        return bound is not None and (bound < 0.0 if lower else bound > 0.0)


@dataclass(frozen=True, slots=True)
class LeaderboardEntry:
    """One candidate; where there are `doubts`, nothing is to be read from its comparison.

    `verdict` is what the policy makes of the stored answers, None where there is no policy.
    `differences` go by the metrics' full names; with doubts there are none, and no new failures.
    """

    name: str
    comparison: ComparisonRecord
    doubts: tuple[str, ...]
    verdict: Verdict | None
    differences: dict[str, PairedDifference]
    new_critical_failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TargetFigures:
    """What the answers of a target took, and how they rest on the passages it was given.

    Times until the first word are in seconds, recorded while its run was asked, None where all of
    it was taken over from other runs. Tokens are an answer's on average, `per_thousand` is what
    1,000 answers cost. `grounded` is the share of `judged` answers that rest on their passages, and
    `recall` the share of named sources among the passages, of `sourced` cases that name some; both
    are None without passages.
    """

    target: str
    ttft_p50: float | None
    ttft_p95: float | None
    tokens_in: float | None
    tokens_out: float | None
    per_thousand: float | None
    grounded: float | None = None
    judged: int = 0
    recall: float | None = None
    sourced: int = 0


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """The candidates in the order asked for; `recommendation` is None without a policy.

    `preferences` are those of people among all targets, None where there are none. `figures` are
    those of all targets, the baseline's first.
    """

    baseline: str
    alpha: float
    entries: tuple[LeaderboardEntry, ...]
    recommendation: Recommendation | None
    preferences: Preferences | None = None
    figures: tuple[TargetFigures, ...] = ()
