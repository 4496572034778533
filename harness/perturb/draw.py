"""Draws that depend on their seed alone, and not on Python's version or the process."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """A sequence of draws that is fixed by the parts of its seed."""

    def __init__(self, *seed: object) -> None:
        self._seed = "/".join(map(str, seed))
        self._count = 0

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        self._count += 1
        digest = hashlib.sha256(f"{self._seed}/{self._count}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % limit

    def one(self, among: Sequence[T]) -> T:
        """One of them."""
        return among[self.below(len(among))]

    def some(self, among: Sequence[T], count: int) -> list[T]:
        """As many of them, or all where there are fewer, in their own order."""
        left = list(range(len(among)))
        taken = [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]
        return [among[place] for place in sorted(taken)]
