"""A server that is busy, broken or silent on demand, in simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from harness.client.protocol import Answer, ChatRequest, Failed, Layer, Reply, RequestContext
from harness.clock import Clock
from harness.records.attempt import Failure, Timing


class Server(Layer):
    """Answers after `seconds`, at most `capacity` at once, and refuses the rest with `status`."""

    def __init__(self, clock: Clock, *, capacity: int = 1000, seconds: float = 1.0) -> None:
        super().__init__(clock)
        self.clock = clock
        self.capacity = capacity
        self.seconds = seconds
        self.failure: Failure | None = None  # what everybody gets while it is set
        self.hangs = False
        self.status = 429
        self.retry_after: float | None = None
        self.moods: Iterator[bool] | None = None  # whom to refuse, however little there is to do
        self.asked: list[float] = []
        self.answered = self.refused = self.under_way = self.peak = 0
        self.last_answered = 0.0

    async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
        now = self.clock.now()
        self.asked.append(now)
        timing = Timing(sent=0.0, done=0.0)
        if self.hangs:
            await asyncio.sleep(60.0)
            return Failed(Failure(cause="stalled", detail="nothing came"), timing, 1)
        moody = self.moods is not None and next(self.moods)
        if self.failure is not None or self.under_way >= self.capacity or moody:
            self.refused += 1
            await asyncio.sleep(0.01)
            refusal = Failure(cause="http", detail="busy", status=self.status)
            return Failed(self.failure or refusal, timing, 1, self.retry_after)
        self.under_way += 1
        self.peak = max(self.peak, self.under_way)
        try:
            await asyncio.sleep(self.seconds)
            self.answered += 1
            self.last_answered = self.clock.now()
            return Answer("ok", None, "stop", None, timing, 1, request.model)
        finally:
            self.under_way -= 1
