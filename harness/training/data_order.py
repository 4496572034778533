"""The order of an epoch's examples, so that one that was broken off goes on in it.

transformers draws the order of examples that are grouped by length from torch's own generator. What
the generator was before is in none of its checkpoints, and a resumed epoch would get another order:
some examples twice, others not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE = "data_order.pt"


class DataOrder:
    """A sampler, of which the order under way can be kept in a checkpoint and had again."""

    def __init__(self, sampler: Any) -> None:
        self._sampler = sampler
        self._drawn: Any = None
        self._again: Any = None

    def __len__(self) -> int:
        return len(self._sampler)

    def __iter__(self) -> Iterator[int]:
        import torch

        if self._again is not None:
            torch.set_rng_state(self._again)
        self._again, self._drawn = None, torch.get_rng_state()
        return iter(self._sampler)

    def save(self, checkpoint: Path) -> None:
        """Write from what the order under way was drawn.

        Raises:
            OSError: the place cannot be written.
        """
        import torch

        torch.save(self._drawn, checkpoint / FILE)

    def resume(self, checkpoint: Path) -> None:
        """Draw next time what was drawn when the checkpoint was written, if it says so."""
        import torch

        if (checkpoint / FILE).is_file():
            self._again = torch.load(checkpoint / FILE, weights_only=True)

    def begin(self) -> None:
        """Draw next time from the generator as it is: a new epoch begins."""
        self._again = None
