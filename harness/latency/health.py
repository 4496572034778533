"""The client's and the server's side of a latency measurement: what each did meanwhile."""

from __future__ import annotations

import gc
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness.client.metrics import Metrics, scrape
from harness.clock import SYSTEM_CLOCK, Clock
from harness.latency.deadline_timer import DeadlineTimer
from harness.records.latency import ClientHealth, ServerHealth
from harness.serving import log
from harness.targets.endpoint import Endpoint

EVERY = 0.005
_NICE = -10
_NEVER = 1_000_000


@contextmanager
def garbage_frozen() -> Iterator[None]:
    """Keep what is there already out of the garbage collector's way inside a `with`.

    Its pauses are longer the more it goes through. One such `with` goes around many monitors: going
    through everything that a process has loaded takes a while.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def client_priority(wanted: str, say: Callable[[str], None]) -> Iterator[None]:
    """Let the client go before others inside a `with`, where the system lets it: it says which.

    `raised` is real time, of the smallest rank, where that may be had, else a niceness of -10. Both
    are of this thread and not of the processes that it starts.
    """
    if wanted == "usual":
        yield
        return
    with ExitStack() as stack:
        for raise_it in (_real_time, _nicer):
            try:
                got, back = raise_it()
            except (AttributeError, OSError):  # not on this system, or not for this user
                continue
            stack.callback(back)
            say(f"latency: the client measures {got}")
            break
        else:
            say("latency: the client measures at its usual priority: the system grants no other")
        yield


def _real_time() -> tuple[str, Callable[[], None]]:
    """What the client has now, and what gives it back."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    os.sched_setscheduler(0, policy, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))
    return "in real time (SCHED_RR)", lambda: os.sched_setscheduler(0, *before)


def _nicer() -> tuple[str, Callable[[], None]]:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    return f"at a niceness of {_NICE}", lambda: os.setpriority(os.PRIO_PROCESS, 0, before)


class LoopLagMonitor:
    """Measures event-loop lag, garbage collection and CPU use inside an `async with`.

    What outlives the collector's short looks is left alone until the end.
    """

    def __init__(self, clock: Clock, *, cpu: Callable[[], float] = time.process_time) -> None:
        self._clock = clock
        self._cpu = cpu
        self._late: list[float] = []
        self._pauses: list[float] = []
        self._due = self._paused_at = 0.0
        self._began = self._cpu_began = 0.0
        self._ended: tuple[float, float] | None = None
        self._thread = 0
        self._thresholds = (0, 0, 0)

    async def __aenter__(self) -> Self:
        self._thread = threading.get_ident()
        gc.collect()
        self._thresholds = gc.get_threshold()
        gc.set_threshold(*self._thresholds[:2], _NEVER)
        gc.callbacks.append(self._collecting)
        self._timer = DeadlineTimer(self._clock).__enter__()
        self._began, self._cpu_began = self._clock.now(), self._cpu()
        self._due = self._began + EVERY
        self._timer.set(self._due, self._tick)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._overdue()
        self._ended = self._clock.now(), self._cpu()
        self._timer.__exit__()
        gc.callbacks.remove(self._collecting)
        gc.set_threshold(*self._thresholds)

    def health(self) -> ClientHealth:
        """What was seen so far, or in the whole block once it is over."""
        if self._ended is None:
            self._overdue()
        until, spent = self._ended or (self._clock.now(), self._cpu())
        late = sorted(self._late) or [0.0]
        seconds = until - self._began
        return ClientHealth(
            lag_p99=late[math.ceil(0.99 * len(late)) - 1],
            lag_longest=late[-1],
            gc_longest=max(self._pauses, default=0.0),
            gc_total=sum(self._pauses),
            cpu=(spent - self._cpu_began) / seconds if seconds > 0.0 else 0.0,
        )

    def _tick(self) -> None:
        self._overdue()
        self._timer.set(self._due, self._tick)

    def _overdue(self) -> None:
        """Note how late every look is that should have been by now, those slept through too."""
        now = self._clock.now()
        while self._due <= now:
            self._late.append(now - self._due)
            self._due += EVERY

    def _collecting(self, phase: str, info: dict[str, int]) -> None:  # noqa: ARG002 - gc's signature
        if threading.get_ident() != self._thread:
            return
        if phase == "start":
            self._paused_at = self._clock.now()
        else:
            self._pauses.append(self._clock.now() - self._paused_at)


# Requests that were given up may take a moment to leave.
_SETTLE_SECONDS = 0.02
_LOOKS = 25


@dataclass(frozen=True, slots=True)
class Look:
    """What a server at its address had counted at a moment, and how long its log was."""

    url: str
    metrics: Metrics | None
    logged: int = 0


class ServerWatch:
    """Looks at a server's counters, and at its log where it is ours."""

    def __init__(
        self, endpoint: Endpoint, logged: Path | None = None, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._endpoint = endpoint
        self._log = logged
        self._clock = clock

    async def look(self) -> Look:
        """How things stand now; a server that is still busy is given half a second to end."""
        url = self._endpoint.urls[0]
        for left in reversed(range(_LOOKS)):
            metrics = await scrape(url, self._endpoint.api_key)
            if metrics is None or not metrics.busy or not left:
                break
            await self._clock.sleep(_SETTLE_SECONDS)
        return Look(url, metrics, 0 if self._log is None else log.length(self._log))

    def health(self, before: Look, after: Look) -> ServerHealth:
        """What happened between two looks.

        A figure is None where the server does not tell it, or is no longer the process it was.
        """
        hits, queries = (_rise(before, after, name) for name in ("cache_hits", "cache_queries"))
        waited, firsts = (_rise(before, after, name) for name in ("ttft_sum", "ttft_count"))
        lines = []
        if self._log is not None:
            lines = log.between(self._log, before.logged, after.logged)
        return ServerHealth(
            prompt_tokens=_whole(_rise(before, after, "prompt_tokens")),
            generation_tokens=_whole(_rise(before, after, "generation_tokens")),
            cache_hit_share=hits / queries if hits is not None and queries else None,
            ttft_mean=waited / firsts if waited is not None and firsts else None,
            compiled=log.compiling(lines),
        )


def _rise(before: Look, after: Look, counter: str) -> float | None:
    """By how much a counter rose between two looks."""
    then, now = before.metrics, after.metrics
    if then is None or now is None or before.url != after.url or now.restarted_since(then):
        return None
    first, last = getattr(then, counter), getattr(now, counter)
    return None if first is None or last is None else float(last - first)


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)
