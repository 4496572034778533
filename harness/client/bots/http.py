"""The client of chatbots that speak a protocol of their own."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from harness.client.bots.answer import BotAnswer
from harness.client.bots.headers import Headers
from harness.client.bots.mapping import body, fill_url, values
from harness.client.protocol import Answer, ChatRequest, Failed, Reply
from harness.client.retry_after import retry_after
from harness.client.route import Route
from harness.client.stream import BadStream
from harness.client.transport.exchange import Transport, TransportFailed
from harness.client.transport.origin import path_of
from harness.clock import Clock
from harness.records.attempt import Failure, Timing
from harness.records.http_server import HttpServer
from harness.records.target import Generation

_ACCEPTED = {
    "none": "application/json",
    "ndjson": "application/x-ndjson, application/json",
    "sse": "text/event-stream",
}


@dataclass(frozen=True, slots=True)
class Access:
    """A bot, and the headers that open its door."""

    server: HttpServer
    headers: Headers


class HttpClient:
    """Asks one bot, each request once and in a session of its own unless it names one.

    Use it in an `async with`. Timeouts come from `generation`: to connect, between chunks, and
    for the whole case.

    Raises:
        UsageError: the address cannot be used.
    """

    def __init__(self, access: Access, *, generation: Generation, clock: Clock) -> None:
        self._server = access.server
        self._secrets = access.headers
        self._generation = generation
        self._clock = clock
        # What stands in braces is no part of the place to connect to.
        self._route = Route(access.server.url.partition("{")[0], None)
        self._transport = Transport(self._route, generation=generation, clock=clock)
        self._headers = {"Content-Type": "application/json", **access.headers.sent}
        if "accept" not in {name.lower() for name in access.headers.sent}:
            self._headers["Accept"] = _ACCEPTED[access.server.stream]

    def __repr__(self) -> str:
        return f"HttpClient({self._server.url!r})"

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The answer, or a failure with its cause; never an exception for what a server does.

        Raises:
            UsageError: asked outside its `async with`.
        """
        asked_at = self._clock.now()
        start = asked_at if intended is None else intended
        turns = sum(message.role == "user" for message in request.messages)
        if turns > 1 and request.session is None and not self._server.carries_history:
            return _unsent(
                f"the case has {turns} user turns, and the server's request carries the last "
                "alone: give it one of `messages`, `dialogue` and `user_turns`, or replay the turns"
            )
        filled = values(self._server, request, request.session or str(uuid.uuid4()))
        try:
            data = body(self._server, filled)
        except UnicodeEncodeError:
            return _unsent("the conversation holds half a surrogate pair: not sent")
        target = path_of(fill_url(self._server.url, filled)) or "/"
        answer = BotAnswer(self._server, request, self._secrets.redact)
        answer.sent_at = asked_at  # until it is sent
        try:
            async with asyncio.timeout(self._generation.case_timeout):
                await self._transport.exchange("POST", target, self._headers, data, answer)
            return self._answer(request, answer, start)
        except BadStream as error:
            failure = error.failure
        except TimeoutError:
            failure = Failure(cause="timeout", detail="no whole answer within case_timeout")
        except TransportFailed as error:
            # A status that came is said, however little of its message did.
            failure = answer.refusal() or Failure(cause=error.cause, detail=error.detail)
        timing = Timing(
            sent=answer.sent_at - start,
            chunks=_since(start, answer.arrivals),
            done=self._clock.now() - start,
        )
        wait = retry_after(answer.headers.get("retry-after"), self._clock)
        return Failed(failure, timing, 1, retry_after=wait if failure.cause == "http" else None)

    def _answer(self, request: ChatRequest, answer: BotAnswer, start: float) -> Answer:
        """The answer that a whole response holds.

        Raises:
            BadStream: it holds none, or one that must not be kept.
        """
        said = answer.finish(self._clock.now())
        if self._secrets.leak(said.text) or self._secrets.leak(said.reasoning or ""):
            raise BadStream("protocol", "the answer holds the secret of a header: not kept")
        done = self._clock.now() if answer.read_at is None else answer.read_at
        return Answer(
            text=said.text,
            reasoning=said.reasoning,
            finish_reason=said.finish_reason,
            usage=said.usage,
            timing=Timing(
                sent=answer.sent_at - start,
                chunks=_since(start, answer.arrivals),
                done=done - start,
            ),
            tries=1,
            model=said.model or request.model,
        )


def _unsent(detail: str) -> Failed:
    return Failed(Failure(cause="protocol", detail=detail), None, 1)


def _since(start: float, moments: list[float]) -> tuple[float, ...]:
    return tuple(moment - start for moment in moments)
