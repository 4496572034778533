"""Retries: a case from its first request to its answer, turn by turn."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from harness.client.dialect import one_line
from harness.client.failures import busy, retriable
from harness.client.meter import Meter
from harness.client.protocol import (
    Answer,
    ChatRequest,
    Deadline,
    Failed,
    Layer,
    Reply,
    RequestContext,
)
from harness.clock import Clock
from harness.records.attempt import Failure, Timing, Usage
from harness.records.target import Generation

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
TIMED_OUT = 4
MOST_REFUSALS = 20

# The requests that a conversation is sent as, one after the other.
Turns = Callable[[ChatRequest], Sequence[ChatRequest]]


class RetryingClient(Layer):
    """A client that sends up to `retries` times more, within `case_timeout` in all.

    Sent again are connection errors, resets, error events in a stream, 408, 429 and 5xx. All
    else fails at once: a stalled or malformed answer comes back on the next run, which asks
    again whatever failed. Delays grow exponentially with full jitter (Brooker, "Exponential
    Backoff And Jitter", AWS 2015) from a generator of its own; a Retry-After is waited for, or,
    where the case has not that long, ends the case. A server that is only busy (429, 503) is
    asked again for as long as the case may take, whatever `retries` says, and `MOST_REFUSALS` times
    at most: a server that refuses what it does not want to have said could go on for ever.

    Nothing is tried again once the inner layer says that the server is gone. It is `gone` too
    if, while a case waited for all its time, no other was answered: at once where the server
    refused for being busy, after four such cases in a row otherwise.

    With a `meter`, a case waits for its first permit before its time begins to run. So
    `case_timeout` holds no wait for the first try; a wait for a further one is within it, as the
    delay before it is, and is short, since cases under way go first. A reply's times count from
    when the request was due and had its permit: that wait is no latency of the server.

    Each try sends all `turns` of a conversation from the first one.
    """

    def __init__(
        self,
        inner: Layer,
        *,
        generation: Generation,
        clock: Clock,
        seed: int = 0,
        meter: Meter | None = None,
        turns: Turns = lambda request: (request,),
    ) -> None:
        super().__init__(clock)
        self._inner = inner
        self._generation = generation
        self._meter = meter
        self._turns = turns
        self._random = random.Random(seed)  # noqa: S311 - jitter, not a secret
        self._answered = -math.inf
        self._timed_out = 0

    async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
        """The first answer, or the last failure; `tries` counts all of them.

        Raises:
            BudgetSpent: what is left of `max_cost` may not be enough for it.
        """
        if self._meter is None:
            return await self._send_until_answered(request, context)
        called = self._clock.now()
        context.number = self._meter.number()
        permit = await self._meter.admit(request, context.number)
        if isinstance(permit, Failed):
            return permit
        context.permit = permit
        context.intended += self._clock.now() - called
        try:
            return await self._send_until_answered(request, context)
        finally:
            if (left := context.take_permit()) is not None:
                left.give_back()

    async def _send_until_answered(self, request: ChatRequest, context: RequestContext) -> Reply:
        started, intended = self._clock.now(), context.intended
        context.deadline = deadline = Deadline(self._generation.case_timeout, self._clock)
        tries = broken = refusals = 0
        causes: tuple[str, ...] = ()
        refused: Failure | None = None
        while True:
            tries += 1
            context.intended = intended
            reply = await self._try(request, context, deadline)
            if not isinstance(reply, Failed):
                self._answered, self._timed_out = self._clock.now(), 0
                return reply if tries == 1 else replace(reply, tries=tries, retried=causes)
            last = replace(reply, tries=tries, retried=causes)
            causes = (*causes, reply.failure.code)
            if reply.failure.cause == "timeout":
                return self._out_of_time(last, refused, started)
            if reply.gone or not retriable(reply.failure):
                return last
            refused = reply.failure if busy(reply.failure) else None
            broken += refused is None
            refusals += refused is not None
            if broken > self._generation.retries:
                return last
            delay = self._delay(tries, reply.retry_after)
            if refusals > MOST_REFUSALS or self._clock.now() + delay >= deadline.ends:
                waited = refused is not None and reply.retry_after is None
                return replace(last, gone=waited and self._answered < started)
            await self._clock.sleep(delay)

    def _out_of_time(self, last: Failed, refused: Failure | None, started: float) -> Failed:
        """The failure of a case whose time is over, after a refusal or not."""
        self._timed_out += 1
        failure = last.failure
        if refused is not None:
            detail = f"{failure.detail}; before that: {refused.detail}"
            failure = failure.model_copy(update={"detail": detail, "status": refused.status})
        waited = refused is not None or self._timed_out >= TIMED_OUT
        return replace(last, failure=failure, gone=waited and self._answered < started)

    async def _try(
        self, request: ChatRequest, context: RequestContext, deadline: Deadline
    ) -> Reply:
        sent, intended = self._clock.now(), context.intended
        try:
            async with deadline.enforced():
                return await send_turns(self._inner, self._turns(request), context, self._clock)
        except TimeoutError:
            failure = Failure(cause="timeout", detail="no whole answer within case_timeout")
            timing = Timing(sent=sent - intended, done=self._clock.now() - intended)
            return Failed(failure, timing, 1)

    def _delay(self, tries: int, retry_after: float | None) -> float:
        ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(tries - 1, 16))
        return (retry_after or 0.0) + self._random.uniform(0.0, ceiling)


async def send_turns(
    inner: Layer, turns: Sequence[ChatRequest], context: RequestContext, clock: Clock
) -> Reply:
    """The answer to the last turn, or the first failure.

    The answer's times count from when the answer before it had come; its token counts are those
    of all turns.
    """
    if len(turns) == 1:
        return await inner.send(turns[0], context)
    answers: list[Answer] = []
    for number, turn in enumerate(turns, 1):
        reply = await inner.send(turn, context)
        if isinstance(reply, Failed):
            detail = one_line(f"turn {number} of {len(turns)}: {reply.failure.detail}")
            return replace(reply, failure=reply.failure.model_copy(update={"detail": detail}))
        answers.append(reply)
        context.intended = clock.now()
    return replace(answers[-1], usage=_sum([answer.usage for answer in answers]))


def _sum(usages: Sequence[Usage | None]) -> Usage | None:
    """The tokens of all turns, where each turn's are known."""
    known = [usage for usage in usages if usage is not None]
    if len(known) < len(usages):
        return None
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in known),
        completion_tokens=sum(usage.completion_tokens for usage in known),
    )
