from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.records.metric import Metric
from tests.gate.rules.making import LEVEL, NAME, NATS, SHARE, around, compared, rule

VALUES = around(3.0, 0.5, 3)


@pytest.mark.parametrize(
    ("require", "value", "outcome"),
    [
        ("at_least", 2.5, "pass"), ("at_least", 3.5, "fail"), ("at_least", 3.0, "inconclusive"),
        ("at_most", 3.5, "pass"), ("at_most", 2.5, "fail"), ("at_most", 3.0, "inconclusive"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("metric", "keys"), [(LEVEL, {}), (NATS, {"cap": 5.0})])
def test_the_limit_is_in_the_metrics_unit(
    require: str, value: float, outcome: str, metric: Metric, keys: dict[str, Any]
) -> None:
    found = rule(require, value=value, **keys).judge(compared(VALUES, VALUES, metric), 0.05)
    assert found.outcome == outcome, found.reason
    assert found.estimate == pytest.approx(VALUES.mean())
    assert found.ci_low < found.estimate < found.ci_high  # type: ignore[operator]


@pytest.mark.parametrize(
    ("value", "metric", "keys", "hint"),
    [
        (6.0, LEVEL, {}, "write a value (level) between 1 and 5"),
        (60.0, SHARE, {}, "write a share between 0 and 1"),
        (6.0, NATS, {"cap": 5.0}, "write a value (nats/token) between 0 and 5"),
    ],
)
def test_a_value_that_the_metric_cannot_have_is_refused(
    value: float, metric: Metric, keys: dict[str, Any], hint: str
) -> None:
    wrong = rule("at_least", value=value, **keys).misfit({NAME: metric})
    assert wrong is not None
    assert (wrong.key, wrong.hint) == ("value", hint)


def test_a_limit_at_the_end_of_the_range_is_out_of_reach() -> None:
    found = rule("at_least", value=4.999).power(compared(VALUES, VALUES, LEVEL), 0.05)
    assert not found.possible
    found = rule("at_most", value=1.001).power(compared(VALUES, VALUES, LEVEL), 0.05)
    assert not found.possible


def test_power_counts_only_the_groups_that_the_metric_is_made_of() -> None:
    """A case with a denominator of 0, such as a true negative of an F1, adds nothing."""
    found = compared(VALUES / 5.0, VALUES / 5.0, SHARE)
    counts = np.arange(VALUES.size) % 2
    both = found.metrics[NAME]
    found.metrics[NAME] = replace(
        both, candidate_num=both.candidate_num * counts, candidate_den=both.candidate_den * counts
    )
    power = rule("at_least", value=0.5).power(found, 0.05)
    assert (power.cases, power.groups) == (VALUES.size // 2, VALUES.size // 2)
