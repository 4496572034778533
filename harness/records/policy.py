"""A policy: the rules of the gate, as written in `harness.yaml`."""

from __future__ import annotations

from pydantic import Field

from harness.records.base import Record
from harness.records.rule import AnyRule


class Policy(Record):
    """What a candidate must show before it may replace the baseline."""

    baseline: str
    alpha: float = Field(default=0.05, gt=0.0, lt=0.5)
    min_scored: float = Field(default=0.99, gt=0.0, le=1.0)
    rules: tuple[AnyRule, ...] = Field(min_length=1)
