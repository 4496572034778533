"""The monitor sees what keeps the process from its work, and nothing else."""

import asyncio
import gc
from typing import Any

import pytest

from harness.clock import SYSTEM_CLOCK
from harness.latency.loop_lag import EVERY, LoopLagMonitor, garbage_frozen
from harness.records.latency import ClientHealth
from tests.client.simulated import SimulatedClock, simulate


def freeze(seconds: float) -> None:
    """Stop the loop that runs."""
    loop: Any = asyncio.get_running_loop()
    loop._jumping.moment += seconds


async def watched(*freezes: float, cpu: float = 0.0) -> ClientHealth:
    spent = iter([0.0, cpu])
    async with LoopLagMonitor(SimulatedClock(), cpu=lambda: next(spent)) as monitor:
        for seconds in freezes:
            await asyncio.sleep(1.0)
            freeze(seconds)
        await asyncio.sleep(1.0)
    return monitor.health()


def test_a_loop_that_is_in_time_has_no_lag() -> None:
    health = simulate(watched())
    assert health.lag_longest == pytest.approx(0.0, abs=1e-9)
    assert health.lag_p99 == pytest.approx(0.0, abs=1e-9)


def test_a_freeze_is_lag_for_as_long_as_it_lasts() -> None:
    health = simulate(watched(2.0))
    assert health.lag_longest == pytest.approx(2.0, abs=EVERY)
    # Half of the four seconds went by in it; one look at its end would be one in two hundred.
    assert health.lag_p99 == pytest.approx(2.0, rel=0.05)
    short = simulate(watched(0.002))
    assert short.lag_longest == pytest.approx(0.002, abs=1e-9)
    assert short.lag_p99 == pytest.approx(0.0, abs=1e-9)


def test_a_freeze_that_nothing_came_after_is_seen() -> None:
    async def frozen() -> ClientHealth:
        async with LoopLagMonitor(SimulatedClock()) as monitor:
            await asyncio.sleep(1.0)
            freeze(3.0)
            return monitor.health()

    assert simulate(frozen()).lag_longest == pytest.approx(3.0, abs=EVERY)


def test_the_share_of_a_processor() -> None:
    assert simulate(watched(cpu=0.25)).cpu == pytest.approx(0.25)
    assert simulate(watched(1.0, cpu=6.0)).cpu == pytest.approx(2.0)


def test_the_collectors_pauses() -> None:
    async def collected() -> ClientHealth:
        async with LoopLagMonitor(SimulatedClock()) as monitor:
            await asyncio.sleep(1.0)
            gc.callbacks.append(slow)
            try:
                gc.collect()
                gc.collect(0)
            finally:
                gc.callbacks.remove(slow)
        return monitor.health()

    times = iter([0.25, 0.5])

    def slow(phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            freeze(next(times))

    health = simulate(collected())
    assert health.gc_longest == pytest.approx(0.5)
    assert health.gc_total == pytest.approx(0.75)


async def test_the_collector_is_left_as_it_was() -> None:
    before, thresholds = list(gc.callbacks), gc.get_threshold()
    async with LoopLagMonitor(SYSTEM_CLOCK):
        assert gc.get_threshold()[2] > thresholds[2]
        assert len(gc.callbacks) == len(before) + 1
    assert (gc.callbacks, gc.get_threshold()) == (before, thresholds)


def test_at_rest_the_collector_leaves_alone_what_was_there() -> None:
    with garbage_frozen():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


async def test_on_the_machines_clock_it_looks_again_and_again() -> None:
    async with LoopLagMonitor(SYSTEM_CLOCK) as monitor:
        await asyncio.sleep(10 * EVERY)
    assert len(monitor._late) >= 9
    assert min(monitor._late) >= 0.0
    assert monitor.health().cpu > 0.0
