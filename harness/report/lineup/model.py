"""What is shown of several candidates side by side, as display-ready strings."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records.recommendation import Choice
from harness.records.verdict import Outcome


@dataclass(frozen=True, slots=True)
class ContenderView:
    """One candidate; `verdict` is empty where there is no policy."""

    name: str
    verdict: str
    outcome: Outcome | None
    symbol: str
    reason: str
    doubts: tuple[str, ...]
    new_critical: tuple[str, ...]
    changes: tuple[tuple[str, str], ...]
    recommended: bool


@dataclass(frozen=True, slots=True)
class RuleCell:
    """A rule's outcome for one candidate; `told` is `not measured` or what its numbers are."""

    outcome: Outcome
    symbol: str
    told: str


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule for all candidates, in their order; None where a candidate has no such result."""

    name: str
    requirement: str
    cells: tuple[RuleCell | None, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A paired difference in percentage points, for the drawing."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MetricCell:
    """A metric of one candidate; `direction` is `better` or `worse` where that is significant."""

    value: str
    difference: str
    interval: str
    p_of_loss: str
    direction: str
    gap: Gap | None


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric for all candidates, in their order."""

    name: str
    baseline: str
    cells: tuple[MetricCell, ...]


@dataclass(frozen=True, slots=True)
class AdvantageRow:
    """A significant difference between two candidates that pass."""

    metric: str
    better: str
    worse: str
    difference: str
    interval: str
    p_value: str


@dataclass(frozen=True, slots=True)
class RecommendationView:
    """What follows from the policy, in words."""

    choice: Choice
    title: str
    reason: str
    told: str
    advantages: tuple[AdvantageRow, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineupView:
    """The whole of it; `recommendation` is None without a policy."""

    baseline: str
    alpha: str
    confidence: str
    contenders: tuple[ContenderView, ...]
    recommendation: RecommendationView | None
    rules: tuple[RuleRow, ...]
    metrics: tuple[MetricRow, ...]
    notes: tuple[str, ...]
