"""Shards: split a stream of items into parts of similar size, without splitting a group."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

WINDOW = 10_000

T = TypeVar("T")


def shares(total: int, workers: int) -> list[int]:
    """`total` divided over the workers; with more workers than `total`, there are fewer shares."""
    count = max(1, min(total, workers))
    return [total // count + (number < total % count) for number in range(count)]


def shards(
    items: Iterable[T],
    group: Callable[[T], object],
    *,
    size: int,
    at_least: int = 1,
    window: int = WINDOW,
) -> Iterator[list[T]]:
    """The items in shards of about `size`, read no further than `window` ahead.

    Within a window a group is in one shard, larger than `size` if it must be, and the items of a
    shard keep their order; a group whose items lie farther apart is split. Every window makes
    `at_least` shards where it has as many groups, so that every worker has work at the end.
    """
    rest = iter(items)
    while taken := list(islice(rest, window)):
        wanted = max(-(-len(taken) // size), at_least)
        yield from _balanced(taken, group, wanted)


def _balanced(items: Sequence[T], group: Callable[[T], object], wanted: int) -> Iterator[list[T]]:
    """The items of one window: the largest group first, each to the shard that has least."""
    places: defaultdict[object, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        places[group(item)].append(place)
    count = min(wanted, len(places))
    loads = [(0, number) for number in range(count)]
    chosen: list[list[int]] = [[] for _ in range(count)]
    for members in sorted(places.values(), key=len, reverse=True):
        load, number = heapq.heappop(loads)
        chosen[number] += members
        heapq.heappush(loads, (load + len(members), number))
    for shard in chosen:
        yield [items[place] for place in sorted(shard)]
