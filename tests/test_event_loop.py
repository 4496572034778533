"""The event loop of a run, also where another one is running."""

from __future__ import annotations

import asyncio
import signal
import threading

import pytest

from harness.event_loop import apart, interruptible, run_async


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def fail() -> None:
    await asyncio.sleep(0)
    raise ValueError("broken")


async def thread_of_it() -> threading.Thread:
    return threading.current_thread()


def test_work_is_done_in_this_thread_where_no_loop_is_running() -> None:
    assert run_async(double(2)) == 4
    assert run_async(thread_of_it()) is threading.current_thread()


def test_work_is_done_beside_a_loop_that_is_running() -> None:
    async def cell() -> tuple[int, threading.Thread]:
        return run_async(double(3)), run_async(thread_of_it())

    number, thread = asyncio.run(cell())
    assert number == 6
    assert thread is not threading.current_thread()
    assert not thread.is_alive()


def test_an_error_of_the_work_is_the_callers() -> None:
    async def cell() -> None:
        with pytest.raises(ValueError, match="broken"):
            run_async(fail())

    asyncio.run(cell())


def test_an_interrupt_of_the_waiting_cancels_the_work() -> None:
    cancelled = []

    async def work() -> None:
        try:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(threading.current_thread())
            raise

    async def cell() -> None:
        run_async(work())

    loop = asyncio.new_event_loop()  # a Runner would take the interrupt for its own
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(cell())
    loop.close()
    assert len(cancelled) == 1
    assert not cancelled[0].is_alive()


def test_a_call_apart_can_have_a_loop_of_its_own() -> None:
    async def cell() -> int:
        return apart(lambda: asyncio.run(double(4)))

    assert asyncio.run(cell()) == 8
    assert apart(threading.current_thread) is threading.current_thread()


def test_ctrl_c_interrupts_what_blocks_the_loop_at_once() -> None:
    ended = []

    async def work() -> None:
        try:
            with interruptible():
                signal.raise_signal(signal.SIGINT)
                ended.append("blocked on")
        finally:
            ended.append("put away")

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(work())
    assert ended == ["put away"]


def test_the_loop_takes_note_of_ctrl_c_again_when_nothing_blocks_it() -> None:
    async def work() -> None:
        before = signal.getsignal(signal.SIGINT)
        with interruptible():
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGINT) is before

    asyncio.run(work())


def test_another_thread_leaves_ctrl_c_alone() -> None:
    async def cell() -> None:
        async def work() -> None:
            with interruptible():
                pass

        run_async(work())

    asyncio.run(cell())
