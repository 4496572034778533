"""Whether managed servers have room beside each other; bytes throughout."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.machine_memory import GIB, Gpu, free_memory, gpus, size
from harness.serving.command import ServeSpec, effective_args, environment
from harness.serving.memory import GPU_SHARE, needed_memory
from harness.serving.replicas import visible_devices

# What a vLLM without a GPU holds besides weights and cache: two processes with torch in them.
OWN = 2 * GIB


@dataclass(frozen=True, slots=True)
class Room:
    """What servers need together, and what is free; None where the machine does not say."""

    needed: int
    free: int | None
    where: str

    @property
    def fits(self) -> bool:
        """Whether there is room for all of them, as far as is known."""
        return self.free is not None and self.needed <= self.free

    @property
    def words(self) -> str:
        """Both figures in words."""
        free = "what is free is not told here" if self.free is None else f"{size(self.free)} free"
        return f"{size(self.needed)} of {self.where} needed, {free}"


def room_for(specs: Sequence[ServeSpec]) -> Room:
    """The room for one server of each spec at once, at the GPU where it is least, if there are any.

    On a GPU a server takes its share of the whole memory, whatever its model needs.

    Raises:
        UsageError: a model's weights cannot be read, or an option is not for the user to set.
    """
    args = [effective_args(spec) for spec in specs]
    found = _visible_gpus()
    if found:
        rooms = []
        for place, (name, gpu) in enumerate(found):
            shares = [memory_share(own) for own in args if place < gpus_of_one(own)]
            needed = sum(int(share * gpu.total) for share in shares)
            rooms.append(Room(needed, gpu.free, f"GPU {name}"))
        return min(rooms, key=lambda room: (room.free or 0) - room.needed)
    needed = sum(
        needed_memory(spec.model, own).weights + cache_space() + OWN
        for spec, own in zip(specs, args, strict=True)
    )
    return Room(needed, free_memory(), "memory")


def _visible_gpus() -> list[tuple[int, Gpu]]:
    """The GPUs that a server started here sees, in its order, with the driver's numbers.

    Those that are named otherwise than by number are taken for all that there are.
    """
    found = list(enumerate(gpus() or []))
    if "CUDA_VISIBLE_DEVICES" not in os.environ:
        return found
    names = visible_devices()
    if not all(map(str.isdecimal, names)):
        return found
    return [found[int(name)] for name in names if int(name) < len(found)]


def gpus_of_one(args: Mapping[str, Any]) -> int:
    """How many GPUs one copy of the model is split over by vLLM's options."""
    count = 1
    for key in ("tensor-parallel-size", "tp", "pipeline-parallel-size", "pp"):
        text = str(args.get(key, 1))
        count *= int(text) if text.isdecimal() and int(text) else 1
    return count


def memory_share(args: Mapping[str, Any]) -> float:
    """The share of a GPU's memory that a server takes by vLLM's options."""
    try:
        return float(args.get("gpu-memory-utilization", GPU_SHARE))
    except ValueError:
        return GPU_SHARE


def cache_space() -> int:
    """What vLLM's CPU build sets aside for its cache, as the harness starts it."""
    given = environment("").get("VLLM_CPU_KVCACHE_SPACE", "")
    return int(given) * GIB if given.isdecimal() else GIB
