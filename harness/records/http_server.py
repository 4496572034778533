"""A chatbot behind HTTP that speaks a protocol of its own: `engine: http`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from harness.files import digest_json
from harness.records.base import Record, explain
from harness.records.cost import Metered
from harness.records.http_mapping import (
    MARK,
    MOST_PLACEHOLDERS,
    OF_ALL_TURNS,
    OF_THE_CASE,
    PRESETS,
    check_expression,
    placeholder,
    placeholders,
    url_placeholders,
    with_preset,
)
from harness.records.request_fields import RequestForm
from harness.records.target import Target
from harness.validation import KeyProblem

SCHEMES = ("http", "https")
Expression = Annotated[str, AfterValidator(check_expression)]
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Set by the client itself, or a matter of the connection.
_OWN_HEADERS = frozenset(
    {
        "host", "content-length", "content-type", "transfer-encoding", "connection",
        "accept-encoding", "expect", "te", "trailer", "upgrade",
    }
)  # fmt: skip
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"}
)
_DIALECT = (
    "request", "answer", "reasoning", "finish_reason", "usage", "answered_by", "error", "end",
    "language_code",
)  # fmt: skip


def _header_text(value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise ValueError("holds characters that no header can carry")
    return value


class FromEnvironment(Record):
    """A header's value that an environment variable holds, with what stands before it."""

    env: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    prefix: Annotated[str, AfterValidator(_header_text)] = ""


class UsagePaths(Record):
    """Where an answer holds its token counts, as JMESPath."""

    prompt_tokens: Expression
    completion_tokens: Expression


def split_url(
    url: str, is_host: Callable[[str], bool], *, expected: str, key_in: str
) -> SplitResult:
    """The parts of a server's address.

    Raises:
        ValueError: it is not what is `expected`, or holds a key, which belongs into another
            setting. No message holds a part of the url: it may be a secret.
    """
    if "?" in url or "#" in url:
        raise ValueError(f"must hold no query and no fragment; a key goes into `{key_in}`")
    try:
        parts = urlsplit(url)
        known = parts.scheme in SCHEMES and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:  # a bracket left open, a port that is no number
        known = False
    if not known or not url.isprintable() or " " in url:
        raise ValueError(f"must be {expected}")
    if parts.username is not None:
        raise ValueError(f"must hold no credentials; name a variable in `{key_in}`")
    return parts


