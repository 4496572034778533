"""A bot's answer, put together from the bytes of its HTTP response without any network."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.client.bots.ndjson import LineParser, LineTooLong
from harness.client.protocol import ChatRequest
from harness.client.sse import SseParser, SseTooLong
from harness.client.stream import MAX_STREAM_BYTES, BadStream, error_text, one_line
from harness.records.attempt import Failure, Usage
from harness.records.http_server import HttpServer

_BROKEN_OFF = frozenset({"abort", "error"})
_ERROR_BODY = 16 * 1024
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Said:
    """What a bot said in one turn."""

    text: str
    reasoning: str | None
    finish_reason: str
    usage: Usage | None
    model: str | None


class BotAnswer:
    """Takes one response's status and bytes, then gives what the bot said, or the failure.

    Moments are seconds on the client's clock.
    """

    def __init__(
        self, server: HttpServer, request: ChatRequest, redact: Callable[[str], str]
    ) -> None:
        self._server = server
        self._request = request
        self._redact = redact
        self._parser: SseParser | LineParser | None = None
        if server.stream != "none":
            self._parser = SseParser() if server.stream == "sse" else LineParser()
        self._parts = Parts(server, request, redact)
        self._whole = bytearray()
        self._bytes = 0
        self._ended = False
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.arrivals: list[float] = []
        self.read_at: float | None = None
        self.sent_at = 0.0

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the status and the headers, their names in lower case."""
        self.status = status
        self.headers = headers

    def feed(self, data: bytes, at: float) -> bool:
        """Take what one read brought; true when nothing that follows can matter.

        Raises:
            BadStream: an error in the answer, malformed JSON, another model's answer, no end.
        """
        self.read_at = at
        self._bytes += len(data)
        if not 200 <= self.status <= 299:
            self._whole += data
            return self._bytes >= _ERROR_BODY
        if self._bytes > MAX_STREAM_BYTES:
            raise BadStream("protocol", f"the answer is longer than {MAX_STREAM_BYTES} bytes")
        if self._parser is None:
            self._whole += data
            return False
        try:
            events = self._parser.feed(data)
        except (SseTooLong, LineTooLong) as error:
            raise BadStream("protocol", str(error)) from None
        return any(self._take(event, at) for event in events)

    def finish(self, at: float) -> Said:
        """What the bot said, once the response has ended.

        Raises:
            BadStream: an error status, an error in the answer, or an answer that cannot be read.
        """
        if (refusal := self.refusal()) is not None:
            raise BadStream(refusal.cause, refusal.detail, refusal.status)
        if self._parser is None:
            self._parts.take(self._json(bytes(self._whole)))
        elif not self._ended and isinstance(self._parser, LineParser):
            self._last_line(self._parser.rest(), at)
        return self._parts.said(streamed=self._parser is not None, ended=self._ended)

    def refusal(self) -> Failure | None:
        """The failure by the response's status; nothing where it says that all is well."""
        if self.status == 0 or 200 <= self.status <= 299:
            return None
        try:
            data = json.loads(self._whole)
            said = _words(data.get("error", data) if isinstance(data, dict) else data)
        except (ValueError, RecursionError):
            said = self._whole.decode("utf-8", "replace")
        # The secret goes before the text is cut, or a part of it might stay.
        said = one_line(self._redact(said))
        detail = f"HTTP {self.status}" + (f": {said}" if said else "")
        return Failure(cause="http", detail=detail, status=self.status)

    def _take(self, event: bytes, at: float) -> bool:
        if event == b"[DONE]" and self._server.stream == "sse":
            self._ended = True
        elif event.strip():  # an empty one only keeps the connection alive
            if self._parts.take(self._json(event)):
                self.arrivals.append(at)
            self._ended = self._parts.ended
        return self._ended

    def _last_line(self, line: bytes, at: float) -> None:
        """Take a last line that no line end closes; one that is not whole broke off."""
        if not line:
            return
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            raise BadStream("reset", "the stream broke off in the middle of a line") from None
        self._take(line, at)

    def _json(self, data: bytes) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            shown = self._redact(data[: 4 * _ERROR_BODY].decode("utf-8", "replace"))[:_SHOWN]
            raise BadStream("protocol", f"malformed JSON in the answer: {shown!r}") from None


