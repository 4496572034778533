"""Noise in the adapter's weights."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from harness.mutation.adapters import Tensors, broken
from harness.mutation.operator import Mutant, Original

_SHARE = 1.0


class Noise:
    """Adds noise to the adapter's weights."""

    name, trains = "noise", False

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """One mutant.

        Raises:
            NotMade: the candidate has no adapter.
        """
        about = "noise as large as its weights is in the adapter"
        yield broken(original, "noise", about, partial(noisy, share=_SHARE, seed=original.seed))


def noisy(tensors: Tensors, share: float, seed: int) -> Tensors:
    """The tensors with normal noise, `share` times as large as each tensor's root mean square."""
    import torch

    draw = torch.Generator().manual_seed(seed)
    return {
        name: tensor
        + share * tensor.square().mean().sqrt() * torch.randn(tensor.shape, generator=draw)
        for name, tensor in sorted(tensors.items())
    }
