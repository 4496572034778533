"""A bound on the work of a chat template: it comes with a model, and may loop without end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

MOST_SECONDS = 3.0  # of this process's own time: a useful template needs milliseconds
MOST_CHARACTERS = 20_000_000  # more than any model's context


class TooMuch(Exception):
    """A template that needs more time, or writes more, than any useful one."""


@contextmanager
def bounded() -> Iterator[None]:
    """Interrupt what the block does once the process has worked for `MOST_SECONDS` in it.

    A signal can only reach the main thread; in any other there is no bound.

    Raises:
        TooMuch: it has.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooMuch(f"it needs more than {MOST_SECONDS:g} s for one conversation")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


def check_length(text: str) -> str:
    """The text, where it is no longer than any model reads.

    Raises:
        TooMuch: it is longer.
    """
    if len(text) > MOST_CHARACTERS:
        raise TooMuch(f"it writes {len(text):,} characters for one conversation")
    return text
