"""The rate limiter of a server: which request may be sent next, when, and within which budget."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from heapq import heappop, heappush

from harness.client.limits import Budget, Window
from harness.client.protocol import ChatRequest, Failed, Layer, Permit, Reply, RequestContext
from harness.clock import Clock
from harness.errors import BudgetSpent
from harness.records.attempt import Failure, Usage
from harness.records.cost import Metered

BYTES_PER_TOKEN = 3
TOKENS_PER_MESSAGE = 8  # what chat templates put around a message
# Seconds for which a permit holds; the window is longer than a minute by as much and more.
FRESH = 0.25


class Meter:
    """The limits of one server, shared by all clients in this process.

    One queue, first come, first served, by case: a case that is tried again goes before those
    that were never sent. A request leaves the queue when the last minute has room for it and the
    budget for its worst cost. Where only the budget is short, it waits for the requests under way,
    which tend to cost less than reserved; if none is and it still does not fit, the budget is
    spent for everybody. Nothing here is bound to an event loop, so one after the other may ask.
    """

    def __init__(self, name: str, limits: Metered, *, clock: Clock, replicas: int = 1) -> None:
        self.clock = clock
        self._name = name
        self._window = Window(limits.max_requests_per_minute, limits.max_tokens_per_minute)
        self._budget: Budget | None = None
        if limits.max_cost is not None and limits.price is not None:
            self._budget = Budget(limits.max_cost, limits.price, replicas=replicas, clock=clock)
        self._numbers = itertools.count()
        self._queue: list[_Waiter] = []
        self._under_way = 0
        self._stopped = False
        self._unforeseen = 0

    def number(self) -> int:
        """The place of a new case in the queue."""
        return next(self._numbers)

    async def admit(self, request: ChatRequest, number: int) -> Permit | Failed:
        """The permit to send the request now, or a failure where it can never be sent.

        Raises:
            BudgetSpent: what is left of `max_cost` may not be enough for it.
        """
        waiter = _Waiter(number)
        heappush(self._queue, waiter)
        try:
            while True:
                worst = self._worst(request)
                tokens = worst.prompt_tokens + worst.completion_tokens
                if not self._window.holds(tokens):
                    detail = (
                        f"may take {tokens:,} tokens, more than max_tokens_per_minute: not sent"
                    )
                    return Failed(Failure(cause="protocol", detail=detail), None, 1)
                if self._queue[0] is not waiter:
                    await waiter.woken.wait()
                    waiter.woken.clear()
                    continue
                wait = self._wait(worst, tokens)
                if wait == 0.0:
                    return self._take(worst, tokens)
                await self._pause(waiter, wait)
        finally:
            waiter.gone = True
            self._wake_next()

    async def send(self, inner: Layer, request: ChatRequest, context: RequestContext) -> Reply:
        """The inner layer's reply to one try, sent with the permit that the context holds.

        Stands right around what sends one request, inside all that may hold it up: each try is a
        request, and one that was held up since it had its permit waits for another.

        Raises:
            BudgetSpent: what is left of `max_cost` may not be enough for another try.
        """
        permit = context.take_permit()
        if permit is not None and self.clock.now() - permit.given > FRESH:
            permit.give_back()
            permit = None
        if permit is None:
            number = self.number() if context.number is None else context.number
            admitted = await self.admit(request, number)
            if isinstance(admitted, Failed):
                return admitted
            permit = admitted
        reply: Reply | None = None
        try:
            reply = await inner.send(request, context)
            return reply
        finally:
            permit.settle(reply)

    def _wait(self, worst: Usage, tokens: int) -> float | None:
        """Seconds until there may be room; None where only an answer can make some."""
        if self._stopped or (self._budget is not None and not self._budget.fits(worst)):
            if self._stopped or self._under_way == 0:
                self._stopped = True
                raise self._spent(worst)
            return None
        return self._window.due(self.clock.now(), tokens)

    def _spent(self, worst: Usage) -> BudgetSpent:
        assert self._budget is not None
        if self._budget.needs(worst) > self._budget.limit:
            return BudgetSpent(
                f"max_cost is {self._budget.limit:g}, and a single request may cost "
                f"{self._budget.needs(worst):.6g}",
                where=f"servers.{self._name}",
                hint="raise max_cost, or lower max_tokens",
            )
        return BudgetSpent(
            f"max_cost is {self._budget.limit:g}: {self._budget.spent:.6g} is spent and the next "
            f"request may cost {self._budget.needs(worst):.6g}",
            where=f"servers.{self._name}",
            hint="finished answers are kept; run the same command again to spend as much again, "
            "or raise max_cost",
        )

    def _take(self, worst: Usage, tokens: int) -> Permit:
        now = self.clock.now()
        use = self._window.add(now, tokens)
        foreseen = worst.prompt_tokens - self._unforeseen
        cost = 0.0 if self._budget is None else self._budget.reserve(worst)
        self._under_way += 1

        def settle(usage: Usage | None, free: bool) -> None:
            self._under_way -= 1
            if usage is not None:
                self._unforeseen = max(self._unforeseen, usage.prompt_tokens - foreseen)
                self._window.settle(use, usage.prompt_tokens + usage.completion_tokens)
            if self._budget is not None:
                paid = cost if usage is None else self._budget.cost(usage)
                self._budget.settle(cost, 0.0 if free else paid, self.clock.now() - now)
            self._wake_next()

        return Permit(settle, now)

    def _worst(self, request: ChatRequest) -> Usage:
        """The tokens that a request may take, as far as the answers so far let one foresee.

        A prompt is a third of its bytes, a few more for each message, and the largest number by
        which that has been too few: a template's own words, or a tokenizer of small pieces.
        """
        size = sum(len(one.content.encode("utf-8", "replace")) for one in request.messages)
        prompt = -(-size // BYTES_PER_TOKEN) + TOKENS_PER_MESSAGE * len(request.messages)
        return Usage(prompt_tokens=prompt + self._unforeseen, completion_tokens=request.max_tokens)

    async def _pause(self, waiter: _Waiter, seconds: float | None) -> None:
        """Return after so many seconds, or when something changed."""
        if seconds is None:
            await waiter.woken.wait()
        else:
            timer = asyncio.ensure_future(self.clock.sleep(seconds))
            change = asyncio.ensure_future(waiter.woken.wait())
            try:
                await asyncio.wait((timer, change), return_when=asyncio.FIRST_COMPLETED)
            finally:
                timer.cancel()
                change.cancel()
        waiter.woken.clear()

    def _wake_next(self) -> None:
        while self._queue and self._queue[0].gone:
            heappop(self._queue)
        if self._queue:
            self._queue[0].woken.set()


@dataclass(slots=True, order=True)
class _Waiter:
    """A request in the queue, in the order of cases."""

    number: int
    woken: asyncio.Event = field(default_factory=asyncio.Event, compare=False)
    gone: bool = field(default=False, compare=False)
