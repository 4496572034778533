"""OpenAI-compatible servers: chat completions as a stream, and what a server says of itself."""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from harness.client.credentials import Credentials, key_refused
from harness.client.dialect import (
    UNKNOWN,
    Access,
    BadAnswer,
    CannotSend,
    Dialect,
    Ending,
    Event,
    ServerDescription,
    encodable,
    error_text,
    fetch_known,
    json_object,
    one_line,
)
from harness.client.dialects.openai_models import read_models
from harness.client.protocol import ChatRequest
from harness.client.refused_fields import STATUSES, remedy
from harness.client.request_body import chat_body
from harness.client.transport.exchange import Fetch, WholeBody
from harness.client.transport.route import Route, path_of
from harness.errors import ServerError
from harness.records.attempt import CUT_OFF, FILTERED, FINISHED, Failure

_CHAT = "/chat/completions"
_decode = msgspec.json.Decoder().decode
_ENDS = FINISHED | CUT_OFF | FILTERED
_NO_CHOICE: dict[str, Any] = {}
_NOT_IMPLEMENTED = 501
# A server may name the dated snapshot or the tag that a model's name stands for.
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}|-\d{8}|:latest")


class OpenAIDialect(Dialect):
    """Chat completions of the server at `url`, up to and with its `/v1` or the full route.

    Raises:
        UsageError: the address cannot be used.
    """

    name = "openai"
    ends_with_done = True
    sniffs = True
    last_of_route = _CHAT

    def __init__(self, url: str, access: Access) -> None:
        super().__init__(Route(url), access)
        address, _, query = self.route.url.partition("?")
        self._base = path_of(address).removesuffix(_CHAT)
        self._query = f"?{query}" if query else ""
        self._path = f"{self._base}{_CHAT}{self._query}"
        self._form, self._key = access.form, access.key

    def build(self, request: ChatRequest) -> tuple[str, bytes]:
        """The path and the body of the request."""
        body = chat_body(request, self._form)
        try:
            return self._path, json.dumps(body, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise CannotSend("the conversation holds half a surrogate pair: not sent") from None

    def parse(self, data: bytes, request: ChatRequest) -> Event:
        """What one chunk brings to the first choice."""
        # A hot loop: every chunk of every answer passes here.
        try:
            chunk = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            chunk = _lenient(data)
        if not isinstance(chunk, dict) or "error" in chunk or chunk.get("object") == "error":
            self._check_error(chunk, data, request)
        try:
            for choice in chunk.get("choices") or ():
                if choice.get("index", 0) == 0:
                    break
            else:
                choice = _NO_CHOICE
            delta = choice.get("delta") or _NO_CHOICE
            text = delta.get("content") or ""
            reasoning = delta.get("reasoning_content") or delta.get("reasoning") or ""
            if not isinstance(text, str) or not isinstance(reasoning, str):
                text, thinking = _parts(text)
                reasoning = f"{_parts(reasoning)[0]}{thinking}"
            finish, usage = choice.get("finish_reason"), chunk.get("usage")
            if refused := delta.get("refusal"):
                text, finish = f"{text}{_parts(refused)[0]}", "refusal"
            return Event(
                text,
                reasoning,
                str(finish) if finish and finish != "null" else None,
                _counts(usage) if usage else None,
                chunk.get("model"),
                _logprobs(choice) if request.logprobs else (),
                beginnings=_beginnings(choice) if request.top_logprobs else (),
            )
        except (AttributeError, TypeError, ValueError, KeyError):
            raise BadAnswer("protocol", f"an event of unknown form: {data[:80]!r}") from None

    def _check_error(self, chunk: Any, event: bytes, request: ChatRequest) -> None:
        if not isinstance(chunk, dict):
            raise BadAnswer("protocol", f"an event is not an object: {event[:80]!r}")
        if chunk.get("error") or chunk.get("object") == "error":
            error = chunk.get("error") or chunk
            code = error.get("code") if isinstance(error, dict) else None
            status = code if isinstance(code, int) and not isinstance(code, bool) else None
            said = event.decode("utf-8", "replace")
            advice = remedy(said, request, self._form, self._key)
            raise BadAnswer("server_error", error_text(error), status, advice)

    def accepts(self, body: WholeBody) -> bool:
        """Whether a stream may follow, whatever its type is called: what follows is looked at."""
        return body.status == 200

    def names(self, model: str, name: str) -> bool:
        """Whether the name is a snapshot of the model."""
        return name.startswith(model) and bool(_SNAPSHOT.fullmatch(name[len(model) :]))

    def ends_answers(self, finish_reason: str) -> bool:
        """Whether the reason is one of those for which an answer ends."""
        return finish_reason.lower() in _ENDS

    def filtered(self, body: WholeBody) -> bool:
        """Whether HTTP 400 says that a filter stopped the request, as Azure's does."""
        if body.status != 400:
            return False
        with contextlib.suppress(ValueError, RecursionError, AttributeError):
            error = json.loads(body.content).get("error")
            return any(error.get(key) in FILTERED for key in ("code", "type"))
        return False

    def check_ending(self, ending: Ending) -> None:
        """Return if the answer has its finish reason."""
        if ending.finish_reason is None:
            if ending.ended:
                raise BadAnswer("protocol", "the stream ended without a finish_reason")
            raise BadAnswer("reset", "the stream broke off before the answer ended")

    def refusal(self, body: WholeBody) -> Failure:
        """What to make of an error, or of one document where a stream was asked for."""
        if body.status != 200:
            return super().refusal(body)
        data: Any = None
        with contextlib.suppress(ValueError, RecursionError):
            data = json.loads(body.content)
        if isinstance(data, dict) and data.get("error"):
            return BadAnswer("server_error", error_text(data["error"])).failure
        if body.kind == "text/html":
            words = "with a page (text/html): is this the address of the API?"
        elif isinstance(data, dict) and "choices" in data:
            words = "with one whole document: a server that cannot stream is put to `engine: http`"
        else:
            words = f"with {body.kind or 'something of no type'}"
        return BadAnswer("protocol", f"the server answered without streaming, {words}").failure

    def remedy(self, body: WholeBody, request: ChatRequest) -> str | None:
        """The line for the configuration where the response names a field that it refuses."""
        if body.status not in STATUSES:
            return None
        said = body.content.decode("utf-8", "replace")
        return remedy(said, request, self._form, self._key)

    async def read_description(self, fetch: Fetch, api_key_env: str | None) -> ServerDescription:
        """The server's models and version; no models where it has no list to be had."""
        listed = await fetch(f"{self._base}/models{self._query}")
        _check_transient(self.route, self.credentials, listed, api_key_env)
        models = await read_models(fetch, listed, self._page_at)
        version = await _version(fetch, self.route, self._base, listed)
        if models is None:
            return ServerDescription((), version, lists_models=False, no_list=_no_list(listed))
        return ServerDescription(models, version)

    def _page_at(self, more: str) -> str:
        return f"{self._base}/models{self._query or '?'}{'&' if self._query else ''}{more}"


def _parts(content: Any) -> tuple[str, str]:
    """The text and the thinking of content that is text, or a list of parts.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(content, str):
        return content, ""
    found = {"text": "", "thinking": ""}
    for part in content:
        kind = "thinking" if part.get("type") in ("thinking", "reasoning") else "text"
        found[kind] += _parts(part.get(kind) or part.get("text") or "")[0]
    return found["text"], found["thinking"]


def _beginnings(choice: dict[str, Any]) -> list[tuple[str, float]]:
    entries = (choice.get("logprobs") or _NO_CHOICE).get("content") or [_NO_CHOICE]
    return _pairs(entries[0].get("top_logprobs") or ())


def _logprobs(choice: dict[str, Any]) -> list[tuple[str, float]]:
    return _pairs((choice.get("logprobs") or _NO_CHOICE).get("content") or ())


def _pairs(entries: Iterable[dict[str, Any]]) -> list[tuple[str, float]]:
    found = []
    for entry in entries:
        logprob = float(entry["logprob"])
        if not math.isfinite(logprob):
            raise ValueError
        found.append((encodable(entry["token"]), logprob))
    return found


def _lenient(event: bytes) -> Any:
    """The JSON, by the slower parser that takes half a surrogate pair: the other may follow."""
    try:
        return json.loads(event)
    except (ValueError, RecursionError):
        raise BadAnswer("protocol", f"malformed JSON in an event: {event[:80]!r}") from None


def _counts(usage: Any) -> tuple[Any, Any]:
    if not isinstance(usage, dict):
        return None, None
    return usage.get("prompt_tokens"), usage.get("completion_tokens")


def _check_transient(
    route: Route, credentials: Credentials, listed: WholeBody, api_key_env: str | None
) -> None:
    """Return unless the list cannot be had now, or the key is not taken.

    Raises:
        ServerError: why.
    """
    status = listed.status
    if status == 401:
        raise key_refused(credentials, route.url, f"HTTP {status}", api_key_env)
    if status in (408, 429) or (status >= 500 and status != _NOT_IMPLEMENTED):
        words = one_line(credentials.redact(listed.content.decode("utf-8", "replace")))
        raise ServerError(
            f"HTTP {status}{route.by_proxy}: {words}",
            where=route.url,
            hint="look at the server's log",
        )


def _no_list(listed: WholeBody) -> str:
    if listed.status != 200:
        return f"HTTP {listed.status} on /models"
    return "its /models is not the JSON of a list of models"


async def _version(fetch: Fetch, route: Route, base: str, listed: WholeBody) -> str:
    """The version by vLLM's own route, else the Server header, else `unknown`."""
    if base.endswith("/v1"):
        place = base.removesuffix("/v1")
        version = json_object(await fetch_known(fetch, route.url, place, "/version")).get("version")
        if isinstance(version, str) and version:
            return one_line(f"vllm {version}")
    return one_line(listed.headers.get("server", "")) or UNKNOWN
