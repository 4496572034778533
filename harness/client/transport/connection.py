"""One connection that carries one exchange at a time."""

from __future__ import annotations

import asyncio
import select
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol, cast

from harness.client.failures import TransportFailed, exchange_failure
from harness.client.transport.response import ResponseReader
from harness.clock import Clock

AT_ONCE = 8
_LINGER = 1.0
_MOST_UNREAD = 16


class Sink(Protocol):
    """Receives a response as it arrives; an exception from it ends the exchange.

    `sent_at` is set to the moment at which the request is handed to the socket.
    """

    sent_at: float

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the status and the headers, their names in lower case."""
        ...

    def feed(self, data: bytes, at: float) -> bool:
        """Whether nothing more is needed, after a piece of the body that came at `at`."""
        ...


class Keeper(Protocol):
    """Keeps connections between exchanges."""

    def freed(self, connection: Connection) -> None:
        """Take a connection back whose exchange is over, whether it `stands` or not."""
        ...

    def lost(self, connection: Connection) -> None:
        """Take note that a connection is closed."""
        ...


class Backlog:
    """Calls parsers in turn, a few at a time, so that the event loop can read in between.

    So the time of a read is late by the parsing of a few other reads at most, however many arrive
    at once.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._at_work = False

    def add(self, parse: Callable[[], None]) -> None:
        """Let the parser be called soon."""
        self._waiting.append(parse)
        if not self._at_work:
            self._at_work = True
            asyncio.get_running_loop().call_soon(self._work)

    def _work(self) -> None:
        waiting = self._waiting
        for _ in range(min(AT_ONCE, len(waiting))):
            waiting.popleft()()
        self._at_work = bool(waiting)
        if waiting:
            asyncio.get_running_loop().call_soon(self._work)


