"""Pace: ask a server no faster, and for no more money, than its limits allow."""

from __future__ import annotations

from contextvars import ContextVar

from harness.client.protocol import ChatClient, ChatRequest, Failed, Reply
from harness.client.traffic.meter import Meter, Permit

# Seconds for which a leave holds; the window is longer than a minute by as much and more.
FRESH = 0.25


class _Case:
    """A case on its way: its place, and the permit for its next try if it has one."""

    __slots__ = ("number", "permit")

    def __init__(self, number: int, permit: Permit) -> None:
        self.number = number
        self.permit: Permit | None = permit

    def take(self) -> Permit | None:
        permit, self.permit = self.permit, None
        return permit


_CASE: ContextVar[_Case | None] = ContextVar("case", default=None)


class PacedTries:
    """A client that waits for leave before each try, unless its case has brought one along.

    Stands right around what sends one request, inside all that may hold it up: each try is a
    request, and one that was held up since it had leave asks for it anew.
    """

    def __init__(self, inner: ChatClient, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The inner client's reply.

        Raises:
            BudgetSpent: what is left of `max_cost` may not be enough for another try.
        """
        case = _CASE.get()
        permit = case.take() if case is not None else None
        if permit is not None and self._meter.clock.now() - permit.given > FRESH:
            permit.unused()
            permit = None
        if permit is None:
            number = case.number if case is not None else self._meter.number()
            leave = await self._meter.admit(request, number)
            if isinstance(leave, Failed):
                return leave
            permit = leave
        reply: Reply | None = None
        try:
            reply = await self._inner.ask(request, intended=intended)
            return reply
        finally:
            permit.settle(reply)


class PacedClient:
    """A client whose cases wait for their first permit before their time begins to run.

    Stands around the client that tries again, whose tries pass a `PacedTries`. So `case_timeout`
    holds no wait for the first try; a wait for a further one is within it, as the delay before
    it is, and is short, since cases under way go first. A reply's times count from when the
    request was due and had leave: what the limits cost in time is no latency of the server.
    """

    def __init__(self, inner: ChatClient, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The inner client's reply, or a failure where the request can never have leave.

        Raises:
            BudgetSpent: what is left of `max_cost` may not be enough for it.
        """
        called = self._meter.clock.now()
        number = self._meter.number()
        leave = await self._meter.admit(request, number)
        if isinstance(leave, Failed):
            return leave
        waited = self._meter.clock.now() - called
        due = (called if intended is None else intended) + waited
        case = _Case(number, leave)
        token = _CASE.set(case)
        try:
            return await self._inner.ask(request, intended=due)
        finally:
            _CASE.reset(token)
            if (left := case.take()) is not None:
                left.unused()
