"""The saddlepoint formula, and the bounds that it gives."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats.bootstrap import chance_at_most_zero


@pytest.mark.parametrize("n", [5, 20, 100])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_saddlepoint_is_close_to_drawing_the_weights(n: int, seed: int) -> None:
    random = np.random.default_rng([n, seed])
    values = random.choice([-1.0, 0.0, 0.3, 1.0], n, p=[0.2, 0.5, 0.1, 0.2])
    weights = random.exponential(size=(200_000, n))
    means = weights @ values / weights.sum(axis=1)
    for share in (0.02, 0.05, 0.3, 0.7):
        value = float(np.quantile(means, share))
        found = float(chance_at_most_zero(values - value))
        assert found == pytest.approx(share, abs=0.003 + 0.03 * share)
