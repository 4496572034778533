"""Case time: how long a case may take, leaving out what it waits for others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

from harness.clock import Clock


class CaseTime:
    """The seconds that a case has from now on; `ends` is when they are over on the clock."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._clock = clock
        self._timeout: asyncio.Timeout | None = None
        self.ends = clock.now() + seconds

    @asynccontextmanager
    async def limiting(self) -> AsyncIterator[None]:
        """A block that is cut short once the time is over.

        Raises:
            TimeoutError: it was.
        """
        token = _CASE.set(self)
        try:
            async with asyncio.timeout(self.ends - self._clock.now()) as self._timeout:
                yield
        finally:
            _CASE.reset(token)

    @contextmanager
    def standing_still(self, answered: Callable[[], float]) -> Iterator[None]:
        """A wait of which only what is after the last answer counts."""
        assert self._timeout is not None
        loop, timeout = asyncio.get_running_loop(), self._timeout
        began, ends = self._clock.now(), self.ends
        watch: asyncio.TimerHandle

        def left() -> float:
            self.ends = ends + max(0.0, answered() - began)
            return self.ends - self._clock.now()

        def look() -> None:
            nonlocal watch
            if (more := left()) > 0.0:
                watch = loop.call_later(more, look)
            else:
                timeout.reschedule(loop.time())

        timeout.reschedule(None)
        watch = loop.call_later(left(), look)
        try:
            yield
        finally:
            watch.cancel()
        timeout.reschedule(loop.time() + left())


_CASE: ContextVar[CaseTime | None] = ContextVar("case_time", default=None)


@contextmanager
def waiting_in_turn(answered: Callable[[], float]) -> Iterator[None]:
    """A wait that takes nothing of the time of the case that waits, while others are answered.

    `answered` is when the last one was, on the clock.
    """
    case = _CASE.get()
    if case is None:
        yield
    else:
        with case.standing_still(answered):
            yield
