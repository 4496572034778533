"""A server that sends exactly the bytes it is told to, and a sink that notes what it is told."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import socket
import ssl
import struct
from collections.abc import Mapping, Sequence
from typing import Self

from harness.client.transport.exchange import Transport
from harness.client.transport.route import Route
from harness.clock import SYSTEM_CLOCK, Clock
from harness.records.target import Generation


class Step(enum.Enum):
    """What to do instead of sending."""

    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"


Answer = Sequence[bytes | Step]


class RawServer:
    """One list of answers for each connection, in their order; the last list serves all others.

    An answer begins when a request is there. `requests` are what came, by connection; `ended` is
    how many connections are closed.
    """

    def __init__(
        self,
        *connections: Sequence[Answer],
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._scripts = connections
        self._host = host
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests: list[list[bytes]] = []
        self.arrived = asyncio.Event()
        self.ended = 0
        self.all_ended = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}/v1"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        requests: list[bytes] = []
        self.requests.append(requests)
        try:
            await self.talk(requests, reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            self.ended += 1
            if self.ended == len(self.requests):
                self.all_ended.set()

    async def talk(
        self, requests: list[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve one connection, whose requests are to be noted; at the end it is closed."""
        for answer in self._scripts[min(len(self.requests), len(self._scripts)) - 1]:
            requests.append(await read_request(reader))
            self.arrived.set()
            for step in answer:
                if step is Step.HANG:
                    await reader.read()
                    raise EOFError
                await self._do(step, writer)
        await reader.read()

    async def _do(self, step: bytes | Step, writer: asyncio.StreamWriter) -> None:
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
            await asyncio.sleep(0)
        else:
            if step is Step.RESET:
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            raise EOFError


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """A request, head and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)


class Notes:
    """A sink that has enough once `until` was among what came."""

    def __init__(self, until: bytes | None = None) -> None:
        self._until = until
        self.sent_at = 0.0
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.body = b""
        self.times: list[float] = []

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        assert self.status == 0
        self.status = status
        self.headers = headers

    def feed(self, data: bytes, at: float) -> bool:
        assert self.status != 0
        assert data
        self.body += data
        self.times.append(at)
        return self._until is not None and self._until in self.body


def transport(url: str, clock: Clock = SYSTEM_CLOCK, **limits: float) -> Transport:
    """A transport to the address."""
    given: dict[str, float] = {"concurrency": 4, "chunk_timeout": 20.0, "connect_timeout": 10.0}
    settings = Generation.model_validate({**given, **limits})
    return Transport(Route(url), generation=settings, clock=clock)


async def post(over: Transport, sink: Notes | None = None, body: bytes = b"{}") -> Notes:
    """What a sink was told of one request."""
    sink = sink or Notes()
    await over.exchange("POST", "/v1/x", {"Content-Type": "application/json"}, body, sink)
    return sink


def plain(body: bytes, *headers: str) -> bytes:
    """A response with a length."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(*pieces: bytes, trailer: bytes = b"") -> bytes:
    """A response in chunks."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(chunk(piece) for piece in pieces) + b"0\r\n" + trailer + b"\r\n"


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    return f"{len(data):x}".encode() + extension + b"\r\n" + data + b"\r\n"
