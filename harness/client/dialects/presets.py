"""What a server of a known preset says of itself: its version and its models."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from harness.client.dialect import UNKNOWN, ModelEntry, ServerDescription, one_line
from harness.client.transport.fetch import Fetch, WholeBody
from harness.client.transport.route import path_of
from harness.errors import ServerError
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
    return await describe(_Documents(fetch, server.base))


@dataclass(frozen=True, slots=True)
class _Documents:
    """What one server has behind its address."""

    fetch: Fetch
    base: str

    async def get(self, path: str) -> WholeBody:
        """What the server has at the path.

        Raises:
            ServerError: it cannot say now; that must not look like another version.
        """
        document = await self.fetch(path_of(f"{self.base}{path}"))
        if document.status in (408, 429) or document.status >= 500:
            raise ServerError(
                f"does not tell its version now (HTTP {document.status} on {path})",
                where=self.base,
                hint="try again, or look at the server's log",
            )
        return document

    async def json(self, path: str) -> dict[str, Any]:
        """The object at the path; empty where there is none.

        Raises:
            ServerError: the server cannot say now.
        """
        document = await self.get(path)
        try:
            data = json.loads(document.content) if document.status == 200 else None
        except (ValueError, RecursionError):
            data = None
        return data if isinstance(data, dict) else {}


async def _rasa(documents: _Documents) -> ServerDescription:
    """Version and model of a Rasa server; one without `--enable-api` says its version alone."""
    version = (await documents.json("/version")).get("version")
    if not isinstance(version, str):
        hello = await documents.get("/")
        found = _HELLO.search(hello.content.decode("utf-8", "replace"))
        version = found.group(1) if found and hello.status == 200 else None
    status = await documents.json("/status")
    root = status.get("model_id") or status.get("model_file")
    return ServerDescription(
        version=one_line(f"rasa {version}") if version else UNKNOWN,
        lists_models=False,
        root=one_line(root) if isinstance(root, str) else None,
    )


async def _ollama(documents: _Documents) -> ServerDescription:
    """Version of an Ollama server, and the digests of the models that it has."""
    version = (await documents.json("/api/version")).get("version")
    listed = (await documents.json("/api/tags")).get("models")
    entries = listed if isinstance(listed, list) else []
    models = [one for one in entries if isinstance(one, dict) and isinstance(one.get("name"), str)]
    return ServerDescription(
        tuple(ModelEntry(one["name"], root=_text(one.get("digest"))) for one in models),
        one_line(f"ollama {version}") if isinstance(version, str) else UNKNOWN,
        lists_models=isinstance(listed, list),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