class Parts:
    """What a server's expressions find in one document, or in one event after the other."""

    def __init__(
        self, server: HttpServer, request: ChatRequest, redact: Callable[[str], str]
    ) -> None:
        self._server = server
        self._request = request
        self._redact = redact
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._found = False
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._model: str | None = None
        self.ended = False

    def take(self, data: Any) -> bool:
        """Take one document or event; true if it held text.

        Raises:
            BadStream: it holds an error, another model's name, or something else than text.
        """
        server = self._server
        error = search(server.error, data)
        if error:
            raise BadStream("server_error", self._redact(_words(error)))
        self._check_model(search(server.answered_by, data))
        text = _joined(search(server.answer, data), server.answer)
        reasoning = _joined(search(server.reasoning, data), server.reasoning)
        self._found = self._found or text is not None
        if text:
            self._text.append(text)
        if reasoning:
            self._reasoning.append(reasoning)
        finish = search(server.finish_reason, data)
        if finish is not None:
            if not isinstance(finish, str):
                raise BadStream("protocol", f"`{server.finish_reason}` is not text in the answer")
            self._finish = finish or self._finish
        if server.usage is not None:
            counts = (
                search(server.usage.prompt_tokens, data),
                search(server.usage.completion_tokens, data),
            )
            self._usage = _usage(*counts) or self._usage
        self.ended = bool(search(server.end, data))
        return bool(text or reasoning)

    def said(self, *, streamed: bool, ended: bool) -> Said:
        """What the bot said, once all has been taken.

        Raises:
            BadStream: the answer broke off, or has nothing where its text should stand.
        """
        server = self._server
        if streamed and not ended and (server.end or (server.finish_reason and not self._finish)):
            raise BadStream("reset", "the stream broke off before the answer ended")
        if not streamed and server.end and not self.ended:
            raise _nothing_at(server.end)
        if not self._found:
            raise _nothing_at(server.answer)
        if server.finish_reason and self._finish is None:
            raise _nothing_at(server.finish_reason)
        if self._finish in _BROKEN_OFF:
            raise BadStream("server_error", f"the server broke off: {self._finish}")
        return Said(
            text=_encodable("".join(self._text)),
            reasoning=_encodable("".join(self._reasoning)) if self._reasoning else None,
            finish_reason=self._finish or "stop",
            usage=self._usage,
            model=self._model,
        )

    def _check_model(self, name: Any) -> None:
        if self._model is not None or not isinstance(name, str) or not name:
            return
        asked = self._request.model
        if name not in (asked, f"{asked}:latest", self._request.answers_as):
            name = self._redact(name)
            raise BadStream("wrong_model", f"asked `{asked}`, answered by `{name}`")
        self._model = name


def search(path: str | None, data: Any) -> Any:
    """What a JMESPath finds; nothing where there is no path.

    Raises:
        BadStream: a function in it cannot work on this data.
    """
    if path is None:
        return None
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(path, data)
    except (JMESPathError, RecursionError):
        raise BadStream("protocol", f"`{path}` cannot be applied to the answer") from None


def _words(error: Any) -> str:
    """What an error says, however it is nested."""
    try:
        return error_text(error)
    except RecursionError:
        return "an error nested too deeply to be shown"


def _joined(value: Any, path: str | None) -> str | None:
    """A text, or the line by line join of a list of them; nothing where there is nothing."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    raise BadStream("protocol", f"`{path}` is neither text nor a list of texts in the answer")


def _nothing_at(path: str) -> BadStream:
    return BadStream("protocol", f"the answer has nothing at `{path}`")


def _usage(prompt: Any, completion: Any) -> Usage | None:
    """The counts, where both are; an answer is not lost because a server counts in another form."""
    try:
        return Usage(prompt_tokens=prompt, completion_tokens=completion)
    except ValueError:
        return None


def _encodable(text: str) -> str:
    """The text with surrogate pairs joined, as pieces may split them, and lone ones replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
