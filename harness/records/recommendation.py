"""A recommendation: which of several candidates the policy speaks for, and what it rests on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.records.base import Record
from harness.records.metric import OfMetric

Choice = Literal["none", "one", "equal", "trade_off", "not_compared"]


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

    `choice` is `one`; `equal` where several pass and cannot be told apart; `trade_off` where some
    are better in one thing and worse in another; `not_compared` where some could not be compared;
    `none` where none passes. `candidates` are those recommended, equally. `tested` counts the tests
    between candidates that pass.
    """

    choice: Choice
    candidates: tuple[str, ...]
    reason: str
    tried: int = Field(ge=1)
    tested: int = Field(default=0, ge=0)
    advantages: tuple[Advantage, ...] = ()
    notes: tuple[str, ...] = ()
