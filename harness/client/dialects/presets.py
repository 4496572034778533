"""What a server of a known preset says of itself: its version and its models."""

from __future__ import annotations

import re
from typing import Any

from harness.client.dialect import (
    UNKNOWN,
    ModelEntry,
    ServerDescription,
    fetch_known,
    json_object,
    one_line,
)
from harness.client.transport.exchange import Fetch, WholeBody
from harness.records.http_server import HttpServer

_HELLO = re.compile(r"Hello from Rasa: (\S+)")


async def describe_preset(server: HttpServer, fetch: Fetch) -> ServerDescription:
    """What the server says of itself; one without a preset that says where is not asked.

    Raises:
        ServerError: the server cannot say now.
    """
    describe = {"rasa": _rasa, "ollama": _ollama}.get(server.preset or "")
    if describe is None:
        return ServerDescription(lists_models=False)

    async def get(path: str) -> WholeBody:
        return await fetch_known(fetch, server.base, server.base, path)

    return await describe(get)


async def _rasa(get: Fetch) -> ServerDescription:
    """Version and model of a Rasa server; one without `--enable-api` says its version alone."""
    version = json_object(await get("/version")).get("version")
    if not isinstance(version, str):
        hello = await get("/")
        found = _HELLO.search(hello.content.decode("utf-8", "replace"))
        version = found.group(1) if found and hello.status == 200 else None
    status = json_object(await get("/status"))
    root = status.get("model_id") or status.get("model_file")
    return ServerDescription(
        version=one_line(f"rasa {version}") if version else UNKNOWN,
        lists_models=False,
        root=one_line(root) if isinstance(root, str) else None,
    )


async def _ollama(get: Fetch) -> ServerDescription:
    """Version of an Ollama server, and the digests of the models that it has."""
    version = json_object(await get("/api/version")).get("version")
    listed = json_object(await get("/api/tags")).get("models")
    entries = listed if isinstance(listed, list) else []
    models = [one for one in entries if isinstance(one, dict) and isinstance(one.get("name"), str)]
    return ServerDescription(
        tuple(ModelEntry(one["name"], root=_text(one.get("digest"))) for one in models),
        one_line(f"ollama {version}") if isinstance(version, str) else UNKNOWN,
        lists_models=isinstance(listed, list),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
