from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

from harness.clock import SystemClock, iso
from tests.manual_clock import ManualClock


def test_a_manual_clock_moves_only_when_told_or_slept_on() -> None:
    clock = ManualClock(start=5.0)
    assert clock.now() == clock.now() == 5.0
    asyncio.run(clock.sleep(2.5))
    clock.advance(0.5)
    assert clock.now() == 8.0


def test_the_system_clock_never_runs_backwards() -> None:
    clock = SystemClock()
    readings = [clock.now() for _ in range(1000)]
    assert readings == sorted(readings)


def test_iso_is_utc_to_the_second() -> None:
    moment = datetime(2026, 3, 1, 1, 30, 0, 999, tzinfo=timezone(timedelta(hours=2)))
    assert iso(moment) == "2026-02-28T23:30:00Z"
    assert iso(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"
