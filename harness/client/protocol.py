"""The types of all clients: request, answer, failure, and the context of a request."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from harness.clock import Clock
from harness.records.attempt import Failure, Passage, Timing, Usage
from harness.records.suite import Message

# Nothing was generated, so nothing is paid for.
FREE_CAUSES = frozenset({"connect", "http"})


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One conversation to send to one model, with its sampling.

    With `top_logprobs` the likeliest tokens at the answer's beginning are asked for too, so many.
    `answers_as` is another name by which the model may call itself in its answers; `session` is
    the conversation on the server that the request continues, for servers that keep any.
    `extra` are fields of the server's own, sent as they are; `stream_options` among them are added
    to ours. `heard` is given each piece of the answer's text as it comes, and must not raise.
    """

    model: str
    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    logprobs: bool = False
    top_logprobs: int = 0
    answers_as: str | None = None
    session: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    heard: Callable[[str], None] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `token_logprobs` are natural logarithms, one a generated token.

    `retried` is why each try before the last brought no answer: a status or a cause. `model` is the
    name the server gave, or the one asked for where it gave none. `first_tokens` is
    how many tokens the first chunk with content brought, where the server counts in every chunk.
    `beginnings` are the likeliest first tokens, where they were asked for, in the same form;
    `passages` are what was put before the question.
    """

    text: str
    reasoning: str | None
    finish_reason: str
    usage: Usage | None
    timing: Timing
    tries: int
    model: str
    token_logprobs: tuple[tuple[str, float], ...] | None = None
    first_tokens: int | None = None
    retried: tuple[str, ...] = ()
    beginnings: tuple[tuple[str, float], ...] = ()
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A request that brought no answer; `timing` is that of its last try, if it was sent.

    `retry_after` is the number of seconds for which the server asked for no more requests. `gone`
    says that no request was answered for longer than any case waits: more requests are useless.
    """

    failure: Failure
    timing: Timing | None
    tries: int
    retry_after: float | None = None
    gone: bool = False
    retried: tuple[str, ...] = ()


Reply = Answer | Failed


class ChatClient(Protocol):
    """A client that answers chat requests."""

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The answer, or a failure with its cause; never an exception for what a server does.

        `intended` is the moment on the client's clock at which the request was due (default:
        now); every time in the reply counts from it.
        """
        ...


class Deadline:
    """So many seconds from now; `ends` is the moment on the clock at which they are over."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._clock = clock
        self._timeout: asyncio.Timeout | None = None
        self.ends = clock.now() + seconds

    @asynccontextmanager
    async def enforced(self) -> AsyncIterator[None]:
        """A block that is cancelled once the time is over.

        Raises:
            TimeoutError: it was.
        """
        async with asyncio.timeout(self.ends - self._clock.now()) as self._timeout:
            yield

    @contextmanager
    def paused(self, last_answer: Callable[[], float]) -> Iterator[None]:
        """A wait inside the block; it counts only from the last answer to any request.

        `last_answer` is the moment of that answer on the clock: a server that answers others
        costs the waiting case none of its time.
        """
        assert self._timeout is not None
        loop, timeout = asyncio.get_running_loop(), self._timeout
        began, ends = self._clock.now(), self.ends
        timer: asyncio.TimerHandle

        def left() -> float:
            self.ends = ends + max(0.0, last_answer() - began)
            return self.ends - self._clock.now()

        def check() -> None:
            nonlocal timer
            if (more := left()) > 0.0:
                timer = loop.call_later(more, check)
            else:
                timeout.reschedule(loop.time())

        timeout.reschedule(None)
        timer = loop.call_later(left(), check)
        try:
            yield
        finally:
            timer.cancel()
        timeout.reschedule(loop.time() + left())


@dataclass(slots=True, eq=False)
class Permit:
    """Permission to send one request; to be settled once.

    `given` is the moment on the meter's clock at which it was given.
    """

    _settle: Callable[[Usage | None, bool], None]
    given: float

    def settle(self, reply: Reply | None) -> None:
        """Account for the reply; its usage is unknown where there is no reply or no usage in it."""
        usage = reply.usage if isinstance(reply, Answer) else None
        free = isinstance(reply, Failed) and reply.failure.cause in FREE_CAUSES
        self._settle(usage, free)

    def give_back(self) -> None:
        """Account for a request that was never sent."""
        self._settle(None, True)


@dataclass(slots=True, eq=False)
class RequestContext:
    """The context of one request in the stack; each layer may read and update it.

    `intended` is the moment at which the request was due: every time in its reply counts from it.
    `deadline` is the end of its case, `number` its place in the queue of a metered server, and
    `permit` the permission for its next try. `failed_on` is the server
    on which the last try failed.
    """

    intended: float
    deadline: Deadline | None = None
    number: int | None = None
    permit: Permit | None = None
    failed_on: object = None

    def take_permit(self) -> Permit | None:
        """The permit; the context no longer holds it."""
        permit, self.permit = self.permit, None
        return permit


class Layer(ABC):
    """A layer of the client stack; each is a client by itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @property
    def has_room(self) -> bool:
        """Whether a request would be sent at once."""
        return True

    @property
    def held(self) -> float:
        """For how many seconds from now nothing is sent."""
        return 0.0

    @abstractmethod
    async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
        """The answer, or a failure with its cause; never an exception for what a server does."""

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The reply to a request with a context of its own."""
        due = self._clock.now() if intended is None else intended
        return await self.send(request, RequestContext(due))
