"""The timer fires once, at its moment, on the machine's clock and on others."""

import asyncio
import sys

import pytest

from harness.clock import SYSTEM_CLOCK
from harness.latency.deadline_timer import DeadlineTimer
from tests.client.simulated import SimulatedClock, simulate


async def test_it_never_fires_early() -> None:
    with DeadlineTimer(SYSTEM_CLOCK) as timer:
        assert (timer._file is not None) == (sys.platform == "linux")
        for _ in range(20):
            moment = SYSTEM_CLOCK.now() + 0.0007
            await timer.wait_until(moment)
            assert SYSTEM_CLOCK.now() >= moment


async def test_a_moment_that_is_past_is_not_waited_for() -> None:
    with DeadlineTimer(SYSTEM_CLOCK) as timer:
        waiting = timer.wait_until(SYSTEM_CLOCK.now() - 1.0)
        with pytest.raises(StopIteration):
            waiting.send(None)


async def test_what_is_set_later_counts_and_what_is_cancelled_does_not_fire() -> None:
    fired: list[str] = []
    with DeadlineTimer(SYSTEM_CLOCK) as timer:
        now = SYSTEM_CLOCK.now()
        timer.set(now + 0.001, lambda: fired.append("first"))
        timer.set(now + 0.002, lambda: fired.append("second"))
        await asyncio.sleep(0.05)
        timer.set(SYSTEM_CLOCK.now() + 0.001, lambda: fired.append("third"))
        timer.cancel()
        await asyncio.sleep(0.05)
    assert fired == ["second"]


async def test_a_wait_that_is_cancelled_leaves_the_timer_usable() -> None:
    with DeadlineTimer(SYSTEM_CLOCK) as timer:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await timer.wait_until(SYSTEM_CLOCK.now() + 0.02)
        moment = SYSTEM_CLOCK.now() + 0.05
        await timer.wait_until(moment)
        assert SYSTEM_CLOCK.now() >= moment


def test_in_another_time_the_event_loop_fires() -> None:
    async def wait() -> tuple[bool, float]:
        with DeadlineTimer(SimulatedClock()) as timer:
            await timer.wait_until(3600.0)
            return timer._file is not None, SimulatedClock().now()

    assert simulate(wait()) == (False, 3600.0)
