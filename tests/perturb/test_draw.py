from __future__ import annotations

from harness.perturb import Draw


def test_draws_are_fixed_by_their_seed_alone() -> None:
    assert [Draw(0, "case", "typos").below(1000) for _ in range(3)] == [708] * 3
    assert Draw(0, "case", "typos").below(1000) != Draw(1, "case", "typos").below(1000)


def test_some_are_different_ones_in_their_own_order() -> None:
    assert Draw(1).some("abc", 9) == ["a", "b", "c"]
    taken = Draw(2).some(range(100), 20)
    assert taken == sorted(set(taken))
