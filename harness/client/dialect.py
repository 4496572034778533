"""A dialect: builds the requests of one kind of server and reads its responses; no network."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from harness.client.credentials import Credentials
from harness.client.failures import TransportFailed
from harness.client.framing import LineParser, SseParser
from harness.client.protocol import ChatRequest
from harness.client.transport.exchange import Fetch, WholeBody, fetcher
from harness.client.transport.redirect import leads_to
from harness.client.transport.route import Route, path_of
from harness.errors import ServerError
from harness.records.attempt import Failure, FailureCause
from harness.records.http_server import HttpServer
from harness.records.request_fields import USUAL, RequestForm

UNKNOWN = "unknown"
_DETAIL_LENGTH = 300


class BadAnswer(Exception):
    """The response cannot become an answer; carries the failure to report."""

    def __init__(
        self,
        cause: FailureCause,
        detail: str,
        status: int | None = None,
        remedy: str | None = None,
    ) -> None:
        self.failure = Failure(cause=cause, detail=one_line(detail), status=status, remedy=remedy)
        super().__init__(self.failure.detail)


class MalformedJson(BadAnswer):
    """An event or a document is no JSON."""


class CannotSend(Exception):
    """The conversation has no form in which this server could take it."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a dialect needs besides an address: credentials, and the settings of its server.

    `form` is how a server in OpenAI's dialect wants its requests; `key` is the place of the server
    in the configuration, such as `servers.prod`, for messages.
    """

    credentials: Credentials
    server: HttpServer | None = None
    form: RequestForm = USUAL
    key: str = ""


class Event(NamedTuple):
    """The content of one event of a stream, or of a whole document.

    `text` is None where there is no place for one. `counts` are prompt and completion tokens as
    the server gives them, `model` is its name for the model; `ends` says that nothing follows.
    `beginnings` are the likeliest tokens in place of the first that the event brings.
    """

    text: str | None = None
    reasoning: str | None = None
    finish_reason: str | None = None
    counts: tuple[Any, Any] | None = None
    model: Any = None
    logprobs: Sequence[tuple[str, float]] = ()
    ends: bool = False
    beginnings: Sequence[tuple[str, float]] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """How a response ended: the facts that decide whether it counts as an answer.

    `ended` says that the server marked the end, `has_text` that a place for text was found.
    """

    streamed: bool
    ended: bool
    has_text: bool
    finish_reason: str | None


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One entry of a server's model list; an adapter names its `parent`.

    `max_model_len` is vLLM's own word for the context in tokens, `context_length` anybody's.
    """

    id: str
    parent: str | None = None
    root: str | None = None
    max_model_len: int | None = None
    context_length: int | None = None


@dataclass(frozen=True, slots=True)
class ServerDescription:
    """A server's models and its version, `unknown` where it does not tell.

    `lists_models` says that what is not among the models is not there, and `no_list` why there is
    no list where one was looked for; `root` stands for the weights of a server without named
    models.
    """

    models: tuple[ModelEntry, ...] = ()
    version: str = UNKNOWN
    lists_models: bool = True
    root: str | None = None
    no_list: str = ""

    def model(self, name: str) -> ModelEntry | None:
        """The entry of that name, if there is one."""
        return next((entry for entry in self.models if entry.id == name), None)


