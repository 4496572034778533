"""GET requests: the whole document that a server answers with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from harness.client.failures import TransportFailed
from harness.client.transport.exchange import Transport
from harness.client.transport.route import Route
from harness.clock import SYSTEM_CLOCK
from harness.records.target import Generation

_LONGEST_BODY = 4 * 1024 * 1024


class WholeBody:
    """A sink that keeps the status, the headers and at most `limit` bytes of the body."""

    __slots__ = ("_limit", "_pieces", "cut", "headers", "length", "sent_at", "status")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self.length = 0
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.cut = False
        self.sent_at = 0.0

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
        """Whether the limit is reached; `cut` then tells that bytes were dropped."""
        room = self._limit - self.length
        self.cut = len(data) > room
        self._pieces.append(data[:room])
        self.length += len(self._pieces[-1])
        return self.length >= self._limit


Fetch = Callable[[str], Awaitable[WholeBody]]


@asynccontextmanager
async def fetcher(route: Route, headers: Mapping[str, str], seconds: float) -> AsyncIterator[Fetch]:
    """A function that gets the document at a path of the server, whatever its status.

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
            document = WholeBody(_LONGEST_BODY)
            await transport.exchange("GET", path, sent, b"", document)
            if document.cut:
                raise TransportFailed("protocol", "the answer is too long")
            return document

        yield fetch
