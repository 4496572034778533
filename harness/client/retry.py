"""Asking again where that can help, and no longer than a case may take."""

from __future__ import annotations

import math
import random
from dataclasses import replace

from harness.client.case_time import CaseTime
from harness.client.failures import busy, retriable
from harness.client.protocol import ChatClient, ChatRequest, Failed, Reply
from harness.clock import Clock
from harness.records.attempt import Failure, Timing
from harness.records.target import Generation

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
TIMED_OUT = 4


class RetryingClient:
    """A client that asks up to `retries` times more, within `case_timeout` in all.

    Asked again are connection errors, resets, error events in a stream, 408, 429 and 5xx. All
    else fails at once: a stalled or malformed answer comes back on the next run, which asks
    again whatever failed. Delays grow exponentially with full jitter (Brooker, "Exponential
    Backoff And Jitter", AWS 2015) from a generator of its own; a Retry-After is waited for, or,
    where the case has not that long, ends the case. A server that is only busy (429, 503) is
    asked again for as long as the case may take, whatever `retries` says.

    Nothing is tried again once the inner client says that the server is gone. It is `gone` too
    if, while a case waited for all its time, no other was answered: at once where the server
    refused for being busy, after four such cases in a row otherwise.
    """

    def __init__(
        self, inner: ChatClient, *, generation: Generation, clock: Clock, seed: int = 0
    ) -> None:
        self._inner = inner
        self._generation = generation
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - jitter, not a secret
        self._answered = -math.inf
        self._timed_out = 0

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The first answer, or the last failure; `tries` counts all of them."""
        started = self._clock.now()
        time = CaseTime(self._generation.case_timeout, self._clock)
        intended = started if intended is None else intended
        tries = broken = 0
        refused: Failure | None = None
        while True:
            tries += 1
            reply = await self._try(request, intended, time)
            if not isinstance(reply, Failed):
                self._answered, self._timed_out = self._clock.now(), 0
                return reply if tries == 1 else replace(reply, tries=tries)
            last = replace(reply, tries=tries)
            if reply.failure.cause == "timeout":
                return self._out_of_time(last, refused, started)
            if reply.gone or not retriable(reply.failure):
                return last
            refused = reply.failure if busy(reply.failure) else None
            broken += refused is None
            if broken > self._generation.retries:
                return last
            delay = self._delay(tries, reply.retry_after)
            if self._clock.now() + delay >= time.ends:
                waited = refused is not None and reply.retry_after is None
                return replace(last, gone=waited and self._answered < started)
            await self._clock.sleep(delay)

    def _out_of_time(self, last: Failed, refused: Failure | None, started: float) -> Failed:
        """The failure of a case whose time is over, after a refusal or not."""
        self._timed_out += 1
        failure = last.failure
        if refused is not None:
            said = f"{failure.detail}; before that: {refused.detail}"
            failure = failure.model_copy(update={"detail": said, "status": refused.status})
        waited = refused is not None or self._timed_out >= TIMED_OUT
        return replace(last, failure=failure, gone=waited and self._answered < started)

    async def _try(self, request: ChatRequest, intended: float, time: CaseTime) -> Reply:
        sent = self._clock.now()
        try:
            async with time.limiting():
                return await self._inner.ask(request, intended=intended)
        except TimeoutError:
            failure = Failure(cause="timeout", detail="no whole answer within case_timeout")
            timing = Timing(sent=sent - intended, done=self._clock.now() - intended)
            return Failed(failure, timing, 1)

    def _delay(self, tries: int, retry_after: float | None) -> float:
        ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(tries - 1, 16))
        return (retry_after or 0.0) + self._random.uniform(0.0, ceiling)
