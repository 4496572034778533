"""The servers that arms are asked at: up all the time, or in turns, started anew for each block."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.client.dialect_client import DialectClient
from harness.client.protocol import ChatClient
from harness.clock import SYSTEM_CLOCK
from harness.config import Project
from harness.event_loop import interruptible
from harness.latency.health import ServerWatch
from harness.records.latency import ARMS, Arm, Measurement
from harness.records.target import Generation
from harness.storage.working_files import MeasurementFolder
from harness.targets.connection import connect, copy_log, start_anew
from harness.targets.endpoint import Endpoint

# An open load must never wait for a connection.
CONNECTIONS = 4096
# The first start of each server is told of in lines; nobody needs to read of sixty more.
_TOLD = 2


@dataclass(frozen=True, slots=True)
class ArmServer:
    """A server that is up: its endpoint, the client that asks it, and the watch over it."""

    endpoint: Endpoint
    client: ChatClient
    watch: ServerWatch

    @property
    def where(self) -> str:
        """Its address, for errors."""
        return self.endpoint.urls[0]


class ArmServers(Protocol):
    """The servers of all arms."""

    @property
    def anew(self) -> bool:
        """Whether each `of` starts its server, which is cold then."""
        ...

    def of(self, arm: Arm) -> AbstractAsyncContextManager[ArmServer]:
        """The arm's server, up for as long as the block runs.

        Raises:
            UsageError: a file is missing.
            ServerError: it does not start.
        """
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """Servers that are up all the time."""

    servers: Mapping[Arm, ArmServer]
    anew: bool = False

    @asynccontextmanager
    async def of(self, arm: Arm) -> AsyncIterator[ArmServer]:
        """The arm's server."""
        yield self.servers[arm]


Asking = Callable[[Endpoint], AbstractAsyncContextManager[ArmServer]]


@dataclass(frozen=True, slots=True)
class InTurns:
    """Servers of which one is up at a time.

    What a server has of its own from one start to the next, such as where its memory lies, would
    else be taken for the arm's: so baseline and control never share a start.
    """

    connect: Callable[[Arm], AbstractContextManager[Endpoint]]
    asking: Asking
    anew: bool = True

    @asynccontextmanager
    async def of(self, arm: Arm) -> AsyncIterator[ArmServer]:
        """The arm's server, started for this block and stopped after it."""
        with ExitStack() as stack:
            with interruptible():
                endpoint = stack.enter_context(self.connect(arm))
            async with self.asking(endpoint) as server:
                yield server


class MeasuredServers:
    """Starts the servers of a measurement: the one of both targets, or the two deployments."""

    def __init__(
        self,
        project: Project,
        header: Measurement,
        folder: MeasurementFolder,
        say: Callable[[str], None],
    ) -> None:
        self._project, self._header, self._folder, self._say = project, header, folder, say
        self._starts = 0

    @contextmanager
    def standing(self) -> Iterator[Mapping[Arm, Endpoint]]:
        """The endpoints of all arms while the block runs; empty where servers are up in turns.

        Raises:
            UsageError: a key's environment variable is not set, or a file is missing.
            ServerError: a managed server does not start.
        """
        servers = self._header.servers
        with ExitStack() as stack:
            if servers is None:
                yield dict.fromkeys(ARMS, stack.enter_context(self._connected("baseline")))
            elif servers.mode == "side_by_side":
                candidate = stack.enter_context(self._connected("candidate"))
                baseline = stack.enter_context(self._connected("baseline"))
                yield {"candidate": candidate, "baseline": baseline, "control": baseline}
            else:
                yield {}

    @asynccontextmanager
    async def opened(self, standing: Mapping[Arm, Endpoint]) -> AsyncIterator[ArmServers]:
        """The servers, ready to be asked, given the endpoints of those that are up."""
        if not standing:
            yield InTurns(self._start, self._asking)
            return
        async with AsyncExitStack() as stack:
            known: dict[int, ArmServer] = {}
            for endpoint in standing.values():
                if id(endpoint) not in known:
                    server = await stack.enter_async_context(self._asking(endpoint))
                    known[id(endpoint)] = server
            yield Standing({arm: known[id(endpoint)] for arm, endpoint in standing.items()})

    @contextmanager
    def _connected(self, arm: Arm) -> Iterator[Endpoint]:
        server, names = self._asked(arm)
        log = self._log(arm)
        with connect(self._project, server, names, log, self._say, alone=True) as endpoint:
            try:
                yield endpoint
            finally:
                copy_log(endpoint, log)

    def _start(self, arm: Arm) -> AbstractContextManager[Endpoint]:
        self._starts += 1
        say = self._say if self._starts <= _TOLD else _quiet
        return start_anew(self._project, *self._asked(arm), self._log(arm), say)

    def _asked(self, arm: Arm) -> tuple[str, list[str]]:
        """The arm's server, and the targets that it serves."""
        header = self._header
        names = [header.candidate, header.baseline]
        if header.servers is not None:
            names = [header.candidate if arm == "candidate" else header.baseline]
        return self._project.target(names[-1]).server, names

    @asynccontextmanager
    async def _asking(self, endpoint: Endpoint) -> AsyncIterator[ArmServer]:
        limits = Generation(**{**self._header.generation, "concurrency": CONNECTIONS})
        watch = ServerWatch(endpoint, None if endpoint.managed is None else endpoint.log)
        async with DialectClient(
            endpoint.dialect_of(endpoint.urls[0]), generation=limits, clock=SYSTEM_CLOCK
        ) as client:
            yield ArmServer(endpoint, client, watch)

    def _log(self, arm: Arm) -> Path:
        log = self._folder.server_log
        if self._header.servers is None:
            return log
        return log.with_name(f"server-{'candidate' if arm == 'candidate' else 'baseline'}.log")


def _quiet(_: str) -> None:
    """Say nothing."""
