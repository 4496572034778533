"""The streaming client of OpenAI-compatible servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from harness.client.protocol import ChatRequest, Failed, Reply
from harness.client.retry_after import retry_after
from harness.client.route import Route
from harness.client.stream import BadStream, StreamedAnswer, error_text, one_line
from harness.client.transport.body import WholeBody
from harness.client.transport.exchange import Transport, TransportFailed
from harness.client.transport.origin import path_of
from harness.clock import Clock
from harness.records.attempt import Failure, Timing
from harness.records.target import Generation

_ERROR_BODY = 16 * 1024
_STREAM_OPTIONS = {"include_usage": True}
_TIMED_OUT = "no whole answer within case_timeout"
# A server that names no type is taken at its word.
_STREAMS = frozenset({"text/event-stream", "application/octet-stream", ""})


class OpenAIClient:
    """Asks one server over pooled connections, each request once; use it in an `async with`.

    Timeouts come from `generation`: to connect, between chunks, and for the whole case.

    Raises:
        UsageError: the address or the key cannot be used.
    """

    def __init__(
        self, url: str, *, api_key: str | None, generation: Generation, clock: Clock
    ) -> None:
        self._route = Route(url, api_key)
        self._generation = generation
        self._clock = clock
        self._transport = Transport(self._route, generation=generation, clock=clock)
        self._target = f"{path_of(self._route.url)}/chat/completions"
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            **self._route.headers(),
        }

    def __repr__(self) -> str:
        return f"OpenAIClient({self._route.url!r})"

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
        now = self._clock.now
        asked_at = now()
        start = asked_at if intended is None else intended
        try:
            body = _body(request)
        except UnicodeEncodeError:
            failure = Failure(
                cause="protocol", detail="the conversation holds half a surrogate pair: not sent"
            )
            return Failed(failure, None, 1)
        taken = _Taken(request, start, asked_at)
        try:
            async with asyncio.timeout(self._generation.case_timeout):
                await self._transport.exchange("POST", self._target, self._headers, body, taken)
            if taken.other is None:
                done = now() - start if taken.done is None else taken.done
                return taken.answer.finish(taken.sent_at - start, done)
            failure = _refused(taken.other)
        except BadStream as error:
            failure = error.failure
        except TimeoutError:
            failure = Failure(cause="timeout", detail=_TIMED_OUT)
        except TransportFailed as error:
            # A status that came is said, however little of its message did.
            failure = (
                Failure(cause=error.cause, detail=error.detail)
                if taken.other is None
                else _refused(taken.other)
            )
        timing = Timing(
            sent=taken.sent_at - start, chunks=taken.answer.arrivals, done=now() - start
        )
        said = taken.other.headers.get("retry-after") if taken.other else None
        wait = retry_after(said, self._clock)
        return Failed(self._redacted(failure), timing, 1, retry_after=wait)

    def _redacted(self, failure: Failure) -> Failure:
        detail = self._route.redact(failure.detail)
        return (
            failure if detail == failure.detail else failure.model_copy(update={"detail": detail})
        )


def _body(request: ChatRequest) -> bytes:
    """The request as sent.

    Raises:
        UnicodeEncodeError: a text holds a lone surrogate, which is no character.
    """
    body: dict[str, object] = {
        "model": request.model,
        "messages": [
            {"role": message.role, "content": message.content} for message in request.messages
        ],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stream": True,
        "stream_options": _STREAM_OPTIONS,
    }
    if request.logprobs:
        body["logprobs"] = True
    for name, value in request.extra.items():
        if name == "stream_options" and isinstance(value, Mapping):
            value = {**_STREAM_OPTIONS, **value}
        body[name] = value
    return json.dumps(body, ensure_ascii=False).encode()


class _Taken:
    """A sink that makes an answer of a stream, and keeps what is none for its message."""

    __slots__ = ("_start", "answer", "done", "other", "sent_at")

    def __init__(self, request: ChatRequest, start: float, asked_at: float) -> None:
        self._start = start
        self.sent_at = asked_at  # until it is sent
        self.answer = StreamedAnswer(request)
        self.other: WholeBody | None = None
        self.done: float | None = None

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if status != 200 or kind not in _STREAMS:
            self.other = WholeBody(_ERROR_BODY)
            self.other.head(status, headers)

    def feed(self, data: bytes, at: float) -> bool:
        if self.other is not None:
            return self.other.feed(data, at)
        moment = at - self._start
        self.answer.feed(data, moment)
        if self.answer.done:
            self.done = moment
        return self.answer.done


def _refused(said: WholeBody) -> Failure:
    """What to make of an error, or of one document where a stream was asked for."""
    if said.status != 200:
        words = _message(said.content)
        detail = f"HTTP {said.status}" + (f": {words}" if words else "")
        return Failure(cause="http", detail=detail, status=said.status)
    with contextlib.suppress(ValueError, RecursionError):
        data = json.loads(said.content)
        if isinstance(data, dict) and data.get("error"):
            return BadStream("server_error", error_text(data["error"])).failure
    words = f"the server answered without streaming, with {said.kind}"
    return BadStream("protocol", words).failure


def _message(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return one_line(text)
    return one_line(error_text(data.get("error", data) if isinstance(data, dict) else data))
