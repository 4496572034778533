"""How much one server is asked at once: less when it refuses for being busy, then more again."""

from __future__ import annotations

import asyncio
import math

from harness.client.failures import busy
from harness.client.protocol import Answer, ChatClient, ChatRequest, Failed, Reply
from harness.clock import Clock

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# Far above the server's capacity the limit is halved; once it has grown again, less is enough.
FAR = 0.5
NEAR = 0.8
# The part of its usual step by which the limit nears the one that was last refused.
CAREFUL = 0.125
_SOON = 1e-3


class ThrottledClient:
    """A client with at most `limit` requests under way, fewer after a 429 or a 503.

    The limit grows by one a round of answers while it is used up, slower just below where it was
    refused last, and shrinks by a factor on a refusal (Chiu and Jain, "Analysis of the Increase
    and Decrease Algorithms", 1989), once for all that was sent before it shrank. A Retry-After
    holds every new request back, unless it is longer than `patience` seconds, which no case has
    time for; so does a refusal at a limit of one, longer each time. Who waits is served in the
    order of arrival.
    """

    def __init__(
        self, inner: ChatClient, *, limit: int, clock: Clock, patience: float = 300.0
    ) -> None:
        self._inner = inner
        self._most = limit
        self._limit = float(limit)
        self._lowest = float(limit)
        self._refused_at = math.inf
        self._clock = clock
        self._patience = patience
        self._under_way = 0
        self._round = 0
        self._pause = FIRST_PAUSE
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
        return self._under_way < self.limit and not self._door.locked() and not self.held

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The inner client's reply, asked as soon as there is room."""
        intended = self._clock.now() if intended is None else intended
        if not self.has_room:
            await self._wait()
        self._under_way += 1
        round_ = self._round
        try:
            reply = await self._inner.ask(request, intended=intended)
            if isinstance(reply, Answer):
                self._grow(round_)
            elif busy(reply.failure):
                self._shrink(reply, round_)
            return reply
        finally:
            self._under_way -= 1
            self._freed.set()

    async def _wait(self) -> None:
        """Return when there is room."""
        async with self._door:
            while self.held or self._under_way >= self.limit:
                if self.held:
                    await self._clock.sleep(self.held)
                else:
                    self._freed.clear()
                    await self._freed.wait()

    def _grow(self, round_: int) -> None:
        self._pause = FIRST_PAUSE
        used_up = self._door.locked() or self._under_way >= self.limit
        if used_up and round_ == self._round and self._limit < self._most:
            careful = self._refused_at - 1.0 <= self._limit < self._refused_at
            step = CAREFUL if careful else 1.0
            self._limit = min(float(self._most), self._limit + step / self._limit)

    def _shrink(self, refused: Failed, round_: int) -> None:
        now = self._clock.now()
        if refused.retry_after is not None and refused.retry_after <= self._patience:
            self._held_until = max(self._held_until, now + refused.retry_after)
        if round_ != self._round:
            return
        self._round += 1
        if self.limit == 1:
            self._held_until = max(self._held_until, now + self._pause)
            self._pause = min(LONGEST_PAUSE, 2.0 * self._pause)
        self._refused_at = self._limit
        factor = NEAR if self._limit >= self._lowest + 1.0 else FAR
        self._limit = self._lowest = max(1.0, self._limit * factor)
