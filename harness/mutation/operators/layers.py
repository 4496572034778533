"""The adapter of some layers is lost, or sits at others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.mutation.adapters import Tensors, broken, is_half
from harness.mutation.operator import Mutant, NotMade, Original

_NUMBER = re.compile(r"(?<=\.)(?:layers|h|blocks|block)\.(\d+)(?=\.)")


class Layers:
    """Loses the upper half of the layers, or turns their order round."""

    name, trains = "layers", False

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """Two mutants.

        Raises:
            NotMade: the candidate has no adapter, or one for a single layer.
        """
        yield broken(original, "lost-layers", "the upper half of its layers is lost", upper_lost)
        yield broken(original, "turned-layers", "its layers are in the wrong order", turned)


def upper_lost(tensors: Tensors) -> Tensors:
    """The tensors of an adapter that changes nothing in the upper half of its layers.

    Raises:
        NotMade: it has fewer than two.
    """
    count = _count(tensors)
    return {
        name: tensor * 0.0
        if is_half(name, "B") and (number := _number(name)) is not None and number >= count // 2
        else tensor
        for name, tensor in tensors.items()
    }


def turned(tensors: Tensors) -> Tensors:
    """The tensors with those of the first layer in the last one's place, and so on.

    Raises:
        NotMade: there are fewer than two layers.
    """
    count, found = _count(tensors), dict(tensors)
    for name, tensor in tensors.items():
        number = _number(name)
        if number is None:
            continue
        other = _NUMBER.sub(lambda at: at[0].replace(at[1], str(count - 1 - int(at[1]))), name)
        if other in tensors and tensors[other].shape == tensor.shape:
            found[name] = tensors[other]
    return found


def _number(name: str) -> int | None:
    found = _NUMBER.search(name)
    return None if found is None else int(found[1])


def _count(tensors: Tensors) -> int:
    numbers = [number for name in tensors if (number := _number(name)) is not None]
    if max(numbers, default=0) < 1:
        raise NotMade("its adapter has fewer than two layers")
    return max(numbers) + 1
