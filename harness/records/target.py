"""What is under test: a server, a model or adapter on it, and how it is asked."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from harness.records.base import Record


class Generation(Record):
    """Sampling settings and the limits of one request; times in seconds."""

    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    max_tokens: int = Field(default=128, ge=1)
    seed: int = Field(default=0, ge=0)
    repeats: int = Field(default=1, ge=1)
    concurrency: int = Field(default=64, ge=1)
    retries: int = Field(default=4, ge=0)
    connect_timeout: float = Field(default=10.0, gt=0.0)
    chunk_timeout: float = Field(default=60.0, gt=0.0)
    case_timeout: float = Field(default=300.0, gt=0.0)

    def sampling(self) -> dict[str, Any]:
        """Only what changes an answer: the part that keys an attempt."""
        return {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
        }


class ManagedServer(Record):
    """A vLLM process that the harness starts, watches and stops."""

    engine: Literal["vllm"]
    model: str
    args: dict[str, str | int | float | bool] = Field(default_factory=dict)
    trust_remote_code: bool = False
    port: int | None = Field(default=None, ge=1, le=65535)
    start_timeout: float = Field(default=600.0, gt=0.0)


class RemoteServer(Record):
    """Any OpenAI-compatible server that already runs."""

    url: str
    api_key_env: str | None = None

    @field_validator("url", mode="before")
    @classmethod
    def _one(cls, url: Any) -> Any:
        if isinstance(url, list | tuple):
            raise ValueError("one url for now, not a list")
        return url

    @field_validator("url")
    @classmethod
    def _route(cls, url: str) -> str:
        """Accept host, host/v1 or a full route, and keep the part up to `/v1`.

        No message holds a part of the url: it may be a secret.
        """
        url = url.strip()
        if "?" in url or "#" in url:
            raise ValueError("must hold no query and no fragment; a key goes into `api_key_env`")
        try:
            if "://" not in url:
                local = _is_local(urlsplit(f"//{url}").hostname or "")
                url = f"{'http' if local else 'https'}://{url}"
            parts = urlsplit(url)
            known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # a bracket left open, a port that is no number
            known = False
        if not known:
            raise ValueError("must be host, host/v1 or the full route, by http or https")
        if parts.username is not None:
            raise ValueError("must hold no credentials; name a variable in `api_key_env`")
        path = re.sub(r"(?i)/+chat/completions$", "", parts.path.rstrip("/")).rstrip("/")
        path = re.sub(r"(?i)/v1(/+models)?$", "", path)
        return f"{parts.scheme}://{parts.netloc.lower()}{path}/v1"


def _is_local(host: str) -> bool:
    """Whether a host without a scheme is this machine, which speaks http."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified


def _kind_of_server(data: Any) -> str:
    if isinstance(data, RemoteServer) or (isinstance(data, dict) and "url" in data):
        return "remote"
    return "managed"


Server = Annotated[
    Annotated[ManagedServer, Tag("managed")] | Annotated[RemoteServer, Tag("remote")],
    Discriminator(_kind_of_server),
]


class Target(Record):
    """A named thing to test: a server plus the adapter or model name asked for on it.

    `answers_as` is the name that a gateway puts into answers where it is another than `model`: an
    answer under any other name is a failure.
    """

    server: str
    adapter: str | None = None
    model: str | None = None
    answers_as: str | None = None
    system_prompt: str | None = None
    generation: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_of(self) -> Target:
        if self.adapter is not None and self.model is not None:
            raise ValueError("give `adapter` (on a managed server) or `model` (on a url), not both")
        return self


class Identity(Record):
    """What an answer of a target depends on besides the conversation and the sampling.

    Weights behind a url have no digest: the server's address, the model's name and the `root` it
    lists stand in for it, and cannot tell when somebody puts another model behind them.
    """

    server: str
    server_version: str
    model: str
    root: str | None = None
    weights: str | None = None
    adapter: str | None = None
    chat_template: str | None = None
    engine_args: dict[str, str | int | float | bool] = Field(default_factory=dict)
