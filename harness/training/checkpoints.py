"""The checkpoints that a training leaves in its work folder."""

from __future__ import annotations

import json
from pathlib import Path

# Written by the trainer last of all, so a checkpoint without it is not complete.
STATE = "trainer_state.json"


def last_checkpoint(work: Path) -> Path | None:
    """The latest checkpoint that was written to its end."""
    found = (path for path in work.glob("checkpoint-*") if _readable(path))
    return max(found, key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """The number of steps that a checkpoint has behind it."""
    return int(checkpoint.name.rsplit("-", 1)[1])


def _readable(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return (checkpoint / "adapter_model.safetensors").is_file()
