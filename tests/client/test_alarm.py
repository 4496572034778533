"""The alarm rings once, at its moment, on the machine's clock and on others."""

import asyncio
import sys

import pytest

from harness.client.alarm import Alarm
from harness.clock import SYSTEM_CLOCK
from tests.client.simulated import SimulatedClock, simulate


async def test_it_never_rings_early() -> None:
    with Alarm(SYSTEM_CLOCK) as alarm:
        assert alarm.exact == (sys.platform == "linux")
        for _ in range(20):
            moment = SYSTEM_CLOCK.now() + 0.0007
            await alarm.until(moment)
            assert SYSTEM_CLOCK.now() >= moment


async def test_a_moment_that_is_past_is_not_waited_for() -> None:
    with Alarm(SYSTEM_CLOCK) as alarm:
        waiting = alarm.until(SYSTEM_CLOCK.now() - 1.0)
        with pytest.raises(StopIteration):
            waiting.send(None)


async def test_what_is_set_later_counts_and_what_is_hushed_does_not_ring() -> None:
    rung: list[str] = []
    with Alarm(SYSTEM_CLOCK) as alarm:
        now = SYSTEM_CLOCK.now()
        alarm.set(now + 0.001, lambda: rung.append("first"))
        alarm.set(now + 0.002, lambda: rung.append("second"))
        await asyncio.sleep(0.05)
        alarm.set(SYSTEM_CLOCK.now() + 0.001, lambda: rung.append("third"))
        alarm.hush()
        await asyncio.sleep(0.05)
    assert rung == ["second"]


async def test_a_wait_that_is_cancelled_leaves_the_alarm_usable() -> None:
    with Alarm(SYSTEM_CLOCK) as alarm:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await alarm.until(SYSTEM_CLOCK.now() + 0.02)
        moment = SYSTEM_CLOCK.now() + 0.05
        await alarm.until(moment)
        assert SYSTEM_CLOCK.now() >= moment


def test_in_another_time_the_event_loop_rings() -> None:
    async def wait() -> tuple[bool, float]:
        with Alarm(SimulatedClock()) as alarm:
            await alarm.until(3600.0)
            return alarm.exact, SimulatedClock().now()

    assert simulate(wait()) == (False, 3600.0)
