"""A process that trains for this one: it reports through a pipe, and ends when this one ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from harness import process_guard
from harness.errors import TrainingError


def start(
    work: Callable[..., None], name: str, args: tuple[Any, ...]
) -> tuple[Connection[Any, Any], SpawnProcess]:
    """The end of a pipe, and the process that runs `work` with `args` and the pipe's other end."""
    context = multiprocessing.get_context("spawn")
    reports, sender = context.Pipe(duplex=False)
    process = context.Process(target=work, name=name, args=(*args, sender))
    # The child inherits the mask: a Ctrl-C while it starts is for us to act on.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        sender.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return reports, process


def kill(processes: Iterable[SpawnProcess]) -> None:
    """Return once all of the processes have ended."""
    started = [process for process in processes if process.pid]
    for process in started:
        process.kill()
    for process in started:
        process.join()


def died(name: str, process: SpawnProcess) -> TrainingError:
    """The error of a process of a recipe that has ended without a report of it."""
    return TrainingError(
        f"its process ended with exit code {process.exitcode} and without a result",
        where=f"recipe {name}",
        hint="run the command again to go on from the last checkpoint",
    )


def obey_parent() -> None:
    """Leave Ctrl-C to the parent of this process, and end this process when its parent ends.

    It is killed as it is: the lock of tqdm, a semaphore that Python would complain of as not given
    back, is made one of threads.

    The kernel's signal also reaches a process that is deep in a library; the thread is there for
    systems without that signal, and for a parent that is gone already.
    """
    from tqdm import tqdm

    tqdm.set_lock(threading.RLock())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process_guard.signal_with_parent(signal.SIGKILL)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_exit_after, args=(parent.sentinel,), daemon=True).start()


def _exit_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
