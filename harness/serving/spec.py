"""What to serve and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

ArgValue = str | int | float | bool


@dataclass(frozen=True, slots=True)
class ServeSpec:
    """One vLLM process: a base model, the adapters on it, and vLLM's own arguments.

    `args` are vLLM's options without their dashes; `True` stands for a bare flag, `False` for its
    `--no-` form. `base_name` is what clients ask for to reach the base. `devices` are the GPUs it
    may see, as CUDA_VISIBLE_DEVICES names them; empty leaves that to the environment. Times in
    seconds.
    """

    model: Path
    log: Path
    adapters: dict[str, Path] = field(default_factory=dict)
    args: dict[str, ArgValue] = field(default_factory=dict)
    trust_remote_code: bool = False
    port: int | None = None
    start_timeout: float = 600.0
    base_name: str = "base"
    devices: str = ""
