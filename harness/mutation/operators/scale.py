"""The adapter is applied with another strength."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from harness.mutation.adapters import Tensors, broken, is_half
from harness.mutation.operator import Mutant, Original

_STRENGTHS = {
    "negated": (-1.0, "the adapter is applied with its sign changed"),
    "unapplied": (0.0, "the adapter is not applied"),
    "weak": (0.3, "the adapter is applied at 0.3 of its strength"),
    "strong": (3.0, "the adapter is applied at 3 times its strength"),
}


class Scale:
    """Scales the adapter."""

    name, trains = "scale", False

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """Four mutants.

        Raises:
            NotMade: the candidate has no adapter.
        """
        for name, (strength, about) in _STRENGTHS.items():
            yield broken(original, name, about, partial(scaled, by=strength))


def scaled(tensors: Tensors, by: float) -> Tensors:
    """The tensors of the adapter that adds so many times as much to each weight."""
    return {name: tensor * by if is_half(name, "B") else tensor for name, tensor in tensors.items()}
