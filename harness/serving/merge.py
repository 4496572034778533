"""Merging an adapter into its base: what stands against it, and the process that does it."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness import process_guard
from harness.errors import InfrastructureError, StorageError, UsageError
from harness.files import exclusive, open_private, storage_error, write_atomic
from harness.machine_memory import GIB, free_memory, size
from harness.model_files import (
    ADAPTER_WEIGHTS,
    TOKENIZER_FILES,
    chat_template_digest,
    check_model,
    read_json,
    read_model_shapes,
    read_shapes,
)
from harness.serving.adapter import HALF, PREFIX, check_fits, read_adapter
from harness.serving.command import environment

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
PROBE_TOKENS = 16
WORKER = ("-m", "harness.serving.merge_worker")
_LIBRARIES = ("torch", "transformers", "peft")
_OWN = GIB  # what the process takes besides the weights: the libraries, and one layer twice
_GRACE = 5.0
_WEIGHT = ".weight"

Answer = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class MergeOrder:
    """What is merged into what: folders, the weights' type, and the probes to answer meanwhile.

    `rows` is the size of the vocabulary where the adapter has another than the base; `embeddings`
    says whether it changes embeddings or the output layer.
    """

    base: str
    adapter: str
    tokenizer: str
    folder: str
    dtype: str
    probes: tuple[tuple[dict[str, str], ...], ...]
    template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    rows: int | None = None
    embeddings: bool = False
    trust_remote_code: bool = False
    tokens: int = PROBE_TOKENS


@dataclass(frozen=True, slots=True)
class MergeAnswers:
    """Greedy answers to the probes, tokens with log-probabilities; see `merge_worker.merge`."""

    base: tuple[Answer, ...]
    adapter: tuple[Answer, ...]
    merged: tuple[Answer, ...]
    rounded: tuple[Answer, ...] | None
    noise: float


def base_dtype(base: Path) -> str:
    """The type of a model's weights, as its configuration names it; float32 where it does not."""
    config = read_json(base / "config.json")
    named = config.get("dtype") or config.get("torch_dtype") if isinstance(config, dict) else None
    name = str(named).removeprefix("torch.")
    return name if name in BYTES else "float32"


def check_mergeable(base: Path, adapter: Path) -> None:
    """Return if the adapter can be merged into the base.

    Raises:
        UsageError: one of them cannot be read, they do not fit, the base is quantised, or a
            package is missing.
    """
    check_model(base)
    read_adapter(adapter)
    config = read_json(base / "config.json")
    packed = config.get("quantization_config") if isinstance(config, dict) else None
    if packed:
        method = packed.get("quant_method", "") if isinstance(packed, dict) else ""
        raise UsageError(
            f"the base is quantised ({method or 'its config.json says so'}), and an adapter cannot "
            "be merged into packed weights",
            where=str(base),
            hint="name the base's full weights: --base FOLDER or ORG/NAME",
        )
    if resized_rows(base, adapter) is None:
        check_fits(adapter, base)
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"merging needs {', '.join(missing)}",
            hint="`make setup` on a machine without a GPU, else pip install -e '.[train]'",
        )


def resized_rows(base: Path, adapter: Path) -> int | None:
    """The size of the adapter's vocabulary where it holds a whole embedding of another size."""
    own = read_model_shapes(base)
    for name, shape in _whole(adapter):
        there = own.get(name)
        if there is not None and there[1:] == shape[1:] and there[0] != shape[0]:
            return shape[0]
    return None


def touches_embeddings(adapter: Path) -> bool:
    """Whether the adapter changes embeddings or the output layer."""
    names = read_shapes(adapter / ADAPTER_WEIGHTS)
    return any("embed" in name or "lm_head" in name or ".wte." in name for name in names)


