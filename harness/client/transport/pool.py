"""The pool of connections to one server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from harness.client.transport.connection import Connection, Keeper

_CLOSING = 0.5

Connect = Callable[[Keeper], Awaitable[Connection]]


class Pool:
    """At most `limit` connections, the latest used first; idle ones are closed after `keepalive`.

    `connect` makes a connection that comes back to the pool by itself when its exchange is over.
    """

    def __init__(self, connect: Connect, *, limit: int, keepalive: float) -> None:
        self._connect = connect
        self._keepalive = keepalive
        self._slots = asyncio.Semaphore(limit)
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._sweep: asyncio.TimerHandle | None = None

    async def take(self) -> Connection:
        """A connection for one exchange, as soon as one may be used; the exchange begins at once.

        Raises:
            TransportFailed: no connection could be made.
        """
        await self._slots.acquire()
        fresh = asyncio.get_running_loop().time() - self._keepalive
        while self._idle:
            connection = self._idle.pop()
            if connection.freed_at > fresh and connection.usable:
                return connection
            connection.close()
        try:
            connection = await self._connect(self)
        except BaseException:
            self._slots.release()
            raise
        self._all.add(connection)
        return connection

    async def close(self) -> None:
        """Close every connection, and return when they are closed."""
        if self._sweep is not None:
            self._sweep.cancel()
        open_ones = list(self._all)
        for connection in open_ones:
            connection.close()
        if open_ones:
            _, left = await asyncio.wait([one.gone for one in open_ones], timeout=_CLOSING)
            if left:
                for connection in open_ones:
                    connection.abort()
                await asyncio.wait(left, timeout=_CLOSING)

    def freed(self, connection: Connection) -> None:
        """Keep a connection whose exchange is over, if it can be used again."""
        if connection.stands:
            self._idle.append(connection)
            if self._sweep is None:
                self._sweep = self._later(self._keepalive)
        elif connection.gone.done():  # lost before it was ever taken
            self._all.discard(connection)
        self._slots.release()

    def lost(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def _later(self, seconds: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, self._drop_stale)

    def _drop_stale(self) -> None:
        """Close what was idle for too long; the longest idle come first."""
        now = asyncio.get_running_loop().time()
        while self._idle and self._idle[0].freed_at + self._keepalive <= now:
            self._idle.pop(0).close()
        self._sweep = (
            self._later(self._idle[0].freed_at + self._keepalive - now) if self._idle else None
        )
