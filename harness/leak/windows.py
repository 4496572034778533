"""Runs of words of many texts as hashes, and which texts share them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Windows:
    """Distinct windows with the number of a holder of each, sorted by hash."""

    hashes: Hashes
    holders: Ids

    def range_of(self, windows: Hashes) -> tuple[Ids, Ids]:
        """Where the holders of each of the windows begin and end."""
        low = np.searchsorted(self.hashes, windows, side="left").astype(np.int64)
        return low, np.searchsorted(self.hashes, windows, side="right").astype(np.int64)

    def counts(self, windows: Hashes) -> Ids:
        """How many holders each of the windows has."""
        low, high = self.range_of(windows)
        return high - low

    def holders_of(self, windows: Hashes) -> Ids:
        """The holders of the windows, once for each window that they hold."""
        found = [self.holders[a:b] for a, b in zip(*self.range_of(windows), strict=True)]
        return np.concatenate(found) if found else np.zeros(0, np.int64)


class WindowHasher:
    """Hashes of windows over texts of word numbers below `words`.

    A window's hash is a sum of random 64-bit numbers of its words, each rotated by its place
    (Buzhash, as in Cohen 1997), so that it depends on nothing but the words and their order.
    """

    def __init__(self, words: int) -> None:
        self._mixed = np.random.default_rng(0).integers(0, 2**63, words + 1, dtype=np.uint64)

    def row(self, text: Sequence[int], size: int) -> Hashes:
        """The windows of one text in their order; none where it is shorter."""
        return self._hashes(np.array(text, dtype=np.int64), size)

    def index(
        self, texts: Sequence[Sequence[int]], size: int, holders: Sequence[int] | None = None
    ) -> Windows:
        """The windows of texts, with the places of these or the `holders` given for each."""
        lengths = np.array([len(text) for text in texts], dtype=np.int64)
        flat = np.fromiter((one for text in texts for one in text), np.int64, int(lengths.sum()))
        owner = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
        hashes = self._hashes(flat, size)
        if not hashes.size:
            return Windows(hashes, np.zeros(0, np.int64))
        inside = owner[: hashes.size] == owner[size - 1 :]
        places = owner[: hashes.size][inside]
        if holders is not None:
            places = np.array(holders, dtype=np.int64)[places]
        hashes = hashes[inside]
        order = np.lexsort((places, hashes))
        hashes, places = hashes[order], places[order]
        first = np.ones(hashes.size, dtype=np.bool_)
        first[1:] = (hashes[1:] != hashes[:-1]) | (places[1:] != places[:-1])
        return Windows(hashes[first], places[first])

    def _hashes(self, flat: Ids, size: int) -> Hashes:
        if flat.size < size:
            return np.zeros(0, np.uint64)
        mixed = self._mixed[flat]
        ends = flat.size - size + 1
        found = np.zeros(ends, dtype=np.uint64)
        for place in range(size):
            part = mixed[place : place + ends]
            found ^= (part << np.uint64(place)) | (part >> np.uint64(64 - place) if place else part)
        return found
