"""A load balancer over several servers: the least busy first, failing ones are set aside."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from harness.client.failures import busy, down, retriable
from harness.client.protocol import ChatRequest, Failed, Layer, Reply, RequestContext
from harness.clock import Clock
from harness.records.attempt import Failure

FIRST_REST = 1.0
LONGEST_REST = 30.0
# One reset or one 500 happens to good servers; a refused connection or silence decides at once.
ASIDE_AFTER = 3
DECISIVE = frozenset({"connect", "stalled"})
DOWN_AFTER = 10.0
DOWN_FAILURES = 4

# Why a member is not to be asked for a model, or None.
Vouch = Callable[[Layer, str], Awaitable[Failure | None]]
# Called with a member and the failure for which it is set aside, or None when it is back.
Change = Callable[[Layer, Failure | None], None]
CUT_SHORT = Failure(cause="timeout", detail="cut short")


@dataclass(slots=True, eq=False)
class _Member:
    """The state of one server.

    `epoch` counts how often it was set aside, `why` the failure that did it, and `reported`
    says whether its setting aside was reported.
    """

    client: Layer
    outstanding: int = 0
    turn: int = 0
    failures: int = 0
    last_failed: float = -math.inf
    aside: bool = False
    rest: float = FIRST_REST
    until: float = 0.0
    on_trial: bool = False
    epoch: int = 0
    why: Failure = CUT_SHORT
    reported: bool = False

    @property
    def load(self) -> tuple[float, bool, int, int]:
        """What the next member is chosen by, the least first."""
        client = self.client
        return (client.held, not client.has_room, self.outstanding, self.turn)


@dataclass(slots=True)
class _Ticket:
    """One request on its way to a member."""

    member: _Member
    sent: float
    epoch: int
    trial: bool


class BalancedClient(Layer):
    """A client of several servers with the same weights; each request goes to one, once.

    The one with the fewest requests under way is asked first, in turns where they are equal, and
    one that is full or held back last. A server is set aside when it cannot be reached, stalls,
    or breaks off or answers 5xx three times in a row; after a rest, which grows from 1 s to 30 s,
    one request tries it again. A request that is asked again goes to another server, if there is
    one. Where all are set aside, the one that failed the longest ago is asked, so that nothing
    waits for ever. When no server has given a sign of life for 10 s, four requests in a row have
    failed and none is under way that was sent before, each further failure is `gone`.

    Where there are several, `vouch` is called before one that was set aside is asked again: the
    failure that it finds stands for the request's own. `on_change` is called once for one that is
    set aside, when the next request is to be sent, and once when it is back.
    """

    def __init__(
        self,
        members: Sequence[Layer],
        *,
        clock: Clock,
        vouch: Vouch | None = None,
        on_change: Change = lambda *_: None,
    ) -> None:
        super().__init__(clock)
        self._members = [_Member(client) for client in members]
        self._vouch = vouch
        self._on_change = on_change
        self._turn = 0
        self._under_way: dict[int, float] = {}
        self._alive = -math.inf
        self._row = 0
        self._row_began = math.inf

    def leave_out(self, client: Layer) -> None:
        """Send this member no more requests.

        Raises:
            ValueError: it is no member, or the only one.
        """
        left = [member for member in self._members if member.client is not client]
        if not left or len(left) == len(self._members):
            raise ValueError("not one of several members")
        self._members = left

    async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
        """The reply of one member; a `Retry-After` holds only while every member is held."""
        began = self._clock.now()
        failed_on, context.failed_on = context.failed_on, None
        while True:
            member, trial = self._choose(failed_on)
            away = await self._away(member, trial, request) if member.aside else None
            if away is None or not trial:
                break
        self._turn = number = self._turn + 1
        ticket = _Ticket(member, began, member.epoch, trial)
        if away is not None:
            return self._judge(ticket, context, Failed(away, None, 1))
        member.turn = number
        member.outstanding += 1
        self._under_way[number] = began
        reply: Reply | None = None
        try:
            reply = await member.client.send(request, context)
        finally:
            member.outstanding -= 1
            del self._under_way[number]
            if reply is None:  # cut short: by the case's timeout, or because the run ends
                self._failed(ticket, CUT_SHORT)
        if not isinstance(reply, Failed):
            self._lives(ticket)
            return reply
        return self._judge(ticket, context, reply)

    async def _away(self, member: _Member, trial: bool, request: ChatRequest) -> Failure | None:
        """Why a member that was set aside is not to be asked now, if it is not."""
        if self._vouch is None or len(self._members) == 1:
            return None
        away: Failure | None = CUT_SHORT
        try:
            away = await self._vouch(member.client, request.model)
            return away
        finally:
            if away is not None and trial:
                self._rest_on(member)

    def _judge(self, ticket: _Ticket, context: RequestContext, reply: Failed) -> Failed:
        """Learn from a failure; the same, with what all members together make of it."""
        failure = reply.failure
        if down(failure):
            self._failed(ticket, failure)
        else:
            self._lives(ticket)
        if retriable(failure) and len(self._members) > 1:
            context.failed_on = ticket.member
            if reply.retry_after is not None and busy(failure):
                held = [member.client.held for member in self._members if not member.aside]
                reply = replace(reply, retry_after=min(held, default=0.0) or None)
        return replace(reply, gone=True) if down(failure) and self._all_gone() else reply

    def _choose(self, failed_on: object) -> tuple[_Member, bool]:
        """The member for the next request, and whether it is a trial."""
        members = self._members
        if len(members) == 1:
            return members[0], False
        now = self._clock.now()
        self._report_aside()
        for member in members:
            if member.aside and not member.on_trial and member.until <= now:
                member.on_trial = True
                return member, True
        up = [member for member in members if not member.aside]
        if not up:
            return min(members, key=lambda member: (member.last_failed, member.turn)), False
        others = [member for member in up if member is not failed_on]
        return min(others or up, key=lambda member: member.load), False

    def _report_aside(self) -> None:
        """Say who is set aside: now, because what the end of a run cuts short is no news."""
        for member in self._members:
            if member.aside and not member.reported:
                member.reported = True
                self._on_change(member.client, member.why)

    def _lives(self, ticket: _Ticket) -> None:
        self._alive = self._clock.now()
        self._row, self._row_began = 0, math.inf
        member = ticket.member
        if ticket.epoch == member.epoch:  # what was sent before it was set aside proves nothing
            member.failures = 0
            member.aside = member.on_trial = False
            member.rest = FIRST_REST
            if member.reported:
                member.reported = False
                self._on_change(member.client, None)

    def _failed(self, ticket: _Ticket, why: Failure) -> None:
        now = self._clock.now()
        self._row += 1
        self._row_began = min(self._row_began, max(ticket.sent, self._alive))
        member = ticket.member
        member.last_failed = now
        if ticket.epoch != member.epoch:
            return
        if ticket.trial and member.aside:
            self._rest_on(member)
        elif not member.aside:
            member.failures += 1
            if why.cause in DECISIVE or member.failures >= ASIDE_AFTER:
                member.aside = True
                member.why = why
                member.epoch += 1
                member.until = now + member.rest

    def _rest_on(self, member: _Member) -> None:
        member.on_trial = False
        member.rest = min(LONGEST_REST, 2.0 * member.rest)
        member.until = self._clock.now() + member.rest

    def _all_gone(self) -> bool:
        began = self._row_began
        return (
            self._row >= DOWN_FAILURES
            and self._clock.now() - began >= DOWN_AFTER
            and min(self._under_way.values(), default=began) >= began
        )
