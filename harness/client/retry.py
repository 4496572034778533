"""Asking again where that can help, and no longer than a case may take."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

from harness.client.protocol import ChatClient, ChatRequest, Failed, Reply
from harness.clock import Clock
from harness.records.attempt import Failure, Timing
from harness.records.target import Generation

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0


class RetryingClient:
    """A client that asks up to `retries` times more, within `case_timeout` in all.

    Asked again are connection errors, resets, error events in a stream, 408, 429 and 5xx. All
    else fails at once: a stalled or malformed answer comes back on the next run, which asks
    again whatever failed. Delays grow exponentially with full jitter (Brooker, "Exponential
    Backoff And Jitter", AWS 2015) from a generator of its own; a Retry-After is waited for, or,
    where the case has not that long, ends the case.
    """

    def __init__(
        self, inner: ChatClient, *, generation: Generation, clock: Clock, seed: int = 0
    ) -> None:
        self._inner = inner
        self._generation = generation
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - jitter, not a secret

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The first answer, or the last failure; `tries` counts all of them."""
        started = self._clock.now()
        deadline = started + self._generation.case_timeout
        intended = started if intended is None else intended
        last: Failed | None = None
        tries = 0
        while True:
            tries += 1
            reply = await self._try(request, intended, deadline)
            if not isinstance(reply, Failed):
                return reply if tries == 1 else replace(reply, tries=tries)
            last = replace(reply, tries=tries)
            if tries > self._generation.retries or not retriable(reply.failure):
                return last
            delay = self._delay(tries, reply.retry_after)
            if self._clock.now() + delay >= deadline:
                return last
            await self._clock.sleep(delay)

    async def _try(self, request: ChatRequest, intended: float, deadline: float) -> Reply:
        sent = self._clock.now()
        try:
            async with asyncio.timeout(deadline - sent):
                return await self._inner.ask(request, intended=intended)
        except TimeoutError:
            failure = Failure(cause="timeout", detail="no whole answer within case_timeout")
            timing = Timing(sent=sent - intended, done=self._clock.now() - intended)
            return Failed(failure, timing, 1)

    def _delay(self, tries: int, retry_after: float | None) -> float:
        ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(tries - 1, 16))
        return (retry_after or 0.0) + self._random.uniform(0.0, ceiling)


def retriable(failure: Failure) -> bool:
    """Whether asking again can help."""
    if failure.cause in ("connect", "reset"):
        return True
    if failure.cause == "server_error" and failure.status is None:
        return True
    status = failure.status
    return (
        failure.cause in ("http", "server_error")
        and status is not None
        and (status in (408, 429) or 500 <= status <= 599)
    )
