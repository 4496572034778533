"""How far a mix has moved, by simulation against the truth."""

from __future__ import annotations

from collections import Counter

import numpy as np

from harness.data.collect.drift import drift_from_before, drift_from_suite
from harness.data.collect.groups import Collected, LogGroup

GROUPS = [f"g{number}" for number in range(8)]
EVEN = np.full(8, 0.125)


def drawn(rng: np.random.Generator, now: np.ndarray, then: np.ndarray, size: int) -> Collected:
    def mix(shares: np.ndarray) -> list[str]:
        return [GROUPS[one] for one in rng.choice(8, size, p=shares)]

    groups = [LogGroup(name, cases=["case"]) for name in GROUPS]
    of_users = [f"user {number}" for number in range(size)]
    return Collected(groups, size, size, size, 0, Counter(dict.fromkeys(GROUPS, 5)),
                     mix(now), of_users, mix(then), of_users)  # fmt: skip


def test_where_nothing_has_moved_the_bound_is_above_zero_in_one_of_twenty() -> None:
    rng = np.random.default_rng(1)
    trials = 300
    of_before = of_suite = 0
    for _ in range(trials):
        found = drawn(rng, EVEN, EVEN, 200)
        before, suite = drift_from_before(found), drift_from_suite(found)
        assert before is not None
        assert suite is not None
        of_before += before.least.low > 0
        of_suite += suite.least.low > 0
    most = 0.05 + 4 * (0.05 * 0.95 / trials) ** 0.5
    assert of_before / trials <= most
    assert of_suite / trials <= most


def test_the_bound_is_below_the_true_distance_and_finds_most_of_it() -> None:
    rng = np.random.default_rng(2)
    moved = np.array([0.325, 0.225, 0.125, 0.125, 0.075, 0.075, 0.025, 0.025])
    truth = float(np.abs(moved - EVEN).sum() / 2)
    lows, estimates = [], []
    for _ in range(100):
        drift = drift_from_before(drawn(rng, moved, EVEN, 600))
        assert drift is not None
        lows.append(drift.least.low)
        estimates.append(drift.least.estimate)
    assert sum(low > truth for low in lows) <= 0.05 * 100 + 4 * (0.05 * 0.95 * 100) ** 0.5
    assert np.mean(estimates) > 0.8 * truth
    assert np.mean(np.array(lows) > 0) > 0.9


def test_the_groups_that_moved_most_are_named_with_both_shares() -> None:
    found = drawn(np.random.default_rng(3), EVEN, EVEN, 40)
    found.now, found.then = ["g1"] * 30 + ["g2"] * 10, ["g1"] * 10 + ["g2"] * 30
    drift = drift_from_before(found)
    assert drift is not None
    assert [(one.group, one.share, one.before) for one in drift.moved] == [
        ("g1", 0.75, 0.25), ("g2", 0.25, 0.75)
    ]  # fmt: skip


def test_one_user_tells_nothing() -> None:
    found = drawn(np.random.default_rng(4), EVEN, EVEN, 40)
    found.now_users = ["user 0"] * 40
    assert drift_from_before(found) is None
    assert drift_from_suite(found) is None