class HttpServer(Metered):
    """A chatbot's address, the request's data with placeholders, and where its answer stands.

    A `preset` gives everything but the address; what is written beside it goes before it.
    `error` finds what a failed answer says, `end` what only the last event of a stream holds, and
    `answered_by` the model's name.
    """

    model_config = ConfigDict(json_schema_extra=lambda schema: _with_or_without_preset(schema))

    engine: Literal["http"]
    url: str
    preset: Literal["rasa", "dialogflow-cx", "ollama"] | None = None
    headers: dict[str, str | FromEnvironment] = Field(default_factory=dict)
    request: Any
    answer: Expression
    reasoning: Expression | None = None
    finish_reason: Expression | None = None
    usage: UsagePaths | None = None
    answered_by: Expression | None = None
    error: Expression | None = None
    end: Expression | None = None
    stream: Literal["none", "ndjson", "sse"] = "none"
    turns: Literal["history", "replay"] | None = None
    language_code: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _on_the_preset(cls, data: Any) -> Any:
        named = data.get("preset") if isinstance(data, dict) else None
        known = PRESETS.get(named) if isinstance(named, str) else None
        return data if known is None else with_preset(data, known)

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        url = url.strip().rstrip("/")
        expected = "an address that begins with http:// or https://"
        parts = split_url(url, bool, expected=expected, key_in="headers")
        url_placeholders(url)
        return f"{parts.scheme}://{parts.netloc.lower()}{parts.path}"

    @field_validator("headers", mode="before")
    @classmethod
    def _text_or_variable(cls, headers: Any) -> Any:
        """Which of the two a value is meant to be shows before it is looked at."""
        if not isinstance(headers, dict):
            return headers
        found = {}
        for name, value in headers.items():
            if not isinstance(value, str | dict | FromEnvironment):
                raise ValueError(f"{name}: must be text in quotes, or {{env: VARIABLE}}")
            try:
                found[name] = (
                    FromEnvironment.model_validate(value) if isinstance(value, dict) else value
                )
            except ValidationError as error:
                raise ValueError(f"{name}.{explain(error)}") from None
        return found

    @field_validator("headers")
    @classmethod
    def _can_be_sent(
        cls, headers: dict[str, str | FromEnvironment]
    ) -> dict[str, str | FromEnvironment]:
        for name, value in headers.items():
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"`{name}` is no name of a header")
            if name.lower() in _OWN_HEADERS:
                raise ValueError(f"`{name}` is set by the harness itself")
            if isinstance(value, str):
                if name.lower() in _SECRET_HEADERS:
                    raise ValueError(f"`{name}` holds a secret: write {{env: VARIABLE}}")
                _header_text(value)
        if len({name.lower() for name in headers}) < len(headers):
            raise ValueError("two headers are called alike")
        return headers

    @field_validator("request")
    @classmethod
    def _asks_the_case(cls, request: Any) -> Any:
        used = list(placeholders(request))
        if len(used) > MOST_PLACEHOLDERS:
            raise ValueError(f"holds {len(used)} placeholders, at most {MOST_PLACEHOLDERS} can be")
        if not OF_THE_CASE.intersection(used):
            names = ", ".join(f"`{name}`" for name in sorted(OF_THE_CASE))
            raise ValueError(f"holds nothing of the case; put a placeholder in: {names}")
        for name, value in request.items() if isinstance(request, dict) else ():
            if _is_of_a_form(name, value):
                what = "is for servers without `engine: http`; here it would be sent as it stands"
                raise KeyProblem(f"{what}: leave out or rename the field itself", name)
        return request

    @model_validator(mode="after")
    def _turns_can_be_sent(self) -> HttpServer:
        if self.turns == "replay":
            if "session" not in self.placeholders:
                raise ValueError(
                    "turns: replay needs the placeholder `session` in `request` or `url`"
                )
            whole = sorted(OF_ALL_TURNS & self.placeholders)
            if whole:
                raise ValueError(
                    f"request: `{whole[0]}` is the whole history, which turns: replay sends "
                    "turn by turn"
                )
        if self.language_code is not None and "language_code" not in self.placeholders:
            raise ValueError("language_code: `request` has no such placeholder")
        return self

    @property
    def placeholders(self) -> frozenset[str]:
        """The names of all placeholders in the request and the address."""
        return frozenset({*placeholders(self.request), *url_placeholders(self.url)})

    @property
    def carries_history(self) -> bool:
        """Whether one request holds all turns of a conversation."""
        return bool(OF_ALL_TURNS & self.placeholders)

    @property
    def replays(self) -> bool:
        """Whether a conversation is a request a turn, in one session."""
        if self.turns is not None:
            return self.turns == "replay"
        return not self.carries_history and "session" in self.placeholders

    @property
    def base(self) -> str:
        """The address without what the preset put behind it."""
        return self.url.removesuffix(PRESETS[self.preset].route) if self.preset else self.url

    def digest(self) -> str:
        """The digest of all that shapes a request or says how its answer is read.

        Of a header from the environment it holds the name alone: a new key is no other bot.
        """
        headers = {
            name.lower(): value if isinstance(value, str) else None
            for name, value in self.headers.items()
        }
        dialect = self.model_dump(mode="json", include=set(_DIALECT))
        return digest_json([dialect, headers])

    def form_digest(self) -> str:
        """The digest of the same without what only says which bot is asked, and by whose key.

        That is the `model` of the request, a name or its placeholder, and headers from the
        environment. Two bots with one such digest are asked in the same way.
        """
        dialect = self.model_dump(mode="json", include=set(_DIALECT))
        request = dialect["request"]
        if isinstance(request, dict) and "model" in request:
            named = request["model"]
            if isinstance(named, str) or placeholder(named) == "model":
                dialect["request"] = {**request, "model": {MARK: "model"}}
        headers = {
            name.lower(): value for name, value in self.headers.items() if isinstance(value, str)
        }
        return digest_json([dialect, headers])

    def misfit(self, target: Target) -> str | None:
        """What of a target does not go with this server, beginning with its key."""
        named = "model" in self.placeholders
        if target.adapter is not None:
            return "adapter: only for a managed server"
        if named and target.model is None:
            return "model: missing; the server's request names one"
        if not named and target.model is not None:
            return "model: the server's request has no placeholder `model`, so nothing would ask it"
        if target.answers_as is not None and self.answered_by is None:
            return "answers_as: the server has no `answered_by`, so no answer names a model"
        if self.answered_by is not None and target.model is None and target.answers_as is None:
            return "answers_as: missing; the server's `answered_by` is held against it"
        if target.few_shot is not None and not self.carries_history:
            return "few_shot: the server's request has no placeholder for earlier turns"
        return None


def _is_of_a_form(name: str, value: Any) -> bool:
    """Whether a key of the request is meant for the `request` of an OpenAI-compatible server."""
    if name not in RequestForm.model_fields:
        return False
    try:
        RequestForm.model_validate({name: value})
    except ValidationError:
        return False
    return True


def _with_or_without_preset(schema: dict[str, Any]) -> None:
    """A preset gives what else would be required."""
    given = ["request", "answer"]
    schema["required"] = [name for name in schema["required"] if name not in given]
    schema["anyOf"] = [{"required": ["preset"]}, {"required": given}]
