"""Run a coroutine to its end, on uvloop where it is installed."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """The result of the coroutine, on uvloop's event loop where there is one.

    Where a loop of this thread is under way already, as in a notebook, the work gets a thread of
    its own, and what interrupts the waiting for it cancels it.
    """
    return _beside(work) if _under_way() else _run(work)


def apart(call: Callable[[], T]) -> T:
    """What the call returns, from where it can have an event loop of its own."""
    if not _under_way():
        return call()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C interrupt what blocks the event loop in a `with`, at once.

    The loop itself takes note of the first Ctrl-C, and cancels when the work gives way to it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _under_way() -> bool:
    """Whether an event loop of this thread is running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _beside(work: Coroutine[Any, Any, T]) -> T:
    begun: Future[Callable[[], object]] = Future()
    done: Future[T] = Future()

    async def supervised() -> T:
        task = asyncio.current_task()
        assert task is not None
        begun.set_result(partial(task.get_loop().call_soon_threadsafe, task.cancel))
        return await work

    def do() -> None:
        try:
            done.set_result(_run(supervised()))
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it
            done.set_exception(error)

    thread = threading.Thread(target=do, name="harness")
    try:
        thread.start()
        return done.result()
    except BaseException:
        if thread.is_alive():
            either: tuple[Future[Any], ...] = (begun, done)
            wait(either, return_when=FIRST_COMPLETED)
            if not done.done():
                with contextlib.suppress(RuntimeError):  # the loop has just ended by itself
                    begun.result()()
        raise
    finally:
        if thread.is_alive():
            thread.join()
