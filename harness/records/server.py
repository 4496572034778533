"""The servers that a configuration may name, told apart by their keys."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import (
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    field_validator,
    model_serializer,
    model_validator,
)

from harness.records.base import MODEL_FORM
from harness.records.cost import Metered
from harness.records.http_server import HttpServer
from harness.records.request_fields import USUAL, ServerForm
from harness.records.server_url import normalised
from harness.validation import KeyProblem

_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]*")


class ManagedServer(Metered):
    """A vLLM process that the harness starts, watches and stops; or `replicas` of them."""

    engine: Literal["vllm"]
    model: str = Field(description=MODEL_FORM)
    args: dict[str, str | int | float | bool] = Field(default_factory=dict)
    trust_remote_code: bool = False
    port: int | None = Field(default=None, ge=1, le=65535)
    start_timeout: float = Field(default=600.0, gt=0.0)
    replicas: int = Field(default=1, ge=1)
    request: ServerForm = Field(default=USUAL, exclude_if=lambda form: not form)

    @field_validator("engine", mode="before")
    @classmethod
    def _one_of_all(cls, engine: Any) -> Any:
        """Name the engines of all servers: which one is meant decides what else is read."""
        if engine != "vllm":
            raise ValueError("must be `vllm` or `http`; a server with a `url` alone needs none")
        return engine

    @model_validator(mode="after")
    def _ports(self) -> ManagedServer:
        if self.port is not None and self.port + self.replicas - 1 > 65535:
            raise ValueError("`port` and those after it, one a replica, end at 65535")
        return self


class RemoteServer(Metered):
    """Any OpenAI-compatible server that already runs, at one address or at several.

    Several addresses are replicas: they serve the same weights and share the requests. Another
    `dialect` than OpenAI's is that of an installed package.
    """

    url: str | tuple[str, ...]
    dialect: str = "openai"
    api_key_env: str | None = None
    request: ServerForm = Field(default=USUAL, exclude_if=lambda form: not form)

    @field_validator("api_key_env")
    @classmethod
    def _a_name(cls, given: str | None) -> str | None:
        if given is not None and not _VARIABLE.fullmatch(given):
            raise ValueError("holds the name of a variable, not the key")
        return given

    @model_validator(mode="after")
    def _speaks_openai(self) -> RemoteServer:
        if self.request and self.dialect != "openai":
            what = f"only in OpenAI's dialect; `{self.dialect}` has a form of its own"
            raise KeyProblem(what, "request")
        return self

    @model_serializer(mode="wrap")
    def _without_the_usual_dialect(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # So that the digest of a configuration without the key stays what it was.
        data: dict[str, Any] = handler(self)
        if data.get("dialect") == "openai":
            del data["dialect"]
        return data

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses in the order given; never empty, none twice."""
        return (self.url,) if isinstance(self.url, str) else self.url

    @field_validator("url", mode="before")
    @classmethod
    def _one_or_several(cls, given: Any) -> Any:
        if isinstance(given, str):
            return normalised(given)
        if not isinstance(given, list | tuple) or not given:
            raise ValueError("must be an address, or a list of addresses")
        routes = []
        for number, url in enumerate(given, 1):
            try:
                route = normalised(url)
            except ValueError as error:
                raise ValueError(f"address {number} of {len(given)}: {error}") from None
            if route in routes:
                raise ValueError(f"address {number} of {len(given)}: is there already")
            routes.append(route)
        return routes[0] if len(routes) == 1 else tuple(routes)


def _kind_of_server(data: Any) -> str:
    if isinstance(data, HttpServer) or (isinstance(data, dict) and data.get("engine") == "http"):
        return "http"
    if isinstance(data, RemoteServer) or (isinstance(data, dict) and "url" in data):
        return "remote"
    if isinstance(data, dict) and not data.keys() & {"engine", "model"}:
        # A misspelt `url` is to be told from a managed server without its keys.
        return "remote" if get_close_matches("url", map(str, data), n=1) else "managed"
    return "managed"


Server = Annotated[
    Annotated[ManagedServer, Tag("managed")]
    | Annotated[RemoteServer, Tag("remote")]
    | Annotated[HttpServer, Tag("http")],
    Discriminator(_kind_of_server),
]
