"""Who is asked what and when: drawn once, balanced, and the same for every arm."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.latency.schedule import orders, requests
from harness.records.latency import ARMS, LatencySettings
from harness.records.load import Load
from harness.records.measurement import Pace

OPEN = Load(kind="poisson", rate=20.0)


@given(seed=st.integers(0, 1000), rounds=st.integers(10, 60))
@settings(max_examples=40)
def test_every_arm_has_every_turn_equally_often(seed: int, rounds: int) -> None:
    found = orders(LatencySettings(seed=seed, rounds=rounds), 0)
    assert len(found) == rounds
    assert all(sorted(order) == sorted(ARMS) for order in found)
    counts = Counter(found)
    assert len(counts) == 6
    assert max(counts.values()) - min(counts.values()) <= 1


def test_the_order_is_drawn_by_the_seed_and_the_load() -> None:
    one = orders(LatencySettings(seed=1), 0)
    assert one == orders(LatencySettings(seed=1), 0)
    assert one != orders(LatencySettings(seed=2), 0)
    assert one != orders(LatencySettings(seed=1), 1)


def test_arrivals_are_those_of_a_poisson_process() -> None:
    chosen = LatencySettings(requests=40_000, rounds=10)
    dues = requests(chosen, 0, 0, Pace(load=OPEN, rate=20.0, opening=10), 500)
    gaps = np.diff([0.0, *(due.offset for due in dues)])
    assert (gaps > 0.0).all()
    assert np.mean(gaps) == pytest.approx(1 / 20, rel=0.05)
    assert np.std(gaps) == pytest.approx(1 / 20, rel=0.05)


def test_a_block_has_its_opening_and_its_share_of_the_requests() -> None:
    chosen = LatencySettings(requests=1001, rounds=20)
    dues = requests(chosen, 0, 3, Pace(load=OPEN, rate=20.0, opening=7), 500)
    assert [due.uncounted for due in dues] == [True] * 7 + [False] * 51
    assert dues == requests(chosen, 0, 3, Pace(load=OPEN, rate=20.0, opening=7), 500)
    assert dues != requests(chosen, 0, 4, Pace(load=OPEN, rate=20.0, opening=7), 500)


@given(prompts=st.integers(1, 80))
@settings(max_examples=30)
def test_prompts_come_again_only_when_all_have_come(prompts: int) -> None:
    dues = requests(LatencySettings(), 0, 0, Pace(load=OPEN, rate=20.0, opening=10), prompts)
    counts = Counter(due.prompt for due in dues)
    assert set(counts) <= set(range(prompts))
    assert max(counts.values()) - min(counts[n] for n in range(prompts)) <= 1


def test_without_a_rate_nothing_is_due_at_a_moment_of_its_own() -> None:
    load = Load(kind="closed", concurrency=4)
    dues = requests(LatencySettings(), 0, 0, Pace(load=load, opening=4), 10)
    assert {due.offset for due in dues} == {0.0}
