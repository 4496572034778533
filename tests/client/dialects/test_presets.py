from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from harness.client.credentials import from_environment
from harness.client.dialect import Access, ModelEntry, ServerDescription
from harness.client.dialects.http import HttpDialect
from harness.errors import ServerError
from harness.records.http_server import HttpServer
from tests.bots import DIGEST, Dialogflow, Ollama, Rasa

SECRET = "hush-hush-very-secret"


async def said_of(url: str, preset: str, **more: Any) -> ServerDescription:
    server = HttpServer.model_validate({"engine": "http", "url": url, "preset": preset, **more})
    access = Access(from_environment(server, {"KEY": SECRET}, "servers.bot"), server)
    return await HttpDialect(server.url, access).describe()


async def test_rasa_says_its_version_and_its_model() -> None:
    async with Rasa() as bot:
        assert await said_of(bot.url, "rasa") == ServerDescription(
            version="rasa 3.6.20", lists_models=False, root="f2b1c0"
        )


async def test_rasa_is_asked_with_its_headers() -> None:
    async with Rasa() as bot:
        bot.key = f"Bearer {SECRET}"
        locked = await said_of(bot.url, "rasa")
        key = {"Authorization": {"env": "KEY", "prefix": "Bearer "}}
        opened = await said_of(bot.url, "rasa", headers=key)
    assert (locked.root, opened.root) == (None, "f2b1c0")


async def test_rasa_without_its_api_still_greets() -> None:
    async with Rasa() as bot:
        bot.version = None
        assert await said_of(bot.url, "rasa") == ServerDescription(
            version="rasa 3.6.20", lists_models=False
        )


async def test_ollama_says_its_version_and_its_models_digests() -> None:
    async with Ollama() as bot:
        found = await said_of(bot.url, "ollama")
    assert found == ServerDescription(
        (ModelEntry("llama3.2:latest", root=DIGEST),), "ollama 0.13.1"
    )


async def test_dialogflow_has_nothing_to_be_asked() -> None:
    async with Dialogflow() as bot:
        pass
    assert await said_of(bot.url, "dialogflow-cx") == ServerDescription(lists_models=False)


async def test_a_bot_that_is_not_there() -> None:
    async with Rasa() as bot:
        pass
    with pytest.raises(ServerError, match="check the address"):
        await said_of(bot.url, "rasa")


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_trouble_does_not_look_like_another_version(status: int) -> None:
    class Busy(Rasa):
        async def _version(self, _: web.Request) -> web.Response:
            return web.Response(status=status)

    async with Busy() as bot:
        with pytest.raises(ServerError, match=f"does not tell its version now .HTTP {status}"):
            await said_of(bot.url, "rasa")
