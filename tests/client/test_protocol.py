"""What a request carries down the stack: its deadline, and the permit to be settled."""

from __future__ import annotations

import asyncio
import math

import pytest

from harness.client.protocol import (
    FREE_CAUSES,
    Answer,
    ChatRequest,
    Deadline,
    Failed,
    Layer,
    Permit,
    Reply,
    RequestContext,
)
from harness.records.attempt import Failure, FailureCause, Timing, Usage
from tests.client.conftest import ask_for
from tests.client.simulated import SimulatedClock, simulate
from tests.manual_clock import ManualClock

USAGE = Usage(prompt_tokens=3, completion_tokens=2)
TIMING = Timing(sent=0.0, done=1.0)
Settled = list[tuple[Usage | None, bool]]


def permit(settled: Settled) -> Permit:
    return Permit(lambda usage, free: settled.append((usage, free)), given=0.0)


def test_an_answer_settles_the_tokens_that_its_server_counted() -> None:
    settled: Settled = []
    permit(settled).settle(Answer("hi", None, "stop", USAGE, TIMING, 1, "m"))
    permit(settled).settle(Answer("hi", None, "stop", None, TIMING, 1, "m"))
    assert settled == [(USAGE, False), (None, False)]


@pytest.mark.parametrize(
    ("cause", "free"),
    [("connect", True), ("http", True), ("timeout", False), ("reset", False), ("stalled", False)],
)
def test_a_failure_is_free_only_where_nothing_can_have_been_generated(
    cause: FailureCause, free: bool
) -> None:
    settled: Settled = []
    permit(settled).settle(Failed(Failure(cause=cause, detail="x"), TIMING, 1))
    assert settled == [(None, free)]
    assert (cause in FREE_CAUSES) is free


def test_what_was_never_sent_is_free_and_a_try_without_a_reply_is_not() -> None:
    settled: Settled = []
    permit(settled).give_back()
    permit(settled).settle(None)
    assert settled == [(None, True), (None, False)]


def test_a_permit_is_taken_once() -> None:
    given = permit([])
    context = RequestContext(0.0, permit=given)
    assert context.take_permit() is given
    assert context.take_permit() is None


async def test_a_request_without_a_moment_of_its_own_is_due_now() -> None:
    class Inner(Layer):
        async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
            return Failed(Failure(cause="http", detail=str(context.intended)), None, 1)

    inner = Inner(ManualClock(5.0))
    replies = [await inner.ask(ask_for()), await inner.ask(ask_for(), intended=3.0)]
    assert [one.failure.detail for one in replies if isinstance(one, Failed)] == ["5.0", "3.0"]


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
