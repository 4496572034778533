"""The deadline of a case; time in which it waits for other requests does not count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from harness.clock import Clock


class Deadline:
    """So many seconds from now; `ends` is the moment on the clock at which they are over."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._clock = clock
        self._timeout: asyncio.Timeout | None = None
        self.ends = clock.now() + seconds

    @asynccontextmanager
    async def enforced(self) -> AsyncIterator[None]:
        """A block that is cancelled once the time is over.

        Raises:
            TimeoutError: it was.
        """
        async with asyncio.timeout(self.ends - self._clock.now()) as self._timeout:
            yield

    @contextmanager
    def paused(self, last_answer: Callable[[], float]) -> Iterator[None]:
        """A wait inside the block; it counts only from the last answer to any request.

        `last_answer` is the moment of that answer on the clock: a server that answers others
        costs the waiting case none of its time.
        """
        assert self._timeout is not None
        loop, timeout = asyncio.get_running_loop(), self._timeout
        began, ends = self._clock.now(), self.ends
        timer: asyncio.TimerHandle

        def left() -> float:
            self.ends = ends + max(0.0, last_answer() - began)
            return self.ends - self._clock.now()

        def check() -> None:
            nonlocal timer
            if (more := left()) > 0.0:
                timer = loop.call_later(more, check)
            else:
                timeout.reschedule(loop.time())

        timeout.reschedule(None)
        timer = loop.call_later(left(), check)
        try:
            yield
        finally:
            timer.cancel()
        timeout.reschedule(loop.time() + left())
