"""Servers with a protocol of their own: a request as data, an answer by JMESPath expressions."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from harness.client.dialect import (
    Access,
    BadAnswer,
    CannotSend,
    Dialect,
    Ending,
    Event,
    MalformedJson,
    ServerDescription,
    error_text,
)
from harness.client.dialects.presets import describe_preset
from harness.client.framing import LineParser, SseParser
from harness.client.protocol import ChatRequest
from harness.client.transport.exchange import Fetch
from harness.client.transport.route import Route, path_of
from harness.records.http_mapping import IN_A_URL, placeholder
from harness.records.http_server import HttpServer

LANGUAGE = "en"
_ACCEPTED = {
    "none": "application/json",
    "ndjson": "application/x-ndjson, application/json",
    "sse": "text/event-stream",
}
_QUOTED = 80


class HttpDialect(Dialect):
    """The protocol of an `engine: http` server; each request in a session of its own or named.

    Raises:
        UsageError: the address cannot be used.
    """

    name = "http"

    def __init__(self, url: str, access: Access) -> None:
        # What stands in braces is no part of the place to connect to.
        super().__init__(Route(url.partition("{")[0]), access)
        assert access.server is not None
        self._server = access.server
        self._url = url
        self.address = access.server.base

    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        found = {"Content-Type": "application/json", **self.credentials.headers}
        if "accept" not in {name.lower() for name in self.credentials.headers}:
            found["Accept"] = _ACCEPTED[self._server.stream]
        return found

    def turns(self, request: ChatRequest) -> Sequence[ChatRequest]:
        """A request a user turn, all in one session, where the server remembers the turns."""
        if not self._server.replays:
            return (request,)
        session = str(uuid.uuid4())
        places = [at for at, message in enumerate(request.messages, 1) if message.role == "user"]
        return [
            replace(request, messages=request.messages[:place], session=session) for place in places
        ]

    def build(self, request: ChatRequest) -> tuple[str, bytes]:
        """The path and the body of the request."""
        turns = sum(message.role == "user" for message in request.messages)
        if turns > 1 and request.session is None and not self._server.carries_history:
            raise CannotSend(
                f"the case has {turns} user turns, and the server's request carries the last "
                "alone: give it one of `messages`, `dialogue` and `user_turns`, or replay the turns"
            )
        filled = values(self._server, request, request.session or str(uuid.uuid4()))
        try:
            data = body(self._server, filled)
        except UnicodeEncodeError:
            raise CannotSend("the conversation holds half a surrogate pair: not sent") from None
        return path_of(fill_url(self._url, filled)) or "/", data

    def framer(self) -> SseParser | LineParser | None:
        """What cuts a response into events, as the server's `stream` says."""
        if self._server.stream == "none":
            return None
        return SseParser() if self._server.stream == "sse" else LineParser()

    def parse(self, data: bytes, request: ChatRequest) -> Event:  # noqa: ARG002 - a dialect's
        """What the server's expressions find in one event or document."""
        if self._server.stream != "none" and not data.strip():
            return Event()  # it only keeps the connection alive
        server, found = self._server, self._json(data)
        if error := search(server.error, found):
            raise BadAnswer("server_error", self.credentials.redact(_words(error)))
        model = search(server.answered_by, found)
        finish = search(server.finish_reason, found)
        if finish is not None and not isinstance(finish, str):
            raise BadAnswer("protocol", f"`{server.finish_reason}` is not text in the answer")
        return Event(
            text=_joined(search(server.answer, found), server.answer),
            reasoning=_joined(search(server.reasoning, found), server.reasoning),
            finish_reason=finish or None,
            counts=self._counts(found),
            model=model,
            ends=bool(search(server.end, found)),
        )

    def names(self, model: str, name: str) -> bool:
        """Whether the name is the model with the tag that Ollama adds."""
        return name in (model, f"{model}:latest")

    def check_ending(self, ending: Ending) -> None:
        """Return if everything that the expressions name was there."""
        server, finished = self._server, ending.finish_reason is not None
        if ending.streamed and not ending.ended:
            if server.end or (server.finish_reason and not finished):
                raise BadAnswer("reset", "the stream broke off before the answer ended")
        elif server.end and not ending.ended:
            raise _nothing_at(server.end)
        if not ending.has_text:
            raise _nothing_at(server.answer)
        if server.finish_reason and not finished:
            raise _nothing_at(server.finish_reason)

    async def read_description(
        self,
        fetch: Fetch,
        api_key_env: str | None,  # noqa: ARG002 - a dialect's
    ) -> ServerDescription:
        """What the server's preset knows how to ask."""
        return await describe_preset(self._server, fetch)

    def _counts(self, found: Any) -> tuple[Any, Any] | None:
        usage = self._server.usage
        if usage is None:
            return None
        counts = search(usage.prompt_tokens, found), search(usage.completion_tokens, found)
        return None if None in counts else counts

    def _json(self, data: bytes) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            text = data[: 64 * 1024].decode("utf-8", "replace")
            quoted = self.credentials.redact(text)[:_QUOTED]
            raise MalformedJson("protocol", f"malformed JSON in the answer: {quoted!r}") from None


