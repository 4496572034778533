"""The examination of this machine: Python, GPU, vLLM, memory for each managed server, disk."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

from harness.config import Project
from harness.doctor.step import Examination, Outcome, Step
from harness.errors import HarnessError
from harness.machine_memory import GIB, free_memory, gpus, size
from harness.records.server import ManagedServer
from harness.serving.command import effective_args, environment, vllm_version
from harness.serving.memory import Needed, needed_memory
from harness.serving.room import cache_space, gpus_of_one, memory_share
from harness.targets.endpoint import serve_spec
from harness.version import __version__

_IMPORT_SECONDS = 300.0
_LITTLE_DISK = 5 * GIB


def examine_machine(project: Project | None) -> Examination:
    """The steps at this machine; memory is held against the project's managed servers."""
    managed = [
        name
        for name, server in (project.config.servers if project is not None else {}).items()
        if isinstance(server, ManagedServer)
    ]
    steps = [check_python(), check_gpu(), check_vllm(needed=bool(managed))]
    if project is not None:
        steps += [check_memory(project, name) for name in managed]
    steps.append(check_disk(project.root if project is not None else Path.cwd()))
    about = f"{platform.system()} {platform.machine()}"
    return Examination("this machine", about, tuple(steps))


def check_python() -> Step:
    """The interpreter that runs the harness, and starts vLLM."""
    found = f"{platform.python_version()} at {sys.executable}, harness {__version__}"
    return Step("python", "ok", found)


def check_gpu() -> Step:
    """The GPUs that the driver lists."""
    found = gpus()
    if found is None:
        return Step("gpu", "cannot", "no nvidia-smi here: models run on the CPU")
    if not found:
        return Step("gpu", "cannot", "the driver lists no GPU", "look at `nvidia-smi`")
    each = "; ".join(f"{one.name}, {size(one.free)} of {size(one.total)} free" for one in found)
    return Step("gpu", "ok", f"{each}; driver {found[0].driver}")


def check_vllm(*, needed: bool) -> Step:
    """Whether vLLM is installed, and a Python of its own can import it."""
    version = vllm_version()
    bad: Outcome = "failed" if needed else "cannot"
    if version is None:
        return Step(
            "vllm",
            bad,
            "not installed in this environment",
            "with a GPU: pip install -e '.[vllm]'; without: make setup; or give servers a `url`",
        )
    try:
        subprocess.run(
            [sys.executable, "-P", "-c", "import vllm.entrypoints.openai.api_server"],
            env=environment(""),
            capture_output=True,
            text=True,
            timeout=_IMPORT_SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or "no word").splitlines()[-1]
        remedy = "install the versions of requirements/ again: `make setup`"
        return Step("vllm", bad, f"{version}, but: {last}", remedy)
    except (OSError, subprocess.SubprocessError):
        words = f"{version}, not imported within {_IMPORT_SECONDS:g} s"
        return Step("vllm", bad, words, "is the disk busy?")
    return Step("vllm", "ok", f"{version}, can be imported")


def check_memory(project: Project, server: str) -> Step:
    """Whether the model of a managed server fits, as it is configured, into what is free now."""
    name = f"memory for {server}"
    configured = project.config.servers[server]
    assert isinstance(configured, ManagedServer)
    try:
        spec = serve_spec(project, server, [], project.root / "unused", here=True)
        args = effective_args(spec)
        need = needed_memory(spec.model, args)
    except HarnessError as error:
        return Step.of_error(name, error)
    found = gpus()
    if found:
        parts = gpus_of_one(args)
        usable = sum(min(gpu.free, int(memory_share(args) * gpu.total)) for gpu in found[:parts])
        where = f"{parts} GPU{'s' if parts > 1 else ''}"
        return _fits(name, need, 1, usable, where)
    reserved = cache_space()
    free = free_memory()
    if free is None:
        return Step(name, "cannot", f"needs {_words(need)}; what is free is not told here")
    if need.cache is not None and need.cache > reserved:
        return Step(
            name,
            "failed",
            f"a conversation of {need.tokens} tokens takes {size(need.cache)} of cache, and "
            f"{size(reserved)} are set aside",
            "set `max-model-len` in the server's `args`, or VLLM_CPU_KVCACHE_SPACE (GiB)",
        )
    held = Needed(need.weights, need.tokens, reserved)
    return _fits(name, held, configured.replicas, free, "memory")


def check_disk(folder: Path) -> Step:
    """The room where runs and candidates are written."""
    free = shutil.disk_usage(folder).free
    if free < _LITTLE_DISK:
        return Step(
            "disk", "cannot", f"{size(free)} free", "a candidate and its runs may need more"
        )
    return Step("disk", "ok", f"{size(free)} free in {folder}")


def _fits(name: str, need: Needed, copies: int, usable: int, where: str) -> Step:
    total = copies * (need.weights + (need.cache or 0))
    each = f"{copies} times " if copies > 1 else ""
    found = f"needs {each}{_words(need)}, without vLLM's own; {size(usable)} of {where} available"
    if total <= usable:
        return Step(name, "ok", found)
    return Step(
        name,
        "failed",
        found,
        "end what else uses it; or a smaller `max-model-len`, a quantised model, more GPUs by "
        "`tensor-parallel-size`, fewer `replicas`",
    )


def _words(need: Needed) -> str:
    cache = "a cache of unknown size" if need.cache is None else f"{size(need.cache)} of cache"
    length = f" (at most {need.tokens} tokens a conversation)" if need.tokens else ""
    return f"{size(need.weights)} of weights and {cache}{length}"
