"""The client stack of an endpoint: from retries down to one connection."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from harness.client.balance import BalancedClient
from harness.client.dialect import ServerDescription
from harness.client.dialect_client import DialectClient
from harness.client.protocol import ChatClient, Layer
from harness.client.retry import RetryingClient
from harness.client.throttle import ThrottledClient
from harness.clock import Clock
from harness.errors import EvidenceError, ServerError
from harness.records.attempt import Failure
from harness.records.target import Generation
from harness.targets.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Replica:
    """One address of an endpoint; `client` asks it alone, with retries."""

    address: str
    client: ChatClient
    direct: Layer
    endpoint: Endpoint

    async def describe(self) -> ServerDescription:
        """What this server says of itself.

        Raises:
            ServerError: it cannot be reached, or refuses.
        """
        return await self.endpoint.describe(self.address)


# Failures that no server puts into words.
OURS = frozenset({"connect", "reset", "stalled", "timeout"})
# Why a replica cannot be asked yet; raises where it serves something else than the others.
Check = Callable[[Replica], Awaitable[Failure | None]]


@dataclass(slots=True)
class ClientStack:
    """An endpoint's clients: `client` asks all its replicas as one.

    `known` holds the replicas' descriptions, by address: one that was away must give the same
    description again, and pass the `checks`.
    """

    client: ChatClient
    replicas: tuple[Replica, ...]
    balanced: BalancedClient
    known: dict[str, ServerDescription] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)

    def remaining(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint without the replicas that were left out, as others may ask it.

        A managed server's process stays here: its addresses and key are all that they need.
        """
        addresses = tuple(replica.address for replica in self.replicas)
        return replace(endpoint, addresses=addresses, managed=None, known=dict(self.known))

    def leave_out(self, replica: Replica) -> None:
        """Never ask this replica again.

        Raises:
            ValueError: it is the only one.
        """
        self.balanced.leave_out(replica.direct)
        self.replicas = tuple(other for other in self.replicas if other is not replica)


@asynccontextmanager
async def open_stack(
    endpoint: Endpoint,
    generation: Generation,
    clock: Clock,
    say: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[ClientStack]:
    """The endpoint's clients, open for as long as the block runs.

    Where there are several replicas, `say` hears when one is set aside and when it is back.

    From the outside in: retries, the choice of a replica, and, for each replica, how much it is
    asked at once.

    Raises:
        UsageError: the address or the key cannot be used.
    """
    async with AsyncExitStack() as stack:
        replicas = [
            await stack.enter_async_context(_replica(url, endpoint, generation, clock))
            for url in endpoint.urls
        ]
        known = dict(endpoint.known)
        checks: list[Check] = []
        balanced = BalancedClient(
            [replica.direct for replica in replicas],
            clock=clock,
            vouch=functools.partial(_still_away, replicas, known, checks),
            on_change=functools.partial(_report_change, replicas, say),
        )
        client = _retrying(balanced, endpoint, generation, clock)
        yield ClientStack(client, tuple(replicas), balanced, known, checks)


@asynccontextmanager
async def _replica(
    url: str, endpoint: Endpoint, generation: Generation, clock: Clock
) -> AsyncIterator[Replica]:
    dialect = endpoint.dialect_of(url)
    async with DialectClient(dialect, generation=generation, clock=clock) as once:
        direct = ThrottledClient(
            once,
            limit=generation.concurrency,
            clock=clock,
            patience=generation.case_timeout,
            meter=endpoint.meter,
        )
        client = _retrying(direct, endpoint, generation, clock)
        yield Replica(url, client, direct, endpoint)


def _retrying(
    inner: Layer, endpoint: Endpoint, generation: Generation, clock: Clock
) -> RetryingClient:
    """A client that keeps to the server's limits, and tries again where that can help."""
    turns = endpoint.dialect_of(endpoint.urls[0]).turns
    return RetryingClient(
        inner, generation=generation, clock=clock, meter=endpoint.meter, turns=turns
    )


def _report_change(
    replicas: Sequence[Replica],
    say: Callable[[str], None],
    client: Layer,
    failure: Failure | None,
) -> None:
    address = next(replica.address for replica in replicas if replica.direct is client)
    if failure is None:
        say(f"{address}: is back")
        return
    # What a server itself says of a failure is not for a terminal.
    ours = failure.cause in OURS
    why = failure.detail if ours else f"{failure.cause} {failure.status or ''}".rstrip()
    say(f"{address}: set aside until it answers again: {why}")


async def _still_away(
    replicas: Sequence[Replica],
    known: dict[str, ServerDescription],
    checks: Sequence[Check],
    client: Layer,
    model: str,
) -> Failure | None:
    """Why the replica that was away cannot be used yet; None where it is unchanged.

    Raises:
        EvidenceError: it is, and serves something else.
    """
    replica = next(replica for replica in replicas if replica.direct is client)
    try:
        found = await replica.describe()
    except ServerError as error:
        return Failure(cause="connect", detail=error.what)
    before = known.get(replica.address)
    if before is not None and (
        (before.version, before.model(model)) != (found.version, found.model(model))
    ):
        raise EvidenceError(
            f"went away and came back with another version or another `{model}`",
            where=replica.address,
            hint="keep replicas as they are while a run asks them, then run again",
        )
    for check in checks:
        if (failure := await check(replica)) is not None:
            return failure
    return None
