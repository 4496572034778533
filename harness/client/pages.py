"""Pages of a server: what it answers to a GET, taken whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from harness.client.route import Route
from harness.client.transport.body import WholeBody
from harness.client.transport.exchange import Transport, TransportFailed
from harness.clock import SYSTEM_CLOCK
from harness.records.target import Generation

_LONGEST_BODY = 4 * 1024 * 1024

GetPage = Callable[[str], Awaitable[WholeBody]]


@asynccontextmanager
async def pages(route: Route, seconds: float) -> AsyncIterator[GetPage]:
    """What gets the page at a path of the server, whatever its status, while the block runs.

    Raises:
        UsageError: the address or the key cannot be used.
        TransportFailed: no connection, or no whole answer of at most 4 MB.
        TimeoutError: the block took longer than `seconds`.
    """
    # The limit of the whole is the one that is told of.
    limits = Generation(connect_timeout=2 * seconds, chunk_timeout=2 * seconds, concurrency=1)
    async with (
        asyncio.timeout(seconds),
        Transport(route, generation=limits, clock=SYSTEM_CLOCK) as transport,
    ):

        async def get(target: str) -> WholeBody:
            page = WholeBody(_LONGEST_BODY)
            headers = {"Accept": "*/*", **route.headers()}
            await transport.exchange("GET", target, headers, b"", page)
            if page.cut:
                raise TransportFailed("protocol", "the answer is too long")
            return page

        yield get
