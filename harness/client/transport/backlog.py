"""What was read and timed, and waits to be understood."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

AT_ONCE = 8


class Reader(Protocol):
    """Whoever has read something."""

    def digest(self) -> None:
        """Understand all that was read."""
        ...


class Backlog:
    """Lets readers digest in their turn, a few at a time, and the event loop read in between.

    The moment at which bytes are read then never waits for more than a few others to be understood,
    however many come at once.
    """

    def __init__(self) -> None:
        self._waiting: deque[Reader] = deque()
        self._at_work = False

    def add(self, reader: Reader) -> None:
        """Let the reader digest soon."""
        self._waiting.append(reader)
        if not self._at_work:
            self._at_work = True
            asyncio.get_running_loop().call_soon(self._work)

    def _work(self) -> None:
        waiting = self._waiting
        for _ in range(min(AT_ONCE, len(waiting))):
            waiting.popleft().digest()
        self._at_work = bool(waiting)
        if waiting:
            asyncio.get_running_loop().call_soon(self._work)
