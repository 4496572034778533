from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import harness.stats
from harness.stats import (
    Interval,
    mean,
    paired_difference,
    paired_difference_of_ratios,
    paired_ratio,
    ratio_of_sums,
)

GROUPS = [0, 1, 2]
ONE = [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: mean([], []), "values is empty: there is no case to say anything about"),
        (lambda: mean([[1.0]], [1]), "values must be one-dimensional, got 2 dimensions"),
        (
            lambda: mean([1, np.nan, 0], GROUPS),
            "values holds NaN or infinity: only scored cases belong here",
        ),
        (lambda: mean([1, 1.2, 0], GROUPS), "values holds 1.2: scores lie between 0 and 1"),
        (
            lambda: paired_difference(ONE, [0, -0.5, 1], GROUPS),
            "baseline holds -0.5: scores lie between 0 and 1",
        ),
        (lambda: ratio_of_sums([0, -1, 0], ONE, GROUPS), "num holds a negative value"),
        (
            lambda: paired_ratio([0.2, 1.5, 0.3], ONE, GROUPS, ceiling=1.0),
            "candidate holds 1.5, above the ceiling 1",
        ),
        (
            lambda: mean([1, np.inf, 0], GROUPS),
            "values holds NaN or infinity: only scored cases belong here",
        ),
        (lambda: mean([1, 0], GROUPS), "arrays differ in length: num 2, den 2, groups 3"),
        (
            lambda: mean([1, 0, 1], [5, 5, 5]),
            "all cases are in one group, so its spread is unknown",
        ),
        (lambda: mean([1, 0, 1], GROUPS, alpha=0), "alpha must lie between 0 and 0.5, got 0"),
        (lambda: mean([1, 0, 1], GROUPS, alpha=0.5), "alpha must lie between 0 and 0.5, got 0.5"),
        (
            lambda: mean([1, 0, 1], GROUPS, alpha=float("nan")),
            "alpha must lie between 0 and 0.5, got nan",
        ),
        (
            lambda: paired_difference([1, 0], ONE, GROUPS),
            "arrays differ in length: candidate 2, baseline 3, groups 3",
        ),
        (lambda: ratio_of_sums(ONE, [1, -1, 1], GROUPS), "den holds a negative value"),
        (
            lambda: ratio_of_sums([0, 0, 0], [0, 0, 0], GROUPS),
            "den sums to 0: no case says anything about this ratio",
        ),
        (
            lambda: ratio_of_sums(ONE, [1, 0, 1], GROUPS),
            "a case has more num than den",
        ),
        (
            lambda: paired_difference_of_ratios(ONE, ONE, [0, 0, 0], [0, 0, 0], GROUPS),
            "b_den sums to 0: no case says anything about this ratio",
        ),
        (
            lambda: paired_ratio([0.0, 0.0, 0.0], ONE, GROUPS),
            "the candidate's mean is 0: the ratio says nothing",
        ),
        (
            lambda: paired_ratio(ONE, [0.0, 0.0, 0.0], GROUPS),
            "the baseline's mean is 0: the ratio says nothing",
        ),
        (
            lambda: paired_ratio([-1.0, 1.0, 3.0], ONE, GROUPS),
            "candidate holds a negative value: a ratio needs values of at least 0",
        ),
    ],
)
def test_bad_input_is_one_clear_sentence(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        call()
    assert str(caught.value) == said


def test_an_interval_is_frozen_and_made_of_plain_numbers() -> None:
    found = paired_difference([1, 0, 1], [0, 0, 1], GROUPS)
    kinds = [type(getattr(found, name)) for name in Interval.__slots__]
    assert kinds == [float, float, float, float, int, int]
    with pytest.raises(AttributeError):
        found.low = 0.0  # type: ignore[misc]


def test_the_public_names() -> None:
    assert harness.stats.__all__ == [
        "Agreement",
        "Interval",
        "Joint",
        "Slice",
        "Spread",
        "adaptive_gap",
        "audited_difference",
        "audited_mean",
        "effective_groups",
        "holm",
        "independent_difference",
        "joint_bounds",
        "krippendorff_alpha",
        "lost_p_values",
        "mean",
        "needed",
        "paired_difference",
        "paired_difference_of_ratios",
        "paired_ratio",
        "percentile",
        "percentile_ratio",
        "pooled_mean",
        "ratio_of_sums",
    ]
