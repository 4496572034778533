"""A line-up: several candidates, each compared with one baseline."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records.comparison import Comparison
from harness.records.recommendation import Recommendation
from harness.records.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Contender:
    """One candidate; where there are `doubts`, nothing is to be read from its comparison.

    `verdict` is what the policy makes of the stored answers, None where there is no policy.
    """

    name: str
    comparison: Comparison
    doubts: tuple[str, ...]
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Lineup:
    """The candidates in the order asked for; `recommendation` is None without a policy."""

    baseline: str
    alpha: float
    contenders: tuple[Contender, ...]
    recommendation: Recommendation | None
