from __future__ import annotations

import pytest

from harness.stats import Interval

FOUND = Interval(estimate=0.1, low=-0.05, high=0.25, p_value=0.2, n=40, groups=20)


@pytest.mark.parametrize(
    ("limit", "at_least", "at_most"),
    [
        (-0.06, "pass", "fail"),
        (-0.05, "pass", "inconclusive"),  # the limit itself is good enough
        (-0.04, "inconclusive", "inconclusive"),
        (0.24, "inconclusive", "inconclusive"),
        (0.25, "inconclusive", "pass"),
        (0.26, "fail", "pass"),
    ],
)
def test_a_limit_is_passed_failed_or_open(limit: float, at_least: str, at_most: str) -> None:
    assert FOUND.at_least(limit) == at_least
    assert FOUND.at_most(limit) == at_most
