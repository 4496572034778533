"""A timer that fires at a moment, exact where event loops count whole milliseconds."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import sys
from collections.abc import Callable
from typing import Any, Self

from harness.clock import Clock, SystemClock

_MONOTONIC = 1
_ABSOLUTE = 1
_NANO = 1_000_000_000


class DeadlineTimer:
    """Fires at one moment at a time on the clock; use it in a `with` inside a running event loop.

    On Linux and the machine's own clock the kernel fires it, late by some microseconds. Elsewhere
    the event loop does, which may be a millisecond late by rounding alone.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._file: int | None = None
        self._libc: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._call: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        # There the clock's zero is the kernel's.
        if sys.platform == "linux" and isinstance(self._clock, SystemClock):
            import ctypes

            self._libc = ctypes.CDLL(None, use_errno=True)
            file = self._libc.timerfd_create(_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
            if file >= 0:
                self._file = file
                self._loop.add_reader(file, self._fire)
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()
        if self._file is not None:
            self._loop.remove_reader(self._file)
            os.close(self._file)
            self._file = None

    def set(self, moment: float, call: Callable[[], None]) -> None:
        """Call at the moment, and forget what was set before."""
        self.cancel()
        self._call = call
        if self._file is None:
            self._timer = self._loop.call_later(max(0.0, moment - self._clock.now()), self._fire)
        else:
            self._arm(moment)

    def cancel(self) -> None:
        """Do not fire."""
        self._call = None
        if self._timer is not None:
            self._timer.cancel()

    async def wait_until(self, moment: float) -> None:
        """Return at the moment, or at once where it is past."""
        if moment <= self._clock.now():
            return
        fired: asyncio.Future[None] = self._loop.create_future()

        def fire() -> None:
            if not fired.done():
                fired.set_result(None)

        self.set(moment, fire)
        await fired

    def _arm(self, moment: float) -> None:
        at = max(1, int(moment * _NANO))
        when = struct.pack("4q", 0, 0, at // _NANO, at % _NANO)
        self._libc.timerfd_settime(self._file, _ABSOLUTE, when, None)

    def _fire(self) -> None:
        if self._file is not None:
            with contextlib.suppress(BlockingIOError):
                os.read(self._file, 8)
        call, self._call = self._call, None
        if call is not None:
            call()
