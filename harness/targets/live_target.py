"""A synchronous client of a live target."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from harness.client.protocol import ChatClient, ChatRequest, Reply
from harness.clock import SYSTEM_CLOCK
from harness.config import Project
from harness.errors import EvidenceError, UsageError
from harness.files import make_folder
from harness.records.base import explain
from harness.records.plan import Plan
from harness.records.run import RunHeader, Watcher
from harness.records.suite import Message
from harness.records.target import Generation, Identity
from harness.targets.adapter_proof import prove_all
from harness.targets.additions import asker
from harness.targets.client_stack import ClientStack, open_stack
from harness.targets.connection import connect
from harness.targets.endpoint import Endpoint
from harness.targets.fingerprint import check_unchanged
from harness.targets.identity import check_listing, identify

T = TypeVar("T")


@contextmanager
def open_targets(
    project: Project,
    names: Sequence[str],
    log: Path,
    say: Callable[[str], None],
    retries: int | None = None,
) -> Iterator[list[LiveTarget]]:
    """The targets, live for as long as the block runs; a managed server is started once for all.

    Raises:
        UsageError: no such target, a key that is not set, or a file that is missing.
        ServerError: a managed server does not start.
    """
    servers: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        servers.setdefault(project.target(name).server, []).append(name)
    make_folder(log.parent)
    with ExitStack() as stack:
        endpoints = {
            server: stack.enter_context(connect(project, server, on_it, log, say))
            for server, on_it in servers.items()
        }
        yield [
            stack.enter_context(
                LiveTarget(project, name, endpoints[project.target(name).server], retries=retries)
            )
            for name in names
        ]


class LiveTarget:
    """A target at an endpoint, for use in a `with`: the client, retries and timeouts of a run.

    Passages that it puts before a question are looked up here; examples are the caller's to give.

    Requests are made on an event loop in a thread of its own, so that the caller may be on
    another. Its `identity` is what was there when the block began. `concurrency` and `retries`
    replace the target's own.
    """

    def __init__(
        self,
        project: Project,
        target: str,
        endpoint: Endpoint,
        concurrency: int | None = None,
        retries: int | None = None,
    ) -> None:
        self.target = target
        self._project = project
        self._endpoint = endpoint
        self._generation = project.generation(target)
        given = {"concurrency": concurrency, "retries": retries}
        own = {name: value for name, value in given.items() if value is not None}
        self._generation = self._generation.model_copy(update=own)
        self._answers_as = project.target(target).answers_as
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._stack = AsyncExitStack()
        self._clients: ClientStack
        self._client: ChatClient
        self.identity: Identity

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._wait(self._connect())
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def check(self, planned: Plan, known: RunHeader | None, watcher: Watcher) -> None:
        """Check that the planned model answers here, with its adapter applied.

        Where a run of it is `known`, the adapter must be the one that answered then.

        Raises:
            EvidenceError: the target is another by now.
            AdapterNotApplied: its adapter has no effect, or is another than it was.
            ServerError: a probe failed.
        """
        self._wait(self._check(planned, known, watcher))

    def ask(self, conversations: Sequence[Sequence[Message]], **sampling: Any) -> list[Reply]:
        """The reply to each conversation, in their order; all are sent concurrently.

        At most the target's `concurrency` are under way. `sampling` replaces the
        target's own `generation` settings.

        Raises:
            UsageError: a value of `sampling` is out of range, or unknown.
        """
        try:
            settings = Generation(**{**self._generation.model_dump(), **sampling})
        except ValidationError as error:
            raise UsageError(explain(error)) from None
        return self._wait(self._ask(conversations, settings))

    def stream(self, messages: Sequence[Message]) -> Iterator[str | Reply]:
        """The pieces of the answer to one conversation as they come, then the reply.

        It is under way at once. Who closes the iterator gives the request up.
        """
        stream = self._stream(messages)
        next(stream)
        return stream

    def _stream(self, messages: Sequence[Message]) -> Iterator[str | Reply]:
        pieces: SimpleQueue[str | None] = SimpleQueue()
        asked = self._ask([messages], self._generation, pieces.put)
        future = asyncio.run_coroutine_threadsafe(asked, self._loop)
        future.add_done_callback(lambda _: pieces.put(None))
        try:
            yield ""
            while (piece := pieces.get()) is not None:
                yield piece
            yield future.result()[0]
        finally:
            future.cancel()

    async def _connect(self) -> None:
        self.identity = await identify(self._project, self.target)
        self._clients = await self._stack.enter_async_context(
            open_stack(self._endpoint, self._generation, SYSTEM_CLOCK)
        )
        self._client = asker(self._project, self.target)(self._clients.client)

    async def _check(self, planned: Plan, known: RunHeader | None, watcher: Watcher) -> None:
        identity = await identify(self._project, self.target)
        if identity != planned.identity:
            raise EvidenceError(
                f"`{self.target}` is no longer what it was when the session began", hint="run again"
            )
        listed = functools.partial(check_listing, self._project, self.target, identity)
        proof = await prove_all(self._clients, planned, watcher.say, self._answers_as, listed)
        if proof is None or known is None or identity.weights is not None:
            return
        if known.adapter_proof is not None:
            check_unchanged(proof, known.adapter_proof, known.created)

    async def _ask(
        self,
        conversations: Sequence[Sequence[Message]],
        settings: Generation,
        heard: Callable[[str], None] | None = None,
    ) -> list[Reply]:
        room = asyncio.Semaphore(settings.concurrency)

        async def one(messages: Sequence[Message]) -> Reply:
            request = ChatRequest(
                model=self.identity.model,
                messages=tuple(messages),
                max_tokens=settings.max_tokens,
                temperature=settings.temperature,
                top_p=settings.top_p,
                seed=settings.seed,
                answers_as=self._answers_as,
                extra=settings.request_fields(),
                heard=heard,
            )
            async with room:
                return await self._client.ask(request)

        return await asyncio.gather(*(one(messages) for messages in conversations))

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:  # Ctrl-C: what nobody waits for any more is given up
            future.cancel()
            raise

    def _close(self) -> None:
        try:
            self._wait(self._stack.aclose())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
