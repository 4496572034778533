"""A broken copy of a LoRA adapter."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from harness.files import write_atomic
from harness.model_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from harness.mutation.operator import Mutant, Original
from harness.serving.adapter import HALF, read_adapter_config

if TYPE_CHECKING:
    import torch

Tensors: TypeAlias = "dict[str, torch.Tensor]"


def broken(
    original: Original, name: str, about: str, change: Callable[[Tensors], Tensors]
) -> Mutant:
    """The mutant whose adapter has changed tensors; each keeps its shape and its type.

    Raises:
        NotMade: the candidate has no adapter, or `change` says so.
        UsageError: the adapter cannot be read.
    """
    source = original.adapter
    config = read_adapter_config(source)
    tensors = read_tensors(source)
    found = change({key: tensor.float() for key, tensor in tensors.items()})
    folder = original.folder / "adapters" / name
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / ADAPTER_CONFIG, json.dumps(config, indent=2).encode())
    write_tensors(folder, {key: found[key].to(tensor.dtype) for key, tensor in tensors.items()})
    return Mutant(name, about, original.adapted(folder))


def read_tensors(adapter: Path) -> Tensors:
    """The tensors of an adapter's weights."""
    from safetensors.torch import load

    return load((adapter / ADAPTER_WEIGHTS).read_bytes())


def write_tensors(adapter: Path, tensors: Tensors) -> None:
    """Write an adapter's weights."""
    from safetensors.torch import save

    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    write_atomic(adapter / ADAPTER_WEIGHTS, save(contiguous, {"format": "pt"}))


def is_half(name: str, half: str) -> bool:
    """Whether a tensor is the half `A` or `B` of a product."""
    match = HALF.match(name)
    return match is not None and match["half"] == half
