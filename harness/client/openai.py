"""The streaming client of OpenAI-compatible servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import UTC
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import aiohttp

from harness.client.causes import cause_of
from harness.client.protocol import ChatRequest, Failed, Reply
from harness.client.route import Route
from harness.client.stream import BadStream, StreamedAnswer, error_text, one_line
from harness.clock import Clock
from harness.errors import UsageError
from harness.records.attempt import Failure, Timing
from harness.records.target import Generation

_ERROR_BODY = 16 * 1024
_LINGER = 1.0
_TIMED_OUT = "no whole answer within case_timeout"


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
        self._session: aiohttp.ClientSession | None = None
        self._target = f"{self._route.url}/chat/completions"

    def __repr__(self) -> str:
        return f"OpenAIClient({self._route.url!r})"

    async def __aenter__(self) -> Self:
        generation = self._generation
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=generation.concurrency, keepalive_timeout=self._route.keepalive
            ),
            timeout=aiohttp.ClientTimeout(
                total=None,
                sock_connect=generation.connect_timeout,
                sock_read=generation.chunk_timeout,
            ),
            headers={
                "Content-Type": "application/json",
                "Accept": "text/event-stream",
                # A compressed stream would be held back until a block is full.
                "Accept-Encoding": "identity",
                **self._route.headers(),
            },
            proxy=self._route.proxy,
            cookie_jar=aiohttp.DummyCookieJar(),
            raise_for_status=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The answer, or a failure with its cause; never an exception for what a server does.

        Raises:
            UsageError: asked outside its `async with`.
        """
        if self._session is None:
            raise UsageError("the client is not open", hint="ask inside its `async with`")
        now = self._clock.now()
        start = now if intended is None else intended
        try:
            body = _body(request)
        except UnicodeEncodeError:
            failure = Failure(
                cause="protocol", detail="the conversation holds half a surrogate pair: not sent"
            )
            return Failed(failure, None, 1)
        answer = StreamedAnswer(request)
        sent = now - start
        try:
            async with asyncio.timeout(self._generation.case_timeout):
                return await self._exchange(self._session, body, answer, start, sent)
        except BadStream as error:
            failure = error.failure
        except TimeoutError as error:
            # aiohttp's own timeouts are TimeoutErrors too, and say more.
            cause, detail = (
                cause_of(error)
                if isinstance(error, aiohttp.ClientError)
                else ("timeout", _TIMED_OUT)
            )
            failure = Failure(cause=cause, detail=detail)
        except (aiohttp.ClientError, OSError) as error:
            cause, detail = cause_of(error)
            failure = Failure(cause=cause, detail=detail)
        timing = Timing(sent=sent, chunks=answer.arrivals, done=self._clock.now() - start)
        return Failed(self._redacted(failure), timing, 1)

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        body: bytes,
        answer: StreamedAnswer,
        start: float,
        sent: float,
    ) -> Reply:
        now = self._clock.now
        async with session.post(self._target, data=body, allow_redirects=False) as response:
            if response.status != 200:
                return await self._refused(response, start, sent)
            # A server that names no type is taken at its word.
            if response.content_type not in ("text/event-stream", "application/octet-stream"):
                raise await _unstreamed(response)
            async for data in response.content.iter_any():
                at = now() - start
                answer.feed(data, at)
                if answer.done:
                    await _drain(response)
                    return answer.finish(sent, at)
            return answer.finish(sent, now() - start)

    async def _refused(self, response: aiohttp.ClientResponse, start: float, sent: float) -> Failed:
        body = await _some_of(response)
        said = _message(body)
        detail = f"HTTP {response.status}" + (f": {said}" if said else "")
        failure = self._redacted(Failure(cause="http", detail=detail, status=response.status))
        timing = Timing(sent=sent, done=self._clock.now() - start)
        wait = self._retry_after(response.headers.get("Retry-After"))
        return Failed(failure, timing, 1, retry_after=wait)

    def _retry_after(self, value: str | None) -> float | None:
        """The header's wait in seconds, given as seconds or as a date (RFC 9110, 10.2.3)."""
        if value is None:
            return None
        if value.strip().isdecimal():
            return float(value)
        try:
            moment = parsedate_to_datetime(value)
        except (TypeError, ValueError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - self._clock.utc()).total_seconds())

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
        "stream_options": {"include_usage": True},
    }
    if request.logprobs:
        body["logprobs"] = True
    return json.dumps(body, ensure_ascii=False).encode()


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read what is left after the answer, so that the pool gets the connection back.

    Whatever goes wrong here concerns the connection and not the answer.
    """
    if response.content.at_eof():
        return
    with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout(_LINGER):
            async for _ in response.content.iter_any():
                pass


async def _unstreamed(response: aiohttp.ClientResponse) -> BadStream:
    """What to make of a 200 that is one document where a stream was asked for."""
    body = await _some_of(response)
    with contextlib.suppress(ValueError, RecursionError):
        data = json.loads(body)
        if isinstance(data, dict) and data.get("error"):
            return BadStream("server_error", error_text(data["error"]))
    kind = response.content_type
    return BadStream("protocol", f"the server answered without streaming, with {kind}")


async def _some_of(response: aiohttp.ClientResponse) -> bytes:
    """The beginning of a body that is only read for its message."""
    with contextlib.suppress(aiohttp.ClientPayloadError):
        return await response.content.read(_ERROR_BODY)
    return b""


def _message(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return one_line(text)
    return one_line(error_text(data.get("error", data) if isinstance(data, dict) else data))
