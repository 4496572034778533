"""Cases gathered into groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.stats import (
    mean,
)
from tests.stats.test_input import GROUPS


@pytest.mark.parametrize("labels", [["a", "b", "c"], [3, 1, 2], [True, False, True], [0.5, 1, 2]])
def test_labels_may_be_of_any_kind(labels: list[Any]) -> None:
    assert mean([1, 0, 1], labels).groups == len(set(labels))


def test_integers_and_booleans_are_values() -> None:
    assert mean([1, 0, 1], GROUPS) == mean(np.array([True, False, True]), GROUPS)


def test_rounding_beyond_the_range_is_no_mistake() -> None:
    assert mean([1 + 1e-12, 0, -1e-12], GROUPS).estimate == pytest.approx(1 / 3)
