"""What a server of a known preset says of itself: its version and its models."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.client.credentials import Credentials
from harness.client.dialect import one_line
from harness.client.failures import TransportFailed
from harness.client.transport.fetch import Fetch, WholeBody, fetcher
from harness.client.transport.route import Route, path_of
from harness.errors import ServerError
from harness.records.http_server import HttpServer

UNKNOWN = "unknown"
_HELLO = re.compile(r"Hello from Rasa: (\S+)")


@dataclass(frozen=True, slots=True)
class PresetDescription:
    """A server's version, and what stands for its weights; `models` are those it lists by name.

    `models` is None where the server lists none.
    """

    version: str = UNKNOWN
    root: str | None = None
    models: Mapping[str, str | None] | None = None


async def describe_preset(
    server: HttpServer,
    credentials: Credentials,
    *,
    timeout: float = 10.0,  # noqa: ASYNC109 - the caller words no error for it; this does
) -> PresetDescription:
    """What the server says of itself; one without a preset that says where is not asked.

    Raises:
        UsageError: the address cannot be used.
        ServerError: no connection, no answer in time, or a refusal that hides what it is.
    """
    describe = {"rasa": _rasa, "ollama": _ollama}.get(server.preset or "")
    if describe is None:
        return PresetDescription()
    where = server.base
    try:
        async with fetcher(Route(where), credentials.headers, timeout) as fetch:
            return await describe(_Documents(fetch, where))
    except TimeoutError:
        raise ServerError(
            f"no answer within {timeout:g} s", where=where, hint="is the server up?"
        ) from None
    except TransportFailed as error:
        raise ServerError(
            credentials.redact(error.detail),
            where=where,
            hint="check the address, and that it runs",
        ) from None


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


async def _rasa(documents: _Documents) -> PresetDescription:
    """Version and model of a Rasa server; one without `--enable-api` says its version alone."""
    version = (await documents.json("/version")).get("version")
    if not isinstance(version, str):
        hello = await documents.get("/")
        found = _HELLO.search(hello.content.decode("utf-8", "replace"))
        version = found.group(1) if found and hello.status == 200 else None
    status = await documents.json("/status")
    root = status.get("model_id") or status.get("model_file")
    return PresetDescription(
        version=one_line(f"rasa {version}") if version else UNKNOWN,
        root=one_line(root) if isinstance(root, str) else None,
    )


async def _ollama(documents: _Documents) -> PresetDescription:
    """Version of an Ollama server, and the digests of the models that it has."""
    version = (await documents.json("/api/version")).get("version")
    listed = (await documents.json("/api/tags")).get("models")
    models: dict[str, str | None] | None = None
    if isinstance(listed, list):
        models = {}
        for entry in listed:
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                digest = entry.get("digest")
                models[entry["name"]] = digest if isinstance(digest, str) else None
    return PresetDescription(
        version=one_line(f"ollama {version}") if isinstance(version, str) else UNKNOWN,
        models=models,
    )
