from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from harness.run.shards import shards, shares

GROUPS = st.lists(st.integers(0, 20), max_size=120)
SIZES = st.integers(1, 30)
WORKERS = st.integers(1, 6)


def cut(groups: list[int], size: int, at_least: int, window: int = 1000) -> list[list[int]]:
    """Shards of the positions in `groups`."""
    places = range(len(groups))
    return list(shards(places, lambda at: groups[at], size=size, at_least=at_least, window=window))


@given(GROUPS, SIZES, WORKERS, st.integers(1, 40))
def test_every_item_is_in_one_shard_and_none_is_empty(
    groups: list[int], size: int, workers: int, window: int
) -> None:
    made = cut(groups, size, workers, window)
    assert sorted(place for shard in made for place in shard) == list(range(len(groups)))
    assert all(shard and shard == sorted(shard) for shard in made)


@given(GROUPS, SIZES, WORKERS)
def test_a_group_is_in_one_shard(groups: list[int], size: int, workers: int) -> None:
    homes = Counter(
        group for shard in cut(groups, size, workers) for group in {groups[at] for at in shard}
    )
    assert set(homes.values()) <= {1}


@given(GROUPS, SIZES, WORKERS)
def test_shards_differ_by_no_more_than_the_largest_group(
    groups: list[int], size: int, workers: int
) -> None:
    made = cut(groups, size, workers)
    if made:
        loads = [len(shard) for shard in made]
        assert max(loads) - min(loads) <= max(Counter(groups).values())
        assert len(made) == min(max(-(-len(groups) // size), workers), len(set(groups)))


@given(GROUPS, SIZES, WORKERS)
def test_the_same_items_are_cut_the_same_way(groups: list[int], size: int, workers: int) -> None:
    assert cut(groups, size, workers) == cut(groups, size, workers)


def test_a_stream_is_read_no_further_than_a_window() -> None:
    read = []

    def stream():
        for number in range(10_000):
            read.append(number)
            yield number

    first = next(shards(stream(), lambda item: item, size=10, window=100))
    assert len(first) == 10
    assert len(read) == 100


@given(st.integers(1, 500), st.integers(1, 64))
def test_shares_add_up_to_the_whole_and_none_is_nothing(total: int, workers: int) -> None:
    found = shares(total, workers)
    assert sum(found) == total
    assert len(found) == min(total, workers)
    assert min(found) >= 1
    assert max(found) - min(found) <= 1
