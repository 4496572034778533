"""The adapter's weights in few bits."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from harness.mutation.adapters import Tensors, broken
from harness.mutation.operator import Mutant, Original

_GROUP = 64


class Rounding:
    """Rounds the adapter's weights."""

    name, trains = "rounding", False

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """Two mutants.

        Raises:
            NotMade: the candidate has no adapter.
        """
        for bits in (4, 2):
            about = f"the adapter's weights are rounded to {bits} bits"
            yield broken(original, f"{bits}-bit", about, partial(rounded, bits=bits))


def rounded(tensors: Tensors, bits: int) -> Tensors:
    """The tensors in so many bits: whole multiples of a step, one for each 64 weights."""
    import torch

    most = 2 ** (bits - 1) - 1
    found = {}
    for name, tensor in tensors.items():
        flat = torch.nn.functional.pad(tensor.flatten(), (0, -tensor.numel() % _GROUP))
        groups = flat.view(-1, _GROUP)
        step = groups.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / most
        whole = (groups / step).round() * step
        found[name] = whole.flatten()[: tensor.numel()].view(tensor.shape)
    return found
