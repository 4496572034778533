"""A policy: the rules of the gate, as written in `harness.yaml`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from harness.records.base import Record

LATENCY_PREFIX = "latency."
_LATENCY = re.compile(r"latency\.(ttft|service_ttft|itl|tpot|e2e)_p(50|90|95|99)")


class BetterThanBaseline(Record):
    """Superiority: the paired difference exceeds `by`."""

    require: Literal["better_than_baseline"]
    metric: str
    by: float = Field(default=0.0, ge=0.0, le=1.0)


class NoWorseThanBaseline(Record):
    """Non-inferiority: the paired difference exceeds minus `margin`."""

    require: Literal["no_worse_than_baseline"]
    metric: str
    margin: float = Field(ge=0.0, le=1.0)


class AtLeast(Record):
    """The candidate's own value is at least `value`."""

    require: Literal["at_least"]
    metric: str
    value: float
    evidence: Literal["bound", "point"] = "bound"


class AtMost(Record):
    """The candidate's own value is at most `value`."""

    require: Literal["at_most"]
    metric: str
    value: float
    evidence: Literal["bound", "point"] = "bound"


class RatioAtMost(Record):
    """Candidate over baseline is at most `value`."""

    require: Literal["ratio_at_most"]
    metric: str
    value: float = Field(gt=0.0)


class NoNewCriticalFailures(Record):
    """No critical case that the baseline passes is failed by the candidate."""

    require: Literal["no_new_critical_failures"]


MetricRule = BetterThanBaseline | NoWorseThanBaseline | AtLeast | AtMost | RatioAtMost
Rule = Annotated[MetricRule | NoNewCriticalFailures, Field(discriminator="require")]


class Policy(Record):
    """What a candidate must show before it may replace the baseline."""

    baseline: str
    alpha: float = Field(default=0.05, gt=0.0, lt=0.5)
    min_scored: float = Field(default=0.99, gt=0.0, le=1.0)
    rules: tuple[Rule, ...] = Field(min_length=1)


def is_latency(metric: str | None) -> bool:
    """Whether a rule on this metric is decided by a measurement of latency."""
    return metric is not None and _LATENCY.fullmatch(metric) is not None
