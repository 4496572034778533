from __future__ import annotations

from math import inf, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.wear import LOOKS, READING, TUNINGS, simulate
from harness.stats import adaptive_gap, effective_groups


def test_the_first_candidate_has_hoeffdings_bound_at_half_of_alpha() -> None:
    assert adaptive_gap(0, 0, 100, alpha=0.05) == pytest.approx(sqrt(log(40) / 200))


@given(st.integers(0, 300), st.data())
def test_more_answers_and_fewer_groups_widen_the_bound(told: int, data: st.DataObject) -> None:
    bests = data.draw(st.integers(0, told))
    found = adaptive_gap(told, bests, 100)
    assert found <= adaptive_gap(told + 1, bests, 100)
    assert found < adaptive_gap(told, bests, 50)
    assert found == pytest.approx(adaptive_gap(told, told - bests, 100))


def test_groups_of_unequal_sizes_tell_less() -> None:
    assert effective_groups([2] * 30) == 30
    assert effective_groups([5] + [1] * 5) == pytest.approx(100 / 30)
    assert adaptive_gap(3, 1, effective_groups([])) == inf


@pytest.mark.parametrize("wrong", [(1, 2), (1, -1)])
def test_answers_that_cannot_have_been_given_are_refused(wrong: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot have been yes"):
        adaptive_gap(*wrong, 10)


@pytest.mark.parametrize("tuning", TUNINGS, ids=lambda one: one.name)
def test_tuning_by_new_bests_alone_stays_within_the_bound(tuning) -> None:
    rows = list(simulate(tuning, 100, 100, np.random.default_rng(0)))
    assert [row.looks for row in rows] == list(LOOKS)
    if tuning.name == READING:
        assert rows[-1].gap > 0.29, "and who reads the cases learns them all"
    else:
        assert max(row.beyond for row in rows) <= 0.05
        assert rows[-1].gap > 2 * abs(rows[-1].held)
