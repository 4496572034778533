"""Comparisons of one metric, made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from harness.records.comparison import ComparisonRecord, PairedMetric
from harness.records.metric import Metric
from harness.records.rule import Policy, Rule

NAME = "s.x.m"
SHARE = Metric(name="m")
NATS = Metric(name="m", unit="nats/token", direction="lower", high=None)
MILES = Metric(name="m", unit="miles", low=None, high=None)
LEVEL = Metric(name="m", unit="level", low=1.0, high=5.0)
CASES = 200


def rule(require: str, **keys: Any) -> Rule:
    given = {"metric": NAME, "require": require, **keys}
    return Policy.model_validate({"baseline": "b", "rules": [given]}).rules[0]


def paired(
    candidate: npt.ArrayLike, baseline: npt.ArrayLike, metric: Metric = SHARE
) -> PairedMetric:
    ours, theirs = np.asarray(candidate, dtype=float), np.asarray(baseline, dtype=float)
    one = np.ones(ours.size)
    groups = np.arange(ours.size).astype(np.str_)
    return PairedMetric(NAME, ours, one, theirs, one, groups, metric=metric)


def compared(
    candidate: npt.ArrayLike, baseline: npt.ArrayLike, metric: Metric = SHARE
) -> ComparisonRecord:
    by_name = {NAME: paired(candidate, baseline, metric)}
    return ComparisonRecord(None, None, by_name, (), ())  # type: ignore[arg-type]


def around(value: float, spread: float, seed: int) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(value - spread, value + spread, CASES)
