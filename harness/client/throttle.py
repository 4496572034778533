"""Adaptive concurrency: how many requests one server gets at once."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

from harness.client.failures import busy
from harness.client.meter import Meter
from harness.client.protocol import Answer, ChatRequest, Failed, Layer, Reply, RequestContext
from harness.clock import Clock

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# The part of its usual step by which the limit nears the one that was last refused.
CAREFUL = 0.125
_SOON = 1e-3


@dataclass(slots=True, eq=False)
class _Sent:
    """A request in flight; `load` is how many others were in flight when it was sent."""

    number: int
    load: int


class _Borne:
    """How many requests the server recently served at once: in this round or the last.

    A round is as many replies as the limit.
    """

    def __init__(self) -> None:
        self._this = self._last = self._replies = 0

    @property
    def most(self) -> int:
        return max(self._this, self._last)

    def saw(self, at_once: int, limit: int) -> None:
        """An answer to one of `at_once` requests, or a refusal, which is none."""
        self._this = max(self._this, at_once)
        self._replies += 1
        if self._replies >= limit:
            self._this, self._last, self._replies = 0, self._this, 0


class ThrottledClient(Layer):
    """A client with at most `limit` requests under way, fewer after a 429 or a 503.

    Each answer shows how many requests the server serves at once, and each refusal how many it
    had taken when it took no more. That becomes the limit, unless the server has just served as
    many: then the refusal has another reason, and concerns its request alone. The limit grows
    while it is used up: twofold a round of answers far below where it was refused last, by one
    nearer to it, and slowest just below (Jacobson, "Congestion Avoidance and Control", 1988).

    A refusal for too many requests holds every new one back for its Retry-After, unless that is
    longer than `patience` seconds, which no case has time for; so does a refusal while nothing
    else is served, longer each time. Who waits is served in the order of arrival, and loses
    nothing of its case's time as long as others are answered.
    """

    def __init__(
        self,
        inner: Layer,
        *,
        limit: int,
        clock: Clock,
        patience: float = 300.0,
        meter: Meter | None = None,
    ) -> None:
        super().__init__(clock)
        self._inner = inner
        self._meter = meter
        self._most = limit
        self._limit = float(limit)
        self._refused_at = math.inf
        self._borne = _Borne()
        self._patience = patience
        self._sent = 0
        self._answered = -math.inf
        self._under_way: dict[int, _Sent] = {}
        self._pause = FIRST_PAUSE
        self._paused = 0  # the last request that was sent before the last pause
        self._held_until = clock.now()
        self._door = asyncio.Lock()  # whoever has it is the next to be sent
        self._freed = asyncio.Event()

    @property
    def limit(self) -> int:
        """How many requests may be under way now; at least 1."""
        return int(self._limit)

    @property
    def held(self) -> float:
        """For how many seconds from now nothing is sent."""
        left = self._held_until - self._clock.now()
        return left if left > _SOON else 0.0

    @property
    def has_room(self) -> bool:
        """Whether a request would be sent at once."""
        return len(self._under_way) < self.limit and not self._door.locked() and not self.held

    async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
        """The inner layer's reply, sent as soon as there is room and, if metered, a permit."""
        if not self.has_room:
            if context.deadline is None:
                await self._wait()
            else:
                with context.deadline.paused(lambda: self._answered):
                    await self._wait()
        self._sent += 1
        sent = _Sent(self._sent, len(self._under_way))
        self._under_way[sent.number] = sent
        try:
            if self._meter is None:
                reply = await self._inner.send(request, context)
            else:
                reply = await self._meter.send(self._inner, request, context)
            if isinstance(reply, Answer):
                self._grow(sent)
            elif busy(reply.failure):
                self._refused(sent, reply)
            return reply
        finally:
            del self._under_way[sent.number]
            self._freed.set()

    async def _wait(self) -> None:
        """Return when there is room."""
        async with self._door:
            while self.held or len(self._under_way) >= self.limit:
                if self.held:
                    await self._clock.sleep(self.held)
                else:
                    self._freed.clear()
                    await self._freed.wait()

    def _grow(self, sent: _Sent) -> None:
        self._answered = self._clock.now()
        self._pause = FIRST_PAUSE
        served = sent.load + 1
        self._borne.saw(served, self.limit)
        used_up = self._door.locked() or len(self._under_way) >= self.limit
        if served > self._limit:
            self._limit = float(served)
        elif used_up and sent.number > self._paused:
            self._limit = min(float(self._most), self._limit + self._step())
        if self._limit >= self._refused_at:
            self._refused_at = math.inf

    def _step(self) -> float:
        """By how much one answer raises the limit."""
        if self._limit < self._refused_at / 2.0:
            return 1.0
        near = self._limit >= self._refused_at - 1.0
        return (CAREFUL if near else 1.0) / self._limit

    def _refused(self, sent: _Sent, refused: Failed) -> None:
        for other in self._under_way.values():
            if other.number > sent.number:
                other.load -= 1
        borne = self._borne.most
        self._borne.saw(0, self.limit)
        if sent.load < borne:
            return
        now = self._clock.now()
        if refused.retry_after is not None and refused.retry_after <= self._patience:
            self._held_until = max(self._held_until, now + refused.retry_after)
        self._limit = min(self._limit, float(max(1, sent.load)))
        if sent.load > 0:
            self._refused_at = sent.load + 1.0
        elif sent.number > self._paused:
            self._paused = self._sent
            self._held_until = max(self._held_until, now + self._pause)
            self._pause = min(LONGEST_PAUSE, 2.0 * self._pause)
