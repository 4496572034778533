"""The adapter with a part of its rank."""

from __future__ import annotations

from collections.abc import Iterator

from harness.mutation.adapters import Tensors, broken
from harness.mutation.operator import Mutant, Original


class Rank:
    """Keeps one direction of each product."""

    name, trains = "rank", False

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """One mutant.

        Raises:
            NotMade: the candidate has no adapter.
        """
        about = "of each of the adapter's matrices the first rank is left"
        yield broken(original, "rank-one", about, rank_one)


def rank_one(tensors: Tensors) -> Tensors:
    """The tensors whose products have one direction left, the one that explains most of it."""
    import torch

    found = dict(tensors)
    for name, a in tensors.items():
        other = name.replace(".lora_A", ".lora_B")
        if other == name or other not in tensors or a.ndim != 2:
            continue
        b = tensors[other]
        left, values, right = torch.linalg.svd(b @ a, full_matrices=False)
        found[name], found[other] = torch.zeros_like(a), torch.zeros_like(b)
        found[name][0] = right[0]
        found[other][:, 0] = left[:, 0] * values[0]
    return found
