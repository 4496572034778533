"""The client stack of an endpoint: from retries down to one connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

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


# Why a replica cannot be asked yet; raises where it serves something else than the others.
Check = Callable[[Replica], Awaitable[Failure | None]]


class ClientStack:
    """An endpoint's clients: `client` asks all its replicas as one, with retries.

    `known` holds the replicas' descriptions, by address: one that was away must give the same
    description again, and pass the `checks`. Where there are several, `say` is called when one is
    set aside and when it is back.
    """

    def __init__(
        self,
        replicas: Sequence[Replica],
        generation: Generation,
        clock: Clock,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.replicas = tuple(replicas)
        self.known = dict(replicas[0].endpoint.known)
        self.checks: list[Check] = []
        self._say = say
        self._by_client = {replica.direct: replica for replica in replicas}
        self._balanced = BalancedClient(
            list(self._by_client), clock=clock, vouch=self._still_away, on_change=self._report
        )
        self.client = _retrying(self._balanced, replicas[0].endpoint, generation, clock)

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
        self._balanced.leave_out(replica.direct)
        self.replicas = tuple(other for other in self.replicas if other is not replica)

    def _report(self, client: Layer, failure: Failure | None) -> None:
        address = self._by_client[client].address
        if failure is None:
            self._say(f"{address}: is back")
            return
        # What a server itself says of a failure is not for a terminal.
        ours = failure.cause in ("connect", "reset", "stalled", "timeout")
        why = failure.detail if ours else f"{failure.cause} {failure.status or ''}".rstrip()
        self._say(f"{address}: set aside until it answers again: {why}")

    async def _still_away(self, client: Layer, model: str) -> Failure | None:
        """Why the replica that was away cannot be used yet; None where it is unchanged.

        Raises:
            EvidenceError: it is back, and serves something else.
        """
        replica = self._by_client[client]
        try:
            found = await replica.describe()
        except ServerError as error:
            return Failure(cause="connect", detail=error.what)
        before = self.known.get(replica.address)
        if before is not None and before.models and found.no_list:
            # What stands before a server that starts answers for it.
            return Failure(cause="connect", detail=found.no_list)
        if before is not None and (
            (before.version, before.model(model)) != (found.version, found.model(model))
        ):
            raise EvidenceError(
                f"went away and came back with another version or another `{model}`",
                where=replica.address,
                hint="keep replicas as they are while a run asks them, then run again",
            )
        for check in self.checks:
            if (failure := await check(replica)) is not None:
                return failure
        return None


@asynccontextmanager
async def open_stack(
    endpoint: Endpoint,
    generation: Generation,
    clock: Clock,
    say: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[ClientStack]:
    """The endpoint's clients, open for as long as the block runs.

    From the outside in: retries, the choice of a replica, and, for each replica, how much it is
    asked at once.

    Raises:
        UsageError: the address or the key cannot be used.
    """
    async with AsyncExitStack() as stack:
        replicas = []
        for url in endpoint.urls:
            dialect = endpoint.dialect_of(url)
            once = await stack.enter_async_context(
                DialectClient(dialect, generation=generation, clock=clock)
            )
            direct = ThrottledClient(
                once,
                limit=generation.concurrency,
                clock=clock,
                patience=generation.case_timeout,
                meter=endpoint.meter,
            )
            client = _retrying(direct, endpoint, generation, clock)
            replicas.append(Replica(url, client, direct, endpoint))
        yield ClientStack(replicas, generation, clock, say)


def _retrying(
    inner: Layer, endpoint: Endpoint, generation: Generation, clock: Clock
) -> RetryingClient:
    turns = endpoint.dialect_of(endpoint.urls[0]).turns
    return RetryingClient(
        inner, generation=generation, clock=clock, meter=endpoint.meter, turns=turns
    )
