"""One streamed chat completion, put together from its events without any network."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec

from harness.client.protocol import Answer, ChatRequest
from harness.client.sse import SseParser, SseTooLong
from harness.records.attempt import Failure, FailureCause, Timing, Usage

# A server may name the dated snapshot or the tag that a model's name stands for.
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}|-\d{8}|:latest")
_BROKEN_OFF = frozenset({"abort", "error"})
_DETAIL_LENGTH = 300
MAX_STREAM_BYTES = 64 * 1024 * 1024


class BadStream(Exception):
    """The stream cannot become an answer; carries the failure to report."""

    def __init__(self, cause: FailureCause, detail: str, status: int | None = None) -> None:
        self.failure = Failure(cause=cause, detail=one_line(detail), status=status)
        super().__init__(self.failure.detail)


def one_line(text: str) -> str:
    """The text on one line, cut to a length that a person reads, and always encodable."""
    line = " ".join(text.split()).encode("utf-8", "replace").decode("utf-8")
    return line if len(line) <= _DETAIL_LENGTH else f"{line[: _DETAIL_LENGTH - 1]}…"


def error_text(error: Any) -> str:
    """What a server's `error` value says: its message where it has one."""
    if isinstance(error, dict):
        message = error.get("message") or error.get("detail") or error.get("error")
        return error_text(message) if message else json.dumps(error)
    return error if isinstance(error, str) else json.dumps(error)


class StreamedAnswer:
    """Collects a stream's bytes as they arrive, each read with the moment it came.

    Moments are seconds since the request's intended send time.
    """

    __slots__ = (
        "_arrivals",
        "_bytes",
        "_done",
        "_finish",
        "_first_tokens",
        "_logprobs",
        "_model",
        "_parser",
        "_reasoning",
        "_request",
        "_text",
        "_usage",
    )

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._parser = SseParser()
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._arrivals: list[float] = []
        self._logprobs: list[tuple[str, float]] = []
        self._finish: str | None = None
        self._usage: Any = None
        self._first_tokens: int | None = None
        self._model: str | None = None
        self._done = False
        self._bytes = 0

    @property
    def done(self) -> bool:
        """Whether the server said that nothing follows."""
        return self._done

    @property
    def arrivals(self) -> tuple[float, ...]:
        """When chunks with content came."""
        return tuple(self._arrivals)

    def feed(self, data: bytes, at: float) -> None:
        """Take what one read brought.

        Raises:
            BadStream: an error event, malformed JSON, another model's answer, no end in sight.
        """
        self._bytes += len(data)
        if self._bytes > MAX_STREAM_BYTES:
            raise BadStream("protocol", f"the answer is longer than {MAX_STREAM_BYTES} bytes")
        try:
            events = self._parser.feed(data)
        except SseTooLong as error:
            raise BadStream("protocol", str(error)) from None
        for event in events:
            if self._done:
                return
            if event == b"[DONE]":
                self._done = True
            else:
                self._take(event, at)

    def finish(self, sent: float, done: float) -> Answer:
        """The answer, once the stream has ended.

        Raises:
            BadStream: the stream ended before the answer did.
        """
        if self._finish is None:
            if self._done:
                raise BadStream("protocol", "the stream ended without a finish_reason")
            raise BadStream("reset", "the stream broke off before the answer ended")
        if self._finish in _BROKEN_OFF:
            raise BadStream("server_error", f"the server broke off: {self._finish}")
        return Answer(
            text=_encodable("".join(self._text)),
            reasoning=_encodable("".join(self._reasoning)) if self._reasoning else None,
            finish_reason=self._finish,
            usage=None if self._usage is None else _usage(self._usage),
            timing=Timing(sent=sent, chunks=tuple(self._arrivals), done=done),
            tries=1,
            model=self._model or self._request.model,
            token_logprobs=tuple(self._logprobs) if self._request.logprobs else None,
            first_tokens=self._first_tokens,
        )

    def _take(self, event: bytes, at: float) -> None:
        chunk = _parsed(event)
        if not isinstance(chunk, dict):
            raise BadStream("protocol", f"an event is not an object: {event[:80]!r}")
        if chunk.get("error") or chunk.get("object") == "error":
            error = chunk.get("error") or chunk
            raise BadStream("server_error", error_text(error), _status_in(error))
        if self._model is None:
            self._check_model(chunk.get("model"))
        usage = chunk.get("usage")
        if usage:
            self._usage = usage  # read once the last is known: some servers count in every chunk
        try:
            for choice in chunk.get("choices") or ():
                if choice.get("index", 0) == 0:
                    self._take_choice(choice, at, usage)
        except (AttributeError, TypeError, ValueError, KeyError):
            raise BadStream("protocol", f"an event of unknown form: {event[:80]!r}") from None

    def _take_choice(self, choice: dict[str, Any], at: float, usage: Any) -> None:
        delta = choice.get("delta") or {}
        text = delta.get("content") or ""
        reasoning = delta.get("reasoning_content") or delta.get("reasoning") or ""
        if not isinstance(text, str) or not isinstance(reasoning, str):
            raise TypeError
        if text:
            self._text.append(text)
        if reasoning:
            self._reasoning.append(reasoning)
        if text or reasoning:
            if usage and not self._arrivals:
                self._first_tokens = _generated(usage)
            self._arrivals.append(at)
        if self._request.logprobs and choice.get("logprobs"):
            for entry in choice["logprobs"].get("content") or ():
                logprob = float(entry["logprob"])
                if not math.isfinite(logprob):
                    raise ValueError
                self._logprobs.append((_encodable(entry["token"]), logprob))
        finish = choice.get("finish_reason")
        if finish:
            self._finish = str(finish)

    def _check_model(self, name: Any) -> None:
        if not isinstance(name, str) or not name:
            return
        asked = self._request.model
        if name not in (asked, self._request.answers_as) and not (
            name.startswith(asked) and _SNAPSHOT.fullmatch(name[len(asked) :])
        ):
            raise BadStream("wrong_model", f"asked `{asked}`, answered by `{name}`")
        self._model = name


def _parsed(event: bytes) -> Any:
    try:
        return msgspec.json.decode(event)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    # The slower parser takes a half of a surrogate pair, whose other half may follow.
    try:
        return json.loads(event)
    except (ValueError, RecursionError):
        raise BadStream("protocol", f"malformed JSON in an event: {event[:80]!r}") from None


def _usage(value: Any) -> Usage | None:
    try:
        return Usage(
            prompt_tokens=value["prompt_tokens"], completion_tokens=value["completion_tokens"]
        )
    except (KeyError, TypeError, ValueError):
        # Counts are an extra: an answer is not lost because a server counts in another form.
        return None


def _generated(usage: Any) -> int | None:
    """How many tokens had been generated when the server counted, if it did."""
    found = _usage(usage)
    return found.completion_tokens or None if found is not None else None


def _status_in(error: Any) -> int | None:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _encodable(text: str) -> str:
    """The text with surrogate pairs joined (chunks may split them) and lone ones replaced."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
