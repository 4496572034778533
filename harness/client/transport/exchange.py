"""HTTP exchanges with one server over pooled connections, as they arrive or taken whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from harness.client.failures import TransportFailed
from harness.client.transport.connect import Connector
from harness.client.transport.connection import Backlog, Connection, Sink
from harness.client.transport.redirect import MOST, path_to_follow
from harness.client.transport.route import KEEPALIVE, Route
from harness.clock import SYSTEM_CLOCK, Clock
from harness.errors import UsageError
from harness.records.target import Generation
from harness.version import __version__

_CLOSING = 0.5
_LONGEST_BODY = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reached:
    """How a connection is secured: the version of TLS and the certificate's last day, or None."""

    tls: str | None
    expires: str | None


class Transport:
    """HTTP/1.1 to the server of a route; use it in an `async with`.

    At most `concurrency` connections are open, the latest used first; idle ones are closed after
    `KEEPALIVE` seconds. Nothing is sent twice: retries and redirects are up to the caller. It
    limits the time of a whole exchange by cancelling it, which closes its connection.
    """

    def __init__(self, route: Route, *, generation: Generation, clock: Clock) -> None:
        origin, proxy = route.origin, route.proxy
        self._chunk_timeout = generation.chunk_timeout
        self._clock = clock
        self._connector = Connector(origin, proxy, generation.connect_timeout)
        self._backlog = Backlog()
        self._open = False
        self._slots = asyncio.Semaphore(generation.concurrency)
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._sweep: asyncio.TimerHandle | None = None
        # A proxy gets the whole address (RFC 9112, 3.2.2), unless it only carries a tunnel.
        self._prefix = ""
        lines = [
            f"Host: {origin.authority}",
            f"User-Agent: harness/{__version__}",
            # A compressed stream would be held back until a block is full.
            "Accept-Encoding: identity",
        ]
        if proxy is not None and not origin.secure:
            self._prefix = f"http://{origin.authority}"
            if proxy.authorization is not None:
                lines.append(f"Proxy-Authorization: {proxy.authorization}")
        self._lines = "\r\n".join(lines)

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection, and return when they are closed."""
        self._open = False
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        if not (open_ones := list(self._all)):
            return
        for connection in open_ones:
            connection.close()
        _closed, left = await asyncio.wait([one.gone for one in open_ones], timeout=_CLOSING)
        if left:
            for connection in open_ones:
                connection.close(at_once=True)
            await asyncio.wait(left, timeout=_CLOSING)

    async def reach(self) -> Reached:
        """How a connection to the server stands, which is opened for that.

        Raises:
            TransportFailed: there is none, and why.
        """
        async with self._slots:
            connection = await self._connector.connect(
                lambda: Connection(self, self._clock, self._chunk_timeout, self._backlog)
            )
        self._all.add(connection)
        secured = connection.info("ssl_object")
        version = getattr(secured, "version", None)
        certificate = connection.info("peercert")
        connection.close()
        return Reached(
            tls=None if version is None else version(),
            expires=certificate.get("notAfter") if isinstance(certificate, dict) else None,
        )

    async def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, sink: Sink
    ) -> None:
        """Return when the sink has the response, or as much of it as it needs.

        `target` is the path, with the query if any. Host, length and the accepted encoding are
        sent by themselves. What the sink raises comes out of here.

        Raises:
            TransportFailed: there is no connection, it broke or stalled, or brought no HTTP.
            UsageError: not in the `async with`, or the target or a header holds characters that
                none can carry.
        """
        if not self._open:
            raise UsageError("the client is not open", hint="ask inside its `async with`")
        request = self._head(method, target, headers, len(body)) + body
        await self._slots.acquire()
        connection = self._idle_connection()
        if connection is None:
            try:
                connection = await self._connector.connect(
                    lambda: Connection(self, self._clock, self._chunk_timeout, self._backlog)
                )
            except BaseException:
                self._slots.release()
                raise
            self._all.add(connection)
        await connection.exchange(request, sink)

    def freed(self, connection: Connection) -> None:
        """Keep a connection whose exchange is over, if it can be used again."""
        if connection.stands:
            self._idle.append(connection)
            if self._sweep is None:
                self._sweep_in(KEEPALIVE)
        elif connection.gone.done():  # lost before its first exchange
            self._all.discard(connection)
        self._slots.release()

    def lost(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def _idle_connection(self) -> Connection | None:
        fresh = asyncio.get_running_loop().time() - KEEPALIVE
        while self._idle:
            connection = self._idle.pop()
            if connection.freed_at > fresh and connection.usable:
                return connection
            connection.close()
        return None

    def _sweep_in(self, seconds: float) -> None:
        self._sweep = asyncio.get_running_loop().call_later(seconds, self._close_stale)

    def _close_stale(self) -> None:
        """Close what was idle for too long; the longest idle come first."""
        self._sweep = None
        now = asyncio.get_running_loop().time()
        while self._idle and self._idle[0].freed_at + KEEPALIVE <= now:
            self._idle.pop(0).close()
        if self._idle:
            self._sweep_in(self._idle[0].freed_at + KEEPALIVE - now)

    def _head(self, method: str, target: str, headers: Mapping[str, str], length: int) -> bytes:
        lines = [f"{method} {self._prefix}{target} HTTP/1.1", self._lines]
        for name, value in headers.items():
            if not (name.isascii() and f"{name}{value}".isprintable()):
                raise UsageError("holds characters that no header can carry", where=name[:40])
            lines.append(f"{name}: {value}")
        if not (target.isascii() and target.isprintable()) or " " in target:
            raise UsageError("the path holds characters that no request can carry")
        if length or method != "GET":
            lines.append(f"Content-Length: {length}")
        lines.append("\r\n")
        try:
            return "\r\n".join(lines).encode("latin-1")
        except UnicodeEncodeError:
            raise UsageError("a header holds characters that no header can carry") from None


@dataclass(slots=True, eq=False)
class WholeBody:
    """A sink that keeps the status, the headers and at most `limit` bytes of the body.

    `cut` says that bytes were dropped.
    """

    limit: int
    _pieces: list[bytes] = field(default_factory=list)
    length: int = 0
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    sent_at: float = 0.0

    @property
    def content(self) -> bytes:
        """What came of the body."""
        return b"".join(self._pieces)

    @property
    def kind(self) -> str:
        """The media type, without its parameters; empty where the server names none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the status and the headers."""
        self.status = status
        self.headers = headers

    def feed(self, data: bytes, at: float) -> bool:  # noqa: ARG002 - a sink's signature
        """Whether the limit is reached."""
        room = self.limit - self.length
        self.cut = len(data) > room
        self._pieces.append(data[:room])
        self.length += len(self._pieces[-1])
        return self.length >= self.limit


Fetch = Callable[[str], Awaitable[WholeBody]]


@asynccontextmanager
async def fetcher(route: Route, headers: Mapping[str, str], seconds: float) -> AsyncIterator[Fetch]:
    """A function that gets the document at a path of the server, whatever its status.

    A redirect to another path of the server is followed, one to another server is not.

    Raises:
        UsageError: the address or a header cannot be used.
        TransportFailed: no connection, or no whole answer of at most 4 MB.
        TimeoutError: the block took longer than `seconds`.
    """
    # The limit of the whole block is the one to report.
    limits = Generation(connect_timeout=2 * seconds, chunk_timeout=2 * seconds, concurrency=1)
    sent = {"Accept": "*/*", **headers}
    async with (
        asyncio.timeout(seconds),
        Transport(route, generation=limits, clock=SYSTEM_CLOCK) as transport,
    ):

        async def fetch(path: str) -> WholeBody:
            for _ in range(1 + MOST):
                document = WholeBody(_LONGEST_BODY)
                await transport.exchange("GET", path, sent, b"", document)
                moved = path_to_follow(route, path, document.status, document.headers)
                if moved is None:
                    break
                path = moved[0]
            if document.cut:
                raise TransportFailed("protocol", "the answer is too long")
            return document

        yield fetch