def _whole(adapter: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    for name, shape in read_shapes(adapter / ADAPTER_WEIGHTS).items():
        if not HALF.match(name) and name.endswith(_WEIGHT):
            yield name.removeprefix(PREFIX).replace(".base_layer.", "."), shape


def tokenizer_folder(base: Path, adapter: Path) -> Path:
    """Whose tokenizer goes with the merged model: the base's, with which the adapter is served.

    It is the adapter's own where the adapter has another vocabulary, or the base no chat template.
    """
    has_own = any(next(adapter.glob(pattern), None) for pattern in TOKENIZER_FILES)
    if has_own and (
        resized_rows(base, adapter) is not None
        or (chat_template_digest(base) is None and chat_template_digest(adapter) is not None)
    ):
        return adapter
    return base


@dataclass(frozen=True, slots=True)
class Room:
    """What a merge takes: bytes of memory at once, and bytes on the disk."""

    memory: int
    disk: int


def needed_room(base: Path, adapter: Path, dtype: str) -> Room:
    """The estimate: all weights in float32 once and the adapter's beside them, the result on disk.

    Raises:
        UsageError: the weights cannot be read.
    """
    count = sum(map(math.prod, read_model_shapes(base).values()))
    own = sum(map(math.prod, read_shapes(adapter / ADAPTER_WEIGHTS).values()))
    return Room(4 * (count + own) + _OWN, BYTES[dtype] * (count + own) + 64 * 1024**2)


def check_room(room: Room, folder: Path) -> None:
    """Return if memory and the disk that is to hold the folder have that room.

    Raises:
        InfrastructureError: they have not.
    """
    free = free_memory()
    if free is not None and room.memory > free:
        raise InfrastructureError(
            f"merging takes about {size(room.memory)} of memory (the weights in float32), and "
            f"{size(free)} are free",
            hint="end what else uses it, or merge on a larger machine",
        )
    there = next(parent for parent in folder.absolute().parents if parent.is_dir())
    left = shutil.disk_usage(there).free
    if room.disk > left:
        raise StorageError(
            f"no room for the merged model: about {size(room.disk)}, and {size(left)} are free",
            where=str(there),
            hint="free space, another --output, or a smaller --dtype",
        )


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder beside it that takes its name when the block ends well, and vanishes otherwise.

    Raises:
        UsageError: the name is taken.
        StorageError: the place cannot be written.
        InfrastructureError: another process writes there.
    """
    check_free(folder)
    work = folder.parent / f".{folder.name}.merging"
    busy = InfrastructureError("another process merges into it", where=str(folder))
    with exclusive(work.with_suffix(".lock"), busy):
        try:
            shutil.rmtree(work, ignore_errors=True)  # of a process that was killed
            work.mkdir()
            yield work
            check_free(folder)
            for path in (*work.iterdir(), work):
                _to_disk(path)
            work.rename(folder)
            _to_disk(folder.parent)
        except OSError as error:
            raise storage_error(error, folder) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
            work.with_suffix(".lock").unlink(missing_ok=True)


def check_free(folder: Path) -> None:
    """Return if nothing has that name.

    Raises:
        UsageError: something has.
    """
    if folder.exists() or folder.is_symlink():
        raise UsageError(
            "is there already",
            where=str(folder),
            hint="remove it, or name another folder with --output",
        )


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def run_merge(order: MergeOrder, log: Path, say: Callable[[str], None]) -> MergeAnswers:
    """The answers to the probes, once the merged model is in the order's folder.

    A process of its own does it, which ends when this one does; what it prints is in the log.

    Raises:
        InfrastructureError: it did not come to its end.
        StorageError: the log or the order cannot be written.
    """
    file = log.with_suffix(".json")
    write_atomic(file, json.dumps(asdict(order)))
    worker = [sys.executable, "-P", *WORKER, str(file)]
    try:
        last = _last_line(worker, log, say)
    finally:
        file.unlink(missing_ok=True)
    try:
        told = json.loads(last)
        failed = told.get("error", {}).get("what")
        if failed is None:
            return _read(told["result"])
    except (ValueError, KeyError, TypeError, AttributeError):
        failed = "its process ended without a result; was the memory enough?"
    raise InfrastructureError(f"the merge failed: {failed}", where=str(log), hint="see the log")


def _last_line(worker: Sequence[str], log: Path, say: Callable[[str], None]) -> str:
    last = ""
    try:
        errors = open(log, "wb", opener=open_private)  # noqa: SIM115 - closed below
    except OSError as error:
        raise storage_error(error, log) from error
    with errors:
        process = subprocess.Popen(
            [sys.executable, "-P", process_guard.__file__, str(_GRACE), *worker],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            # Waiting threads sleep: one other busy process would else slow them down many times.
            env={"OMP_WAIT_POLICY": "PASSIVE", **environment("")},
            start_new_session=True,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        for line in process.stdout:
            last = line.strip()
            if not last.startswith("{"):
                say(last)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()
    return last


def _read(told: Mapping[str, Any]) -> MergeAnswers:
    def answers(name: str) -> tuple[Answer, ...]:
        return tuple(tuple((str(token), float(p)) for token, p in one) for one in told[name])

    return MergeAnswers(
        base=answers("base"),
        adapter=answers("adapter"),
        merged=answers("merged"),
        rounded=answers("rounded") if "rounded" in told else None,
        noise=float(told["noise"]),
    )
