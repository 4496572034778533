"""How long a case may take when it waits; nobody really waits."""

from __future__ import annotations

import asyncio
import math

import pytest

from harness.client.deadline import Deadline
from tests.client.simulated import SimulatedClock, simulate


async def over_at(
    clock: SimulatedClock, time: Deadline, answers: list[float], wait: float
) -> float:
    """When a case is cut short that waits for others, who are answered at these moments."""

    def answered() -> float:
        return max((moment for moment in answers if moment <= clock.now()), default=-1.0)

    try:
        async with time.enforced():
            with time.paused(answered):
                await asyncio.sleep(wait)
            await asyncio.sleep(1000.0)
    except TimeoutError:
        return clock.now()
    return math.inf


@pytest.mark.parametrize(
    ("answers", "wait", "over"),
    [
        ([], 4.0, 10.0),
        ([], 400.0, 10.0),
        ([4.0], 4.0, 14.0),
        ([3.0], 4.0, 13.0),
        ([3.0], 400.0, 13.0),
        ([3.0, 12.0], 400.0, 22.0),
        ([3.0, 14.0], 400.0, 13.0),
        ([5.0, 14.0, 23.0], 24.0, 33.0),
    ],
)
def test_only_what_is_after_the_last_answer_counts(
    answers: list[float], wait: float, over: float
) -> None:
    async def work(clock: SimulatedClock) -> tuple[float, float]:
        time = Deadline(10.0, clock)
        return await over_at(clock, time, answers, wait), time.ends

    assert simulate(work(SimulatedClock())) == pytest.approx((over, over))


def test_what_was_answered_before_the_wait_is_no_progress() -> None:
    async def work(clock: SimulatedClock) -> float:
        await asyncio.sleep(5.0)
        return await over_at(clock, Deadline(10.0, clock), [4.0], 400.0)

    assert simulate(work(SimulatedClock())) == pytest.approx(15.0)


def test_a_wait_that_is_broken_off_leaves_nothing_behind() -> None:
    async def work(clock: SimulatedClock) -> float:
        task = asyncio.create_task(over_at(clock, Deadline(10.0, clock), [], 400.0))
        await asyncio.sleep(2.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(20.0)
        return clock.now()

    assert simulate(work(SimulatedClock())) == pytest.approx(22.0)