class Dialect(ABC):
    """Builds the requests to one server, and reads its responses.

    A new dialect is one file, declared in the entry-point group `harness.dialects`: its request,
    and what one event of a response means. It is called with an address and the `access`.
    """

    name: ClassVar[str]
    # Whether `[DONE]` ends an answer, which is then whole at that moment.
    ends_with_done: ClassVar[bool] = False
    # Whether a response that names no type of a stream is looked at to see if it is one.
    sniffs: ClassVar[bool] = False
    # How the path of every request ends, by which a redirect is known to lead to the same API.
    last_of_route: ClassVar[str] = ""

    def __init__(self, route: Route, access: Access) -> None:
        self.route = route
        self.address = route.url
        self.credentials = access.credentials

    @abstractmethod
    def build(self, request: ChatRequest) -> tuple[str, bytes]:
        """The path and the body of the request.

        Raises:
            CannotSend: the server cannot take the conversation.
        """

    @abstractmethod
    def parse(self, data: bytes, request: ChatRequest) -> Event:
        """The content of one event, or of the whole document.

        Raises:
            BadAnswer: an error, or something that cannot be read.
        """

    @abstractmethod
    def check_ending(self, ending: Ending) -> None:
        """Return if the response is a whole answer.

        Raises:
            BadAnswer: it broke off, or lacks something.
        """

    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        return {
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            **self.credentials.headers,
        }

    def turns(self, request: ChatRequest) -> Sequence[ChatRequest]:
        """The requests that a conversation is sent as, one after the other."""
        return (request,)

    def framer(self) -> SseParser | LineParser | None:
        """What cuts a response into events; None where it is one document."""
        return SseParser()

    def accepts(self, body: WholeBody) -> bool:
        """Whether the status and the headers are those of an answer."""
        return 200 <= body.status <= 299

    def names(self, model: str, name: str) -> bool:
        """Whether a server that was asked for the model may call it by the name."""
        return name == model

    def ends_answers(self, finish_reason: str) -> bool:
        """Whether an answer that ended for that reason is one, whole or not."""
        return finish_reason.lower() not in ("abort", "error")

    def filtered(self, body: WholeBody) -> bool:  # noqa: ARG002 - others look at it
        """Whether a refused request was stopped by a filter of its content."""
        return False

    def remedy(self, body: WholeBody, request: ChatRequest) -> str | None:  # noqa: ARG002
        """What to write into the configuration where a field of the request was refused."""
        return None

    async def describe(
        self,
        *,
        timeout: float = 10.0,  # noqa: ASYNC109 - the caller words no error for it; this does
        api_key_env: str | None = None,
    ) -> ServerDescription:
        """What the server says of itself, without the secrets that it may have put there.

        `api_key_env` is only named in the hint of an error.

        Raises:
            UsageError: the address cannot be used.
            ServerError: no connection, no answer in time, or a refusal that hides what it is.
        """
        try:
            async with fetcher(self.route, self.credentials.headers, timeout) as fetch:
                return self._redacted(await self.read_description(fetch, api_key_env))
        except ServerError as error:
            what = self.credentials.redact(error.what)
            raise type(error)(what, where=error.where, hint=error.hint) from None
        except TimeoutError:
            raise ServerError(
                f"no answer within {timeout:g} s", where=self.address, hint="is the server up?"
            ) from None
        except TransportFailed as error:
            raise ServerError(
                self.credentials.redact(error.detail),
                where=self.address,
                hint="check the address, and that it runs",
            ) from None

    def _redacted(self, found: ServerDescription) -> ServerDescription:
        def clean(text: str | None) -> str | None:
            leaks = text is not None and self.credentials.leak(text)
            return self.credentials.redact(text or "") if leaks else text

        models = tuple(
            replace(one, id=clean(one.id) or "", parent=clean(one.parent), root=clean(one.root))
            for one in found.models
        )
        version = clean(found.version) or UNKNOWN
        return replace(
            found,
            models=models,
            version=version,
            root=clean(found.root),
            no_list=clean(found.no_list) or "",
        )

    async def read_description(
        self,
        fetch: Fetch,  # noqa: ARG002 - others ask
        api_key_env: str | None,  # noqa: ARG002
    ) -> ServerDescription:
        """What the server says of itself; nothing, unless a dialect knows where to ask.

        Raises:
            ServerError: a refusal that hides what it is.
        """
        return ServerDescription(lists_models=False)

    def refusal(self, body: WholeBody) -> Failure:
        """The failure in a response that is no answer."""
        try:
            data = json.loads(body.content)
            words = error_text(data.get("error", data) if isinstance(data, dict) else data)
        except (ValueError, RecursionError):
            words = body.content.decode("utf-8", "replace")
        # The secret goes before the text is cut, or a part of it might stay.
        words = one_line(self.credentials.redact(words))
        if 300 <= body.status <= 399:
            words = self._redirect(body)
        status = f"HTTP {body.status}{self.route.by_proxy}"
        detail = status + (f": {words}" if words else "")
        return Failure(cause="http", detail=detail, status=body.status)

    def _redirect(self, body: WholeBody) -> str:
        """Where a redirect leads that was not followed, and what to write."""
        asked = f"{path_of(self.route.url)}{self.last_of_route}"
        place = self.credentials.redact(leads_to(self.route, asked, body.headers))
        if not place:
            return "redirected, and the server does not say where"
        if place.rstrip("/").endswith(self.last_of_route):
            return f"redirected to {place}, which is not followed; write `url: {place}`"
        return (
            f"redirected to {place}, which is not followed and no route of the API; a login or "
            "another site may stand before it"
        )


async def fetch_known(fetch: Fetch, where: str, base: str, path: str) -> WholeBody:
    """The document at the path below `base`, whatever its status.

    Raises:
        ServerError: the server at `where` cannot say now. That must not look like another
            version, by which answers are known.
    """
    document = await fetch(path_of(f"{base}{path}"))
    if document.status in (408, 429) or document.status >= 500:
        raise ServerError(
            f"does not tell its version now (HTTP {document.status} on {path})",
            where=where,
            hint="try again, or look at the server's log",
        )
    return document


def json_object(document: WholeBody) -> dict[str, Any]:
    """The JSON object that a server answered with; empty for anything else."""
    try:
        data = json.loads(document.content) if document.status == 200 else None
    except (ValueError, RecursionError):
        data = None
    return data if isinstance(data, dict) else {}


def one_line(text: str) -> str:
    """The text on one line, cut to a length that a person reads, and always encodable."""
    line = " ".join(text.split()).encode("utf-8", "replace").decode("utf-8")
    return line if len(line) <= _DETAIL_LENGTH else f"{line[: _DETAIL_LENGTH - 1]}…"


def error_text(error: Any) -> str:
    """What a server's `error` value says: its message where it has one.

    A list of one is taken for what it holds, as Gemini's OpenAI route sends it.
    """
    while True:
        if isinstance(error, list) and len(error) == 1:
            error = error[0]
        elif isinstance(error, dict) and (inner := _message(error)):
            error = inner
        else:
            return error if isinstance(error, str) else json.dumps(error)


def _message(error: dict[str, Any]) -> Any:
    return error.get("message") or error.get("detail") or error.get("error")


def encodable(text: str) -> str:
    """The text with surrogate pairs joined (chunks may split them) and lone ones replaced."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
