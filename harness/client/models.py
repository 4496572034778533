"""What a running server says of itself: its models and its version."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from harness.client.pages import GetPage, pages
from harness.client.route import Route
from harness.client.stream import one_line
from harness.client.transport.body import WholeBody
from harness.client.transport.exchange import TransportFailed
from harness.client.transport.origin import path_of
from harness.errors import ServerError


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One entry of a server's model list; an adapter names its `parent`."""

    id: str
    parent: str | None = None
    root: str | None = None
    max_model_len: int | None = None


@dataclass(frozen=True, slots=True)
class ServerDescription:
    """A server's models and its version, `unknown` where it does not tell."""

    models: tuple[ModelEntry, ...]
    version: str

    def model(self, name: str) -> ModelEntry | None:
        """The entry of that name, if there is one."""
        return next((entry for entry in self.models if entry.id == name), None)


async def describe(
    url: str,
    api_key: str | None,
    *,
    timeout: float = 10.0,  # noqa: ASYNC109 - the caller words no error for it; this does
    api_key_env: str | None = None,
) -> ServerDescription:
    """What the server at `url` (with its `/v1`) serves.

    `api_key_env` is only named in the hint of an error.

    Raises:
        UsageError: the address or the key cannot be used.
        ServerError: no connection, no answer in time, a refusal, or not an OpenAI-compatible one.
    """
    route = Route(url, api_key)
    try:
        async with pages(route, timeout) as get:
            listed = await get(f"{path_of(route.url)}/models")
            _check_status(route, listed, api_key, api_key_env)
            models = _models(route, listed.content)
            return ServerDescription(models, await _version(get, route, listed))
    except TimeoutError:
        raise ServerError(
            f"no answer within {timeout:g} s", where=route.url, hint="is the server up?"
        ) from None
    except TransportFailed as error:
        raise ServerError(
            error.detail, where=route.url, hint="check the address, and that it runs"
        ) from None


def _check_status(
    route: Route, answer: WholeBody, api_key: str | None, api_key_env: str | None
) -> None:
    status = answer.status
    if status == 200:
        return
    if status in (401, 403):
        variable = f"the environment variable {api_key_env}" if api_key_env else "`api_key_env`"
        what = "refuses the API key" if api_key else "asks for an API key"
        hint = f"set {variable} to a valid key" if api_key_env else f"name its variable: {variable}"
        raise ServerError(f"{what} (HTTP {status})", where=route.url, hint=hint)
    if status == 404 or 300 <= status <= 399:
        raise ServerError(
            f"has no OpenAI-compatible route /models (HTTP {status})",
            where=route.url,
            hint="give the address up to and with /v1",
        )
    said = route.redact(one_line(answer.content.decode("utf-8", "replace")))
    raise ServerError(f"HTTP {status}: {said}", where=route.url, hint="look at the server's log")


def _models(route: Route, body: bytes) -> tuple[ModelEntry, ...]:
    try:
        data = json.loads(body)
        return tuple(_entry(item) for item in data["data"])
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise ServerError(
            "its /models is not the JSON of an OpenAI-compatible server",
            where=route.url,
            hint="give the address up to and with /v1",
        ) from None


def _entry(item: dict[str, Any]) -> ModelEntry:
    def text(key: str) -> str | None:
        value = item.get(key)
        return value if isinstance(value, str) else None

    length = item.get("max_model_len")
    return ModelEntry(
        id=str(item["id"]),
        parent=text("parent"),
        root=text("root"),
        max_model_len=length if isinstance(length, int) else None,
    )


async def _version(get: GetPage, route: Route, listed: WholeBody) -> str:
    """The version by vLLM's own route, else the Server header, else `unknown`."""
    # A failure to ask must not look like another version: answers are known by it.
    answer = await get(f"{path_of(route.url).removesuffix('/v1')}/version")
    status = answer.status
    if status in (408, 429) or status >= 500:
        raise ServerError(
            f"does not tell its version now (HTTP {status} on /version)",
            where=route.url,
            hint="try again, or look at the server's log",
        )
    try:
        data = json.loads(answer.content) if status == 200 else None
        version = data.get("version") if isinstance(data, dict) else None
    except (ValueError, RecursionError):
        version = None
    if isinstance(version, str) and version:
        return one_line(f"vllm {version}")
    return one_line(listed.headers.get("server", "")) or "unknown"
