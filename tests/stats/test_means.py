"""One arm: what must not matter to a share, and what must."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from harness.stats import (
    mean,
)
from tests.stats.builders import quick


@quick
@given(hits=st.integers(0, 40), alpha=st.sampled_from([0.01, 0.05, 0.2]))
def test_a_share_of_independent_cases_has_the_exact_binomial_bounds(
    hits: int, alpha: float
) -> None:
    values, labels = (np.arange(40) < hits).astype(float), np.arange(40)
    exact = binomtest(hits, 40).proportion_ci(1 - 2 * alpha, method="exact")
    found = mean(values, labels, alpha=alpha)
    assert found.low == pytest.approx(exact.low, abs=1e-9)
    assert found.high == pytest.approx(exact.high, abs=1e-9)


def test_correlated_groups_widen() -> None:
    values = np.tile([1.0, 0.0], 30)
    apart = mean(values, np.arange(60))
    together = mean(np.sort(values), np.arange(60) // 5)
    assert together.high - together.low > 1.5 * (apart.high - apart.low)
