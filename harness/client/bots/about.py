"""What a bot says of itself, where its preset knows how to ask."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.client.bots.http import Access
from harness.client.route import Route
from harness.client.stream import one_line
from harness.client.transport.body import WholeBody
from harness.client.transport.exchange import Transport, TransportFailed
from harness.client.transport.origin import path_of
from harness.clock import Clock
from harness.errors import ServerError
from harness.records.target import Generation

UNKNOWN = "unknown"
_LONGEST_BODY = 4 * 1024 * 1024
_HELLO = re.compile(r"Hello from Rasa: (\S+)")


@dataclass(frozen=True, slots=True)
class About:
    """A bot's version, and what stands for its weights; `models` are those it lists by name.

    `models` is nothing where the bot lists none.
    """

    version: str = UNKNOWN
    root: str | None = None
    models: Mapping[str, str | None] | None = None


async def about(access: Access, *, clock: Clock, timeout: float = 10.0) -> About:  # noqa: ASYNC109 - the caller words no error for it; this does
    """What the bot says of itself; nothing is asked of one without a preset that says where.

    Raises:
        UsageError: the address cannot be used.
        ServerError: no connection, no answer in time, or a refusal that hides what it is.
    """
    ask = {"rasa": _rasa, "ollama": _ollama}.get(access.server.preset or "")
    if ask is None:
        return About()
    where = access.server.base
    route = Route(where, None)
    # The limit of the whole is the one that is told of.
    settings = Generation(concurrency=1, connect_timeout=2 * timeout, chunk_timeout=2 * timeout)
    try:
        async with (
            asyncio.timeout(timeout),
            Transport(route, generation=settings, clock=clock) as transport,
        ):
            return await ask(_Questions(transport, access))
    except TimeoutError:
        raise ServerError(
            f"no answer within {timeout:g} s", where=where, hint="is the server up?"
        ) from None
    except TransportFailed as error:
        raise ServerError(
            access.headers.redact(error.detail),
            where=where,
            hint="check the address, and that it runs",
        ) from None


@dataclass(frozen=True, slots=True)
class _Questions:
    """Puts questions to one bot, behind its address."""

    transport: Transport
    access: Access

    async def get(self, path: str) -> WholeBody:
        """What the bot has at the path.

        Raises:
            ServerError: the bot cannot say now; that must not look like another version.
        """
        document = WholeBody(_LONGEST_BODY)
        target = path_of(f"{self.access.server.base}{path}")
        await self.transport.exchange("GET", target, self.access.headers.sent, b"", document)
        if document.status in (408, 429) or document.status >= 500:
            raise ServerError(
                f"does not tell its version now (HTTP {document.status} on {path})",
                where=self.access.server.base,
                hint="try again, or look at the server's log",
            )
        return document

    async def json(self, path: str) -> dict[str, Any]:
        """The object at the path; empty where there is none.

        Raises:
            ServerError: the bot cannot say now.
        """
        document = await self.get(path)
        try:
            data = json.loads(document.content) if document.status == 200 else None
        except (ValueError, RecursionError):
            data = None
        return data if isinstance(data, dict) else {}


async def _rasa(questions: _Questions) -> About:
    """Version and model of a Rasa server; one without `--enable-api` says its version alone."""
    version = (await questions.json("/version")).get("version")
    if not isinstance(version, str):
        hello = await questions.get("/")
        found = _HELLO.search(hello.content.decode("utf-8", "replace"))
        version = found.group(1) if found and hello.status == 200 else None
    status = await questions.json("/status")
    root = status.get("model_id") or status.get("model_file")
    return About(
        version=one_line(f"rasa {version}") if version else UNKNOWN,
        root=one_line(root) if isinstance(root, str) else None,
    )


async def _ollama(questions: _Questions) -> About:
    """Version of an Ollama server, and the digests of the models that it has."""
    version = (await questions.json("/api/version")).get("version")
    listed = (await questions.json("/api/tags")).get("models")
    models: dict[str, str | None] | None = None
    if isinstance(listed, list):
        models = {}
        for entry in listed:
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                digest = entry.get("digest")
                models[entry["name"]] = digest if isinstance(digest, str) else None
    return About(
        version=one_line(f"ollama {version}") if isinstance(version, str) else UNKNOWN,
        models=models,
    )
