from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.radar_quality import World, allowed, simulate
from harness.stats import Slice, holm, joint_bounds, lost_p_values, paired_difference

NONE = np.array([], dtype=np.str_)


def one_slice(lost: int, n: int = 60, prefix: str = "", limit: float = 0.0) -> Slice:
    """A slice of `n` cases that the baseline has right, the candidate all but the first ones."""
    one, ours = np.ones(n), np.ones(n)
    ours[:lost] = 0.0
    names = np.array([f"{prefix}{place}" for place in range(n)], dtype=np.str_)
    return Slice(ours, one, one.copy(), one, names, NONE, limit)


def test_one_slice_alone_has_the_bounds_and_the_p_value_of_one_difference() -> None:
    given = one_slice(12)
    (found,) = joint_bounds([given])
    alone = paired_difference(given.c_num, given.b_num, given.groups)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high), abs=2e-3)
    assert found.p_value == pytest.approx(alone.p_value / 2, abs=1e-3)


def test_slices_that_are_the_same_cost_less_than_holm_says() -> None:
    same = [one_slice(40, n=200, limit=-0.1) for _ in range(10)]
    alone, adjusted = lost_p_values(same)
    assert alone[0] < max(adjusted) < 0.7 * min(holm(alone))


def test_slices_apart_cost_what_holm_says() -> None:
    apart = [one_slice(5, prefix=f"{place}/") for place in range(10)]
    alone, adjusted = lost_p_values(apart)
    assert alone[0] == pytest.approx(0.5**5, rel=0.01)
    assert adjusted[0] == pytest.approx(1 - (1 - alone[0]) ** 10, abs=0.02)
    assert (adjusted <= holm(alone)).all()


def test_a_lost_slice_is_named_and_the_others_are_not() -> None:
    slices = [one_slice(25, prefix="a", limit=-0.1), *(one_slice(3, prefix=f"{n}/", limit=-0.1)
              for n in range(8))]  # fmt: skip
    lost, *kept = joint_bounds(slices)
    assert lost.p_value < 0.01
    assert lost.high < -0.1
    assert min(one.p_value for one in kept) > 0.5
    assert all(one.low < -0.05 < one.high for one in kept)


def test_what_lacks_a_value_shows_no_loss() -> None:
    given = one_slice(12, n=30)
    unknown = replace(given, missing=np.array([f"x{n}" for n in range(12)], dtype=np.str_))
    assert lost_p_values([unknown])[0][0] > lost_p_values([given])[0][0]


def test_without_a_slice_there_is_nothing_to_say() -> None:
    with pytest.raises(ValueError, match="no slice"):
        joint_bounds([])


@pytest.mark.parametrize("world", [World(5, 60, "tags", 0), World(8, 40, "alike 0.9", 4)])
def test_a_false_name_is_as_rare_as_promised(world: World) -> None:
    found = simulate(world, 60)
    assert found.false[0] <= allowed(60)
    assert found.power[0] >= found.power[1] >= found.power[2]
