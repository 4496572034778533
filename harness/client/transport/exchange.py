"""HTTP exchanges with one server: send a request, and read its response as it arrives."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from harness.client.transport.connect import Connector
from harness.client.transport.connection import Backlog, Connection, Keeper, Sink
from harness.client.transport.pool import Pool
from harness.client.transport.route import KEEPALIVE, Origin, Proxy, Route
from harness.clock import Clock
from harness.errors import UsageError
from harness.records.target import Generation
from harness.version import __version__


class Transport:
    """HTTP/1.1 over pooled connections to the server of a route; use it in an `async with`.

    At most `concurrency` connections are open. Nothing is sent twice: retries are up to the
    caller. Redirects are not followed. The caller limits the time of a whole exchange by
    cancelling it, which closes its connection.

    Raises:
        UsageError: the environment's proxy cannot be used.
    """

    def __init__(self, route: Route, *, generation: Generation, clock: Clock) -> None:
        self._generation = generation
        self._clock = clock
        self._origin = Origin.of(route.url)
        self._proxy = Proxy.of(route.proxy) if route.proxy is not None else None
        self._connector = Connector(self._origin, self._proxy, generation.connect_timeout)
        self._backlog = Backlog()
        self._pool: Pool | None = None
        # A proxy is told the whole address (RFC 9112, 3.2.2), unless it only carries a tunnel.
        self._prefix = ""
        lines = [
            f"Host: {self._origin.authority}",
            f"User-Agent: harness/{__version__}",
            # A compressed stream would be held back until a block is full.
            "Accept-Encoding: identity",
        ]
        if self._proxy is not None and not self._origin.secure:
            self._prefix = f"http://{self._origin.authority}"
            if self._proxy.authorization is not None:
                lines.append(f"Proxy-Authorization: {self._proxy.authorization}")
        self._lines = "\r\n".join(lines)

    async def __aenter__(self) -> Self:
        self._pool = Pool(self._connect, limit=self._generation.concurrency, keepalive=KEEPALIVE)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.close()

    @property
    def is_open(self) -> bool:
        """Whether exchanges are possible now."""
        return self._pool is not None

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
        if self._pool is None:
            raise UsageError("the client is not open", hint="ask inside its `async with`")
        request = self._head(method, target, headers, len(body)) + body
        connection = await self._pool.take()
        await connection.exchange(request, sink)

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

    async def _connect(self, keeper: Keeper) -> Connection:
        return await self._connector.connect(
            lambda: Connection(keeper, self._clock, self._generation.chunk_timeout, self._backlog)
        )
