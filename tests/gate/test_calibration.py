from __future__ import annotations

import numpy as np
import pytest

from harness.gate.audit import AuditedMetric, Floats, Side
from harness.gate.calibration import calibrate

GROUPS = 200


def people(candidate: tuple[Floats, Floats], baseline: tuple[Floats, Floats]) -> AuditedMetric:
    """Scores and labels of both sides, one answer a group, all of them labelled."""
    every = np.ones(GROUPS, dtype=bool)
    return AuditedMetric(
        Side(*candidate, known=every, scored=every),
        Side(*baseline, known=every, scored=every),
        np.arange(GROUPS).astype(np.str_),
        every,
        ~every,
        np.ones(GROUPS),
        missing=0,
        given=2 * GROUPS,
        raters=frozenset({"anna"}),
        low=0.0,
        span=1.0,
    )  # fmt: skip


def test_a_scorer_that_favours_a_side_is_named() -> None:
    truth = (np.arange(GROUPS) % 4 > 0).astype(float)
    flattered = np.ones(GROUPS)
    found = calibrate(
        "m", people((flattered, truth), (truth, truth)), ("new", "old"), "correct", 0.05
    )
    ours, theirs = found.sides
    assert ours.confusion == (150, 0, 50, 0)
    assert theirs.confusion == (150, 0, 0, 50)
    assert ours.sensitivity is not None
    assert ours.specificity is not None
    assert (ours.sensitivity.estimate, ours.specificity.estimate) == (1.0, 0.0)
    assert ours.sensitivity.low > 0.97
    assert found.differential is not None
    assert found.differential.estimate == pytest.approx(0.25)
    assert found.differential.low > 0.0
    assert found.favours == "new"


def test_errors_that_are_equal_on_both_sides_favour_nobody() -> None:
    truth = (np.arange(GROUPS) % 4 > 0).astype(float)
    wrong = np.where(np.arange(GROUPS) % 10 == 0, 1.0 - truth, truth)
    found = calibrate("m", people((wrong, truth), (wrong, truth)), ("new", "old"), "correct", 0.05)
    assert found.sides[0].agreement is not None
    assert found.sides[0].agreement.estimate == pytest.approx(0.9)
    assert found.differential is not None
    assert found.differential.estimate == 0.0
    assert found.differential.low < 0.0 < found.differential.high
    assert found.favours == ""


def test_nothing_is_said_of_what_no_two_groups_show() -> None:
    right = np.ones(GROUPS)
    found = calibrate("m", people((right, right), (right, right)), ("new", "old"), "correct", 0.05)
    assert found.sides[0].specificity is None
    assert found.sides[0].sensitivity is not None
