from __future__ import annotations

import itertools

import numpy as np
import pytest

from benchmarks.latency_intervals import Arm
from harness.stats.rounds import Swaps

ROUNDS = 7


@pytest.mark.parametrize("share", [0.5, 0.95])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_of_all_ways_to_name_the_arms_at_most_alpha_are_found_unlike(
    share: float, alpha: float
) -> None:
    random = np.random.default_rng(6)
    both = [Arm(own=0.3, stalls=0.2, fails=0.03).times(random, np.zeros((ROUNDS, 1)), 100)] * 2
    both[1] = Arm(noise=1.0).times(random, np.zeros((ROUNDS, 1)), 100)
    slower = faster = 0
    for names in itertools.product((0, 1), repeat=ROUNDS):
        candidate = [both[name][k] for k, name in enumerate(names)]
        baseline = [both[1 - name][k] for k, name in enumerate(names)]
        chances = Swaps.read(candidate, baseline, share, 0).chances(1.0)
        slower, faster = slower + (chances[0] < alpha), faster + (chances[1] < alpha)
    assert 0 < slower <= alpha * 2**ROUNDS
    assert 0 < faster <= alpha * 2**ROUNDS


def test_the_bounds_are_where_the_test_stops_excluding() -> None:
    random = np.random.default_rng(7)
    candidate, baseline = (list(Arm().times(random, np.zeros((10, 1)), 40)) for _ in range(2))
    swaps = Swaps.read(candidate, baseline, 0.5, 0)
    low, high = swaps.low(1.0, 0.05), swaps.high(1.0, 0.05)
    assert low < 1.0 < high
    assert swaps.chances(low)[0] < 0.05
    assert swaps.chances(high)[1] < 0.05


def test_a_bound_that_the_test_grants_stays() -> None:
    random = np.random.default_rng(8)
    candidate, baseline = (list(Arm().times(random, np.zeros((10, 1)), 40)) for _ in range(2))
    swaps = Swaps.read(candidate, baseline, 0.5, 0)
    assert (swaps.low(0.25, 0.05), swaps.high(4.0, 0.05)) == (0.25, 4.0)
