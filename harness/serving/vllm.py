"""A managed vLLM process: started, supervised, and always stopped."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import IO, Self
from urllib.parse import urlsplit

from harness import process_guard
from harness.clock import SYSTEM_CLOCK
from harness.errors import ServerError, UsageError
from harness.files import make_folder, open_private, storage_error
from harness.model_files import check_model
from harness.serving import log
from harness.serving.command import (
    ServeSpec,
    command,
    effective_args,
    environment,
    require_vllm,
)

GRACE = 10.0
_POLL = 0.2
_SAY_AGAIN = 60.0
EAGER = "enforce-eager"
_HOST = "127.0.0.1"


class VllmServer:
    """A managed vLLM on loopback; use it in a `with`.

    `on_progress` is called with one line of text while the server starts. All calls block; a
    `stop` from another thread ends a `start` with an error. Without an `api_key` one is drawn;
    `preferred_port` is taken where it is free and the spec names none.
    """

    def __init__(
        self,
        spec: ServeSpec,
        on_progress: Callable[[str], None] | None = None,
        *,
        api_key: str | None = None,
        preferred_port: int | None = None,
    ) -> None:
        self._spec = spec
        self._on_progress = on_progress or (lambda _line: None)
        self.api_key = api_key or secrets.token_urlsafe(32)
        self._port = preferred_port
        self._guard: subprocess.Popen[bytes] | None = None
        self._group: int | None = None
        self._log_start = 0

    @property
    def url(self) -> str:
        """The address `http://127.0.0.1:PORT/v1`; a restart keeps it.

        Raises:
            ServerError: not started yet.
        """
        if self._port is None:
            raise ServerError("the server has not been started")
        return f"http://{_HOST}:{self._port}/v1"

    def start(self) -> None:
        """Return once the server answers; one that runs is left alone.

        One that was stopped starts at the same address with the same key.

        Raises:
            UsageError: no vLLM, no model, an adapter that does not fit, a port in use.
            ServerError: the process ended early, or was not ready in time.
            StorageError: the log cannot be written.
        """
        if self.alive():
            return
        self.stop()
        require_vllm()
        check_model(self._spec.model)
        line = command(self._spec, self._choose_port())
        try:
            self._launch(line)
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Return once no process of the server is left."""
        process, self._guard = self._guard, None
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(GRACE + 10.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.returncode < 0 and self._group is not None:
            # Something killed the guard before it could do its work.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, signal.SIGKILL)
        self._group = None

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._guard is not None and self._guard.poll() is None

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of the log since the last start."""
        return log.tail(self._spec.log, lines, self._log_start)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _choose_port(self) -> int:
        wanted = self._spec.port or self._port or 0
        try:
            with _bound(wanted) as self._port:
                return self._port
        except OSError as error:
            if self._spec.port is not None:
                raise UsageError(
                    f"port {wanted} cannot be used: {error.strerror}",
                    where="port",
                    hint="choose another `port`, or leave it out for a free one",
                ) from None
        (self._port,) = free_ports(1)
        return self._port

    def _launch(self, line: list[str]) -> None:
        with self._open_log() as file:
            self._guard = subprocess.Popen(
                [sys.executable, "-P", process_guard.__file__, str(GRACE), *line],
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment(self.api_key, self._spec.devices),
                # Out of reach of the terminal's Ctrl-C: the harness decides when it stops.
                start_new_session=True,
            )

    def _open_log(self) -> IO[bytes]:
        path = self._spec.log
        try:
            make_folder(path.parent)
            file = open(path, "ab", opener=open_private)  # noqa: SIM115 - lives with the process
        except OSError as error:
            raise storage_error(error, path) from error
        self._log_start = file.tell()
        return file

    def _wait_until_ready(self) -> None:
        started = SYSTEM_CLOCK.now()
        last, said = "", started
        while True:
            process = self._guard
            if process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL)
            if process is None or process.returncode is not None:
                raise self._start_error("vLLM ended while starting")
            self._group = next(iter(process_guard.children(process.pid)), self._group)
            if _answers(self._port or 0, "/health") is not None:
                break
            waited = SYSTEM_CLOCK.now() - started
            if waited > self._spec.start_timeout:
                raise self._not_ready()
            line = log.phase(self.log_tail(50)) or last or "starting"
            # A model is compiled for minutes without a word.
            if line != last or started + waited - said >= _SAY_AGAIN:
                last, said = line, started + waited
                self._on_progress(f"vLLM, {waited:.0f} s: {line}")
        # Another server that took the port in between would not know the key.
        listed = _answers(self._port or 0, "/v1/models", self.api_key)
        if not self.alive() or self._spec.base_name not in _names(listed):
            raise self._start_error(f"another server answers on port {self._port}")
        self._warm_up(started + self._spec.start_timeout)

    def _warm_up(self, deadline: float) -> None:
        """Ask every model for two tokens: on a CPU the first answer takes vLLM up to 20 s."""
        for name in (self._spec.base_name, *self._spec.adapters):
            left = deadline - SYSTEM_CLOCK.now()
            if left <= 0.0 or not self.alive():
                raise self._not_ready()
            self._on_progress(f"vLLM warms up: {name}")
            message = {"role": "user", "content": "Hello"}
            ask = {"model": name, "messages": [message], "max_tokens": 2, "temperature": 0}
            # A refusal is for the first real request to report, with its cause.
            _answers(self._port or 0, "/v1/chat/completions", self.api_key, ask, left)

    def _not_ready(self) -> ServerError:
        remedy = "raise the server's `start_timeout`"
        if EAGER not in effective_args(self._spec):
            remedy += f", or write `{EAGER}: true` in its `args` so that nothing is compiled"
        return self._start_error(
            f"vLLM was not ready in {self._spec.start_timeout:g} s", f"{remedy}; "
        )

    def _start_error(self, what: str, remedy: str = "") -> ServerError:
        why = log.last_error(self.log_tail(400))
        return ServerError(
            f"{what}: {why}" if why else what,
            where=str(self._spec.model),
            hint=f"{remedy}the whole story is in {self._spec.log}",
        )


def served_names(url: str, api_key: str) -> set[str]:
    """The models that the server at `http://127.0.0.1:PORT/v1` lists; none where it is not ours."""
    port = urlsplit(url).port or 0
    if _answers(port, "/v1/models") is not None:
        return set()  # ours answers nobody who has no key
    return _names(_answers(port, "/v1/models", api_key))


def free_ports(count: int) -> list[int]:
    """Different free ports on loopback."""
    with contextlib.ExitStack() as stack:
        return [stack.enter_context(_bound(0)) for _ in range(count)]


@contextlib.contextmanager
def _bound(port: int) -> Iterator[int]:
    """The port, or a free one for 0, held while the block runs; an OSError where it cannot be."""
    with socket.socket() as probe:
        # As servers do: a port on which only closed connections linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((_HOST, port))
        yield int(probe.getsockname()[1])


def _answers(
    port: int,
    path: str,
    api_key: str | None = None,
    post: dict[str, object] | None = None,
    timeout: float = 5.0,
) -> bytes | None:
    """The body of a 200 on loopback, past any proxy; None for anything else."""
    connection = http.client.HTTPConnection(_HOST, port, timeout=timeout)
    try:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        body = None if post is None else json.dumps(post)
        headers |= {"Content-Type": "application/json"} if body else {}
        connection.request("POST" if body else "GET", path, body=body, headers=headers)
        response = connection.getresponse()
        content = response.read(4 * 1024 * 1024)
        return content if response.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _names(body: bytes | None) -> set[str]:
    try:
        return {str(entry["id"]) for entry in json.loads(body or b"{}")["data"]}
    except (ValueError, KeyError, TypeError):
        return set()
