"""A clock for tests that moves only when told to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime


class ManualClock:
    """A clock that moves only when told to, or when somebody sleeps on it."""

    def __init__(self, start: float = 0.0, utc: datetime | None = None) -> None:
        self._now = start
        self._utc = utc or datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> float:
        """Seconds since this clock's zero."""
        return self._now

    def utc(self) -> datetime:
        """The fixed wall-clock time this clock was given."""
        return self._utc

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._now += seconds

    async def sleep(self, seconds: float) -> None:
        """Move the clock forward by `seconds` and yield once to other tasks."""
        self.advance(seconds)
        await asyncio.sleep(0)
