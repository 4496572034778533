"""Things that belong together by any chain of pairs."""

from __future__ import annotations

from collections import defaultdict


class DisjointSets:
    """Numbers from 0 in sets that pairs join; the first number of a set stands for it.

    Tarjan, "Efficiency of a good but not linear set union algorithm" (1975).
    """

    def __init__(self, size: int) -> None:
        self._above = list(range(size))

    def first(self, number: int) -> int:
        """The smallest number of the set that this one is in."""
        while self._above[number] != number:
            self._above[number] = self._above[self._above[number]]
            number = self._above[number]
        return number

    def join(self, one: int, other: int) -> None:
        """Make the sets of both numbers one set."""
        low, high = sorted((self.first(one), self.first(other)))
        self._above[high] = low

    def members(self) -> dict[int, list[int]]:
        """The numbers of each set in their order, by the first one of it."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for number in range(len(self._above)):
            found[self.first(number)].append(number)
        return dict(found)
