"""Which GPUs each of several replicas may see."""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Mapping, Sequence

from harness.errors import UsageError
from harness.serving.spec import ArgValue

_WITHIN_SECONDS = 30.0
_SPLITS = frozenset(
    {"tensor-parallel-size", "pipeline-parallel-size", "data-parallel-size", "tp", "pp", "dp"}
)


def visible_devices(environment: Mapping[str, str] | None = None) -> list[str]:
    """The GPUs that a process of this environment sees, by the names to give them; maybe none."""
    given = (os.environ if environment is None else environment).get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        names = [name.strip() for name in given.split(",")]
        return names[: names.index("-1")] if "-1" in names else [name for name in names if name]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=_WITHIN_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in listed.stdout.splitlines() if line.strip().isdecimal()]


def shares(devices: Sequence[str], replicas: int, args: Mapping[str, ArgValue]) -> list[str]:
    """What each replica's CUDA_VISIBLE_DEVICES is to be; empty where it is left alone.

    A replica gets as many GPUs as vLLM's own options split a model over, the next ones in order;
    with fewer GPUs than that the replicas share them in turns.

    Raises:
        UsageError: GPUs would be shared, and `args` do not say how their memory is.
    """
    names = {key.strip().lstrip("-").replace("_", "-"): value for key, value in args.items()}
    needed = math.prod(
        int(value) for key, value in names.items() if key in _SPLITS and _counts(value)
    )
    groups = len(devices) // needed
    if replicas == 1 or not devices:
        return [""] * replicas
    if groups == 0:
        raise UsageError(
            f"a replica needs {needed} GPUs, and {len(devices)} are visible", where="replicas"
        )
    if groups < replicas and "gpu-memory-utilization" not in names:
        raise UsageError(
            f"{replicas} replicas of {needed} on {len(devices)} visible GPUs share them, and one "
            "takes nearly all memory",
            where="replicas",
            hint="set `gpu-memory-utilization` in `args`, or fewer `replicas`",
        )
    return [",".join(devices[number % groups * needed :][:needed]) for number in range(replicas)]


def _counts(value: ArgValue) -> bool:
    return str(value).isdecimal() and int(value) > 0