class Connection(asyncio.Protocol):
    """An HTTP/1.1 connection; the sink is called soon after bytes are read, without another task.

    Reads are timed at once and parsed when their turn in the `backlog` comes. `quiet` is how
    many seconds may pass between two reads. Once the sink needs nothing more, the exchange has
    returned, and the rest of the response is read for a moment, so that the connection can serve
    another exchange.
    """

    def __init__(
        self, keeper: Keeper, clock: Clock, quiet: float, backlog: Backlog | None = None
    ) -> None:
        self._keeper = keeper
        self._clock = clock
        self._quiet = quiet
        self._backlog = backlog or Backlog()
        self._unread: list[tuple[bytes, float]] = []
        self._loop = asyncio.get_running_loop()
        self._reader = ResponseReader()
        self._transport: asyncio.Transport | None = None
        self._poll: select.poll | None = None
        self._open = self._busy = self._head_delivered = False
        self._sink: Sink | None = None
        self._answered: asyncio.Future[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self.freed_at = 0.0
        self.gone: asyncio.Future[None] = self._loop.create_future()

    @property
    def stands(self) -> bool:
        """Whether the connection is open, as far as the event loop knows."""
        return self._open and self._transport is not None and not self._transport.is_closing()

    @property
    def usable(self) -> bool:
        """Whether the connection can serve a request, as far as the kernel knows by now."""
        # Bytes or an end that were not asked for, and that the loop has not read yet.
        unread = self._unread or (self._poll is not None and self._poll.poll(0))
        return self.stands and not unread

    def info(self, name: str) -> object:
        """What the event loop knows of the connection under that name, or None."""
        return None if self._transport is None else self._transport.get_extra_info(name)

    async def exchange(self, request: bytes, sink: Sink) -> None:
        """Return when the sink has the response, or as much of it as it needs.

        Raises:
            TransportFailed: the connection broke, stalled, or brought no HTTP.
        """
        if self._transport is None or not self._open:
            self._keeper.freed(self)
            raise TransportFailed("reset", "the server closed the connection")
        self._reader.begin()
        self._sink, self._head_delivered, self._busy = sink, False, True
        self._answered = answered = self._loop.create_future()
        self._heard = self._loop.time()
        self._watch = self._loop.call_later(self._quiet, self._look)
        try:
            sink.sent_at = self._clock.now()
            self._transport.write(request)
            await answered
        except BaseException:
            # By now the connection may be in another exchange, which is not to be ended.
            if self._answered is answered:
                self._release(keep=False)
            if answered.done() and not answered.cancelled():
                answered.exception()  # seen, where a cancellation came between
            raise

    def close(self, *, at_once: bool = False) -> None:
        """Close the connection, with an orderly shutdown unless `at_once`."""
        self._open = False
        if self._transport is not None:
            (self._transport.abort if at_once else self._transport.close)()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the event loop's call: the connection stands."""
        self._transport = cast("asyncio.Transport", transport)
        # In a tunnel the end may be reported before the beginning.
        self._open = not self.gone.done()
        sock = transport.get_extra_info("socket")
        if sock is not None:
            self._poll = select.poll()
            self._poll.register(sock.fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Take the event loop's call: bytes came."""
        if not self._busy:  # nothing was asked
            self.close()
            return
        self._unread.append((data, self._clock.now()))
        self._heard = self._loop.time()
        if len(self._unread) == 1:
            self._backlog.add(self._parse_unread)
        elif len(self._unread) >= _MOST_UNREAD:
            self._parse_unread()

    def _parse_unread(self) -> None:
        unread, self._unread = self._unread, []
        for data, at in unread:
            if not self._busy:  # what follows an answer is none
                self.close()
                return
            self._parse(data, at)

    def _parse(self, data: bytes, at: float) -> None:
        body = self._reader.feed(data)
        enough = self._deliver(body, at)
        if not self._busy:
            return
        if self._reader.fault is not None:
            self._settle(None if enough else exchange_failure(self._reader.fault))
            self._release(keep=False)
        elif self._reader.whole:
            assert self._transport is not None
            # A server may answer before it has read all of the request: nothing else fits in then.
            keep = self._reader.reusable and self._transport.get_write_buffer_size() == 0
            self._settle(None)
            self._release(keep=keep)
        elif enough and self._sink is not None:
            # Read the rest for a while, to keep the connection usable.
            self._settle(None)
            self._sink = None
            if self._watch is not None:
                self._watch.cancel()
            self._watch = self._loop.call_later(_LINGER, self._look)

    def eof_received(self) -> bool:
        """Take the event loop's call: the server has closed its side; close ours too."""
        self._open = False
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the event loop's call: the connection is closed."""
        self._open = False
        if not self.gone.done():
            self.gone.set_result(None)
        self._parse_unread()
        if self._busy and self._sink is not None and exc is None and self._reader.end():
            self._deliver(b"", self._clock.now())
            self._settle(None)
        if self._busy:
            in_answer = "the connection broke off in mid-answer"
            words = in_answer if self._reader.began else "the server closed the connection"
            self._settle(exchange_failure(exc) if exc else TransportFailed("reset", words))
            self._release(keep=False)
        self._keeper.lost(self)

    def _deliver(self, body: bytes, at: float) -> bool:
        """Whether the sink needs nothing more, after what one read brought."""
        sink = self._sink
        if sink is None:
            return True
        try:
            if self._reader.headed and not self._head_delivered:
                self._head_delivered = True
                sink.head(self._reader.status, self._reader.headers)
            return bool(body) and sink.feed(body, at)
        except Exception as error:  # noqa: BLE001 - it is raised where the exchange is awaited
            self._settle(error)
            self._release(keep=False)
            return True

    def _look(self) -> None:
        """See whether anything came in time."""
        left = self._heard + self._quiet - self._loop.time()
        if self._sink is not None and left > 0.0:
            self._watch = self._loop.call_later(left, self._look)
            return
        self._settle(TransportFailed("stalled", "nothing came for too long"))
        self._release(keep=False)

    def _settle(self, error: Exception | None) -> None:
        """Let `exchange` return, or raise the error, unless it has already."""
        if self._answered is None or self._answered.done():
            return
        if error is None:
            self._answered.set_result(None)
        else:
            self._answered.set_exception(error)

    def _release(self, *, keep: bool) -> None:
        """End the exchange, and the connection with it where it cannot be kept."""
        self._busy = False
        self._sink = self._answered = None
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self.freed_at = self._loop.time()
        if not keep:
            self.close(at_once=True)
        self._keeper.freed(self)
