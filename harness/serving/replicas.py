"""A managed server: one vLLM process, or replicas that share the GPUs and stop together."""

from __future__ import annotations

import math
import os
import secrets
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from dataclasses import replace
from pathlib import Path
from typing import Self

from harness.errors import HarnessError, UsageError
from harness.serving.command import ArgValue, ServeSpec
from harness.serving.vllm import VllmServer, free_ports

WATCH_SECONDS = 1.0
_DRIVER_SECONDS = 30.0
_PARALLEL_OPTIONS = frozenset(
    {"tensor-parallel-size", "pipeline-parallel-size", "data-parallel-size", "tp", "pp", "dp"}
)


class VllmReplicas:
    """`count` managed vLLM of one spec on loopback, with one key; use it in a `with`.

    Each has a port and a log of its own (`server.log`, `server-2.log` and so on) and its share of
    the visible GPUs. While the block runs, one of several that dies is started once more in the
    background, at its address, and the others go on.
    """

    def __init__(
        self, spec: ServeSpec, count: int, on_progress: Callable[[str], None] | None = None
    ) -> None:
        self._say = on_progress or (lambda _line: None)
        self.api_key = secrets.token_urlsafe(32)
        devices = share_devices(visible_devices(), count, spec.args) if count > 1 else [""]
        self._together = len(set(devices)) == count or not any(devices)
        self._servers = [
            VllmServer(
                _numbered(spec, number, share),
                self._prefixed(number) if count > 1 else self._say,
                api_key=self.api_key,
                preferred_port=port,
            )
            for number, (share, port) in enumerate(zip(devices, free_ports(count), strict=True), 1)
        ]
        # A run starts a single one again itself: nothing can go on without it.
        self._restarted: set[int] = set() if count > 1 else {1}
        self._starting = threading.Lock()
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses, in the order of the replicas; a restart keeps them.

        Raises:
            ServerError: not started yet.
        """
        return tuple(server.url for server in self._servers)

    def alive(self) -> bool:
        """Whether all of them run, and none is being started."""
        return not self._starting.locked() and all(server.alive() for server in self._servers)

    def serving(self) -> bool:
        """Whether any of them runs, or is still to be started again."""
        left = len(self._restarted) < len(self._servers)
        return left or self._starting.locked() or any(server.alive() for server in self._servers)

    def restart(self) -> None:
        """Return once all run: those that do not are started again.

        Raises:
            UsageError, ServerError, StorageError: as a single server's `start`.
        """
        with self._starting:
            self._start_all()

    def __enter__(self) -> Self:
        try:
            with self._starting:
                self._start_all()
        except BaseException:
            self._stop_all()
            raise
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._stop_all()
        self._watcher.join()
        self._stop_all()  # the watcher may have been about to start one

    def _start_all(self) -> None:
        """Start what does not run: at once, or one by one where they share a GPU's memory."""
        workers = len(self._servers) if self._together else 1
        with ThreadPoolExecutor(workers) as pool:
            starts = [pool.submit(server.start) for server in self._servers]
            try:
                for ended in as_completed(starts):
                    ended.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                while wait(starts, WATCH_SECONDS).not_done:
                    self._stop_all()  # more than once: a thread may be about to launch one
                raise

    def _stop_all(self) -> None:
        with ThreadPoolExecutor(len(self._servers)) as pool:
            list(pool.map(VllmServer.stop, self._servers))

    def _watch(self) -> None:
        while not self._closing.wait(WATCH_SECONDS):
            for number, server in enumerate(self._servers, 1):
                if server.alive() or number in self._restarted:
                    continue
                with self._starting:  # held only while something is started: `alive` looks at it
                    if not server.alive():
                        self._restarted.add(number)
                        self._start_again(number, server)

    def _start_again(self, number: int, server: VllmServer) -> None:
        if self._closing.is_set():
            return
        self._say(f"replica {number} died; starting it once more")
        try:
            server.start()
            self._say(f"replica {number} answers again")
        except HarnessError as error:
            if not self._closing.is_set():
                self._say(f"replica {number} stays away: {error.line}")

    def _prefixed(self, number: int) -> Callable[[str], None]:
        return lambda line: self._say(f"replica {number}: {line}")


def logs(first: Path, count: int) -> tuple[Path, ...]:
    """The logs of so many replicas, given the first one's."""
    others = (
        first.with_name(f"{first.stem}-{number}{first.suffix}") for number in range(2, count + 1)
    )
    return (first, *others)


def _numbered(spec: ServeSpec, number: int, devices: str) -> ServeSpec:
    """The spec of one replica; the first has the log and the port that were asked for."""
    if number == 1:
        return replace(spec, devices=devices)
    log = logs(spec.log, number)[-1]
    port = None if spec.port is None else spec.port + number - 1
    return replace(spec, devices=devices, log=log, port=port)


def visible_devices() -> list[str]:
    """The GPUs that a process started here sees, by the names to give them; maybe none."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        names = [name.strip() for name in given.split(",")]
        return names[: names.index("-1")] if "-1" in names else [name for name in names if name]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=_DRIVER_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in listed.stdout.splitlines() if line.strip().isdecimal()]


def share_devices(devices: Sequence[str], replicas: int, args: Mapping[str, ArgValue]) -> list[str]:
    """What each replica's CUDA_VISIBLE_DEVICES is to be; empty where it is left alone.

    A replica gets as many GPUs as vLLM's own options split a model over, the next ones in order;
    with fewer GPUs than that the replicas share them in turns.

    Raises:
        UsageError: GPUs would be shared, and `args` do not say how their memory is.
    """
    names = {key.strip().lstrip("-").replace("_", "-"): value for key, value in args.items()}
    needed = math.prod(
        int(value) for key, value in names.items() if key in _PARALLEL_OPTIONS and _is_count(value)
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


def _is_count(value: ArgValue) -> bool:
    return str(value).isdecimal() and int(value) > 0