def search(path: str | None, data: Any) -> Any:
    """What a JMESPath finds; nothing where there is no path.

    Raises:
        BadAnswer: a function in it cannot work on this data, or it takes too long.
    """
    if path is None:
        return None
    from jmespath.exceptions import JMESPathError

    from harness.client.dialects.bounded_search import TooMuch, bounded_search

    try:
        return bounded_search(path, data)
    except TooMuch:
        what = f"an expression takes too long on the answer: `{path}`"
        raise BadAnswer("protocol", what) from None
    except (JMESPathError, RecursionError):
        raise BadAnswer("protocol", f"`{path}` cannot be applied to the answer") from None


def _words(error: Any) -> str:
    """The text of an error, at whatever depth it stands."""
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
    raise BadAnswer("protocol", f"`{path}` is neither text nor a list of texts in the answer")


def _nothing_at(path: str) -> BadAnswer:
    return BadAnswer("protocol", f"the answer has nothing at `{path}`")


def values(server: HttpServer, request: ChatRequest, session: str) -> dict[str, Any]:
    """What each placeholder stands for in one request; what is not set is not there."""
    messages = request.messages
    dialogue = [message for message in messages if message.role != "system"]
    users = [message.content for message in dialogue if message.role == "user"]
    system = [message.content for message in messages if message.role == "system"]
    found: dict[str, Any] = {
        "session": session,
        "last_message": users[-1],
        "messages": [message.model_dump() for message in messages],
        "dialogue": [message.model_dump() for message in dialogue],
        "user_turns": users,
        "model": request.model,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stream": server.stream != "none",
        "language_code": server.language_code or LANGUAGE,
        **request.extra,
    }
    if system:
        found["system_prompt"] = "\n\n".join(system)
    return found


def fill(data: Any, values: Mapping[str, Any]) -> Any:
    """The data with its placeholders replaced; one without a value takes its key along.

    What is filled in is not looked at again, so no text of a case can be a placeholder.
    """

    def there(item: Any) -> bool:
        return (name := placeholder(item)) is None or name in values

    if (name := placeholder(data)) is not None:
        return values.get(name)
    if isinstance(data, dict):
        return {key: fill(value, values) for key, value in data.items() if there(value)}
    if isinstance(data, list | tuple):
        return [fill(item, values) for item in data if there(item)]
    return data


def body(server: HttpServer, values: Mapping[str, Any]) -> bytes:
    """The request's body.

    Raises:
        UnicodeEncodeError: a text holds a lone surrogate, which is no character.
    """
    return json.dumps(fill(server.request, values), ensure_ascii=False).encode()


def fill_url(url: str, values: Mapping[str, Any]) -> str:
    """The address with its placeholders replaced and percent-encoded, so that none adds a step."""
    for name in IN_A_URL:
        url = url.replace(f"{{{name}}}", quote(str(values[name]), safe=""))
    return url
