"""One request to one server, in its dialect, over pooled connections."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from harness.client.dialect import (
    BadAnswer,
    CannotSend,
    Dialect,
    Ending,
    MalformedJson,
    encodable,
)
from harness.client.failures import TransportFailed, retry_after
from harness.client.framing import (
    EVENT_STREAM,
    EventTooLong,
    LineParser,
    SseParser,
    begins_stream,
)
from harness.client.protocol import Answer, ChatRequest, Failed, Layer, Reply, RequestContext
from harness.client.thinking import Told, first_of_answer, tell_apart
from harness.client.transport.exchange import Transport, WholeBody
from harness.client.transport.redirect import MOST, path_to_follow
from harness.clock import Clock
from harness.records.attempt import Failure, Timing, Usage
from harness.records.target import Generation

MAX_STREAM_BYTES = 64 * 1024 * 1024
_ERROR_BODY = 16 * 1024


class DialectClient(Layer):
    """Sends each request once; use it in an `async with`.

    Timeouts come from `generation`: to connect, between chunks, and for the whole case.
    """

    def __init__(self, dialect: Dialect, *, generation: Generation, clock: Clock) -> None:
        super().__init__(clock)
        self._dialect = dialect
        self._generation = generation
        self._transport = Transport(dialect.route, generation=generation, clock=clock)
        self._headers = dialect.headers()
        # Where the server has moved its own routes for good: no answer pays for that twice.
        self._moved: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"DialectClient({self._dialect.route.url!r})"

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.__aexit__()

    async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
        """The answer, or a failure with its cause; never an exception for what a server does.

        Raises:
            UsageError: asked outside its `async with`.
        """
        now, start = self._clock.now, context.intended
        try:
            path, body = self._dialect.build(request)
        except CannotSend as error:
            return Failed(Failure(cause="protocol", detail=str(error)), None, 1)
        tags = self._generation.thinking_tags
        reader = AnswerReader(self._dialect, request, start, now(), tags)
        place = self._moved.get(path, path)
        try:
            async with asyncio.timeout(self._generation.case_timeout):
                await self._transport.exchange("POST", place, self._headers, body, reader)
                for _ in range(MOST):
                    moved = reader.moved(place)
                    if moved is None:
                        break
                    place, for_good = moved
                    if for_good:
                        self._moved[path] = place
                    reader = AnswerReader(self._dialect, request, start, now(), tags)
                    await self._transport.exchange("POST", place, self._headers, body, reader)
            return reader.finish(now())
        except BadAnswer as error:
            failure = error.failure
        except TimeoutError:
            failure = Failure(cause="timeout", detail="no whole answer within case_timeout")
        except TransportFailed as error:
            # A status that came is reported, however little of its message did.
            failure = reader.refusal() or Failure(cause=error.cause, detail=error.detail)
        timing = reader.timing(now() - start)
        wait = retry_after(reader.retry_after, self._clock)
        return Failed(self._redacted(failure), timing, 1, retry_after=wait)

    def _redacted(self, failure: Failure) -> Failure:
        detail = self._dialect.credentials.redact(failure.detail)
        return (
            failure if detail == failure.detail else failure.model_copy(update={"detail": detail})
        )


@dataclass(slots=True, eq=False)
class AnswerReader:
    """Takes one response's status and bytes, then gives the answer, or the failure.

    Reads come with the moment at which they were read, on the client's clock; the answer's times
    are seconds since `start`. `arrivals` are those of chunks with content.
    """

    _dialect: Dialect
    _request: ChatRequest
    _start: float
    sent_at: float
    _tags: Sequence[tuple[str, str]] = ()
    arrivals: list[float] = field(default_factory=list)
    _framer: SseParser | LineParser | None = field(init=False)
    _document: list[bytes] = field(default_factory=list)
    _refused: WholeBody | None = None
    _unsure: WholeBody | None = None
    _begun: bytes = b""
    _size: int = 0
    _text: list[str] = field(default_factory=list)
    # Of each piece of the text, the number of the chunk that brought it.
    _brought_by: list[int] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)
    _logprobs: list[tuple[str, float]] = field(default_factory=list)
    _beginnings: Sequence[tuple[str, float]] = ()
    _finish: str | None = None
    _counts: tuple[Any, Any] | None = None
    _first_tokens: int | None = None
    _model: str | None = None
    _last_read: float | None = None
    _empty_text: bool = False
    _ended: bool = False

    def __post_init__(self) -> None:
        self._framer = self._dialect.framer()

    def moved(self, asked: str) -> tuple[str, bool] | None:
        """The server's other path at which to ask, as `path_to_follow` gives it."""
        refused = self._refused
        if refused is None:
            return None
        return path_to_follow(self._dialect.route, asked, refused.status, refused.headers)

    @property
    def retry_after(self) -> str | None:
        """The Retry-After of a response that is no answer."""
        return None if self._refused is None else self._refused.headers.get("retry-after")

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the status and the headers, their names in lower case."""
        body = WholeBody(_ERROR_BODY)
        body.head(status, headers)
        if not self._dialect.accepts(body):
            self._refused = body
        elif self._dialect.sniffs and body.kind != EVENT_STREAM:
            self._unsure = body

    def feed(self, data: bytes, at: float) -> bool:
        """Take what one read brought; true when nothing that follows can matter.

        Raises:
            BadAnswer: an error in the answer, malformed JSON, another model's answer, no end.
        """
        if self._unsure is not None:
            data = self._sniffed(self._unsure, data)
        if self._refused is not None:
            return self._refused.feed(data, at)
        self._last_read = at
        self._size += len(data)
        if self._size > MAX_STREAM_BYTES:
            raise BadAnswer("protocol", f"the answer is longer than {MAX_STREAM_BYTES} bytes")
        framer = self._framer
        if framer is None:
            self._document.append(data)
            return False
        try:
            events = framer.feed(data)
        except EventTooLong as error:
            raise BadAnswer("protocol", str(error)) from None
        for event in events:
            if event == b"[DONE]" and isinstance(framer, SseParser):
                self._ended = True
            else:
                self._take(event, at)
            if self._ended:
                return True
        return False

    def _sniffed(self, body: WholeBody, data: bytes) -> bytes:
        """The bytes that are known to be of a stream, or of a document, by how they begin."""
        self._begun += data
        streamed = begins_stream(self._begun)
        if streamed is None and len(self._begun) <= _ERROR_BODY:
            return b""
        if streamed is False:
            self._refused = body
        begun, self._begun, self._unsure = self._begun, b"", None
        return begun

    def finish(self, at: float) -> Answer:
        """The answer, once the response has ended.

        Raises:
            BadAnswer: a refusal, an answer that broke off, or one that cannot be read.
        """
        framer, refused = self._framer, self._refused
        if refused is not None and self._dialect.filtered(refused):
            self._finish = "content_filter"  # the server answered, with nothing
            return self._answer(at)
        if (refusal := self.refusal()) is not None:
            raise BadAnswer(refusal.cause, refusal.detail, refusal.status, refusal.remedy)
        if framer is None:
            self._take(b"".join(self._document), at)
        elif isinstance(framer, LineParser) and not self._ended and (rest := framer.rest()):
            try:
                self._take(rest, at)
            except MalformedJson:  # no line end closes it, and it is not whole
                raise BadAnswer("reset", "the stream broke off in the middle of a line") from None
        has_text = self._empty_text or bool(self._text)
        self._dialect.check_ending(Ending(framer is not None, self._ended, has_text, self._finish))
        if self._finish and not self._dialect.ends_answers(self._finish):
            raise BadAnswer("server_error", f"the server broke off: {self._finish}")
        return self._answer(at)

    def _answer(self, at: float) -> Answer:
        told = self._told()
        text = told.answer
        thoughts = "\n".join(filter(None, ("".join(self._reasoning), told.thinking)))
        self._check_no_secret(text, thoughts)
        return Answer(
            text=encodable(text),
            reasoning=encodable(thoughts) if thoughts else None,
            finish_reason=self._finish or "stop",
            usage=_usage(self._counts),
            timing=self.timing(self._done(at), told),
            tries=1,
            model=self._model or self._request.model,
            token_logprobs=tuple(self._logprobs) if self._request.logprobs else None,
            first_tokens=self._first_tokens,
            beginnings=tuple(self._beginnings),
        )

    def timing(self, done: float, told: Told | None = None) -> Timing:
        """The times of what came so far, which ended at `done` seconds."""
        chunks, sent = tuple(self.arrivals), self.sent_at - self._start
        told = told or self._told()
        if not chunks or not (self._reasoning or told.marked):
            return Timing(sent=sent, chunks=chunks, done=done)
        piece = first_of_answer(self._text, told)
        chunk = None if piece is None else self._brought_by[piece]
        if chunk == 0:
            return Timing(sent=sent, chunks=chunks, done=done)
        answer = None if chunk is None else chunks[chunk]
        return Timing(sent=sent, chunks=chunks, done=done, thinks=True, answer=answer)

    def _told(self) -> Told:
        return tell_apart("".join(self._text), self._tags)

    def _check_no_secret(self, text: str, thoughts: str) -> None:
        """Return if nothing of the answer holds a secret, nor all of its pieces in a row do."""
        tokens = "".join(token for token, _ in self._logprobs)
        whole = "".join((*self._reasoning, *self._text))
        if self._dialect.credentials.leak(text, thoughts, whole, tokens, self._finish, self._model):
            raise BadAnswer("protocol", "the answer holds the secret of a header: not kept")

    def refusal(self) -> Failure | None:
        """The failure that the status and the headers are; None where they are an answer's."""
        if self._refused is None:
            return None
        found = self._dialect.refusal(self._refused)
        remedy = self._dialect.remedy(self._refused, self._request)
        return found if remedy is None else found.model_copy(update={"remedy": remedy})

    def _done(self, at: float) -> float:
        """When the answer was whole: at its last read, unless its end was never marked."""
        unmarked = self._dialect.ends_with_done and not self._ended
        return (at if unmarked or self._last_read is None else self._last_read) - self._start

    def _take(self, data: bytes, at: float) -> None:
        event = self._dialect.parse(data, self._request)
        text, reasoning, finish, counts, model, logprobs, self._ended, beginnings = event
        if self._model is None and model:
            self._check_model(model)
        if counts is not None:
            self._counts = counts  # read once the last is known: some count in every event
        if text:
            self._text.append(text)
            if self._request.heard is not None:
                self._request.heard(self._dialect.credentials.redact(encodable(text)))
            self._brought_by.append(len(self.arrivals))
        elif text is not None:
            self._empty_text = True
        if reasoning:
            self._reasoning.append(reasoning)
        if (text or reasoning) and self._framer is not None:
            if counts is not None and not self.arrivals:
                first = _usage(counts)
                self._first_tokens = (first.completion_tokens or None) if first else None
            self.arrivals.append(at - self._start)
        if logprobs:
            self._logprobs.extend(logprobs)
        if beginnings and not self._beginnings:
            self._beginnings = beginnings
        if finish and self._finish != "refusal":  # a stop that follows does not undo it
            self._finish = finish

    def _check_model(self, name: Any) -> None:
        if not isinstance(name, str):
            return
        asked, called = self._request.model, self._request.answers_as
        if name != asked and name != called and not self._dialect.names(asked, name):
            name = self._dialect.credentials.redact(name)
            raise BadAnswer("wrong_model", f"asked `{asked}`, answered by `{name}`")
        self._model = name


def _usage(counts: tuple[Any, Any] | None) -> Usage | None:
    """The counts, where both are: an answer is not lost because a server counts otherwise."""
    if counts is None:
        return None
    try:
        return Usage(prompt_tokens=counts[0], completion_tokens=counts[1])
    except ValueError:
        return None
