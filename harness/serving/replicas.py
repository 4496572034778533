"""Several vLLM processes with one model: started, watched and stopped together."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.errors import HarnessError
from harness.serving.devices import shares, visible_devices
from harness.serving.spec import ServeSpec
from harness.serving.vllm import VllmServer, free_ports

WATCH_SECONDS = 1.0


class VllmReplicas:
    """`count` managed vLLM of one spec on loopback, with one key; use it in a `with`.

    Each has a port and a log of its own (`server.log`, `server-2.log` and so on) and its share of
    the visible GPUs. While the block runs, one that dies is started once more in the background,
    at its address, and the others go on.
    """

    def __init__(
        self, spec: ServeSpec, count: int, on_progress: Callable[[str], None] | None = None
    ) -> None:
        self._say = on_progress or (lambda _line: None)
        self._api_key = secrets.token_urlsafe(32)
        devices = shares(visible_devices(), count, spec.args)
        self._together = len(set(devices)) == count or not any(devices)
        self._servers = [
            VllmServer(
                _numbered(spec, number, share),
                self._teller(number),
                api_key=self._api_key,
                wish=port,
            )
            for number, (share, port) in enumerate(zip(devices, free_ports(count), strict=True), 1)
        ]
        self._restarted: set[int] = set()
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

    @property
    def api_key(self) -> str:
        """The key that all of them ask for."""
        return self._api_key

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
                        self._revive(number, server)

    def _revive(self, number: int, server: VllmServer) -> None:
        if self._closing.is_set():
            return
        self._say(f"replica {number} died; starting it once more")
        try:
            server.start()
            self._say(f"replica {number} answers again")
        except HarnessError as error:
            if not self._closing.is_set():
                self._say(f"replica {number} stays away: {error.line}")

    def _teller(self, number: int) -> Callable[[str], None]:
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
