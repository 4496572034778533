"""A server's description, and one clear line for each way not to get it."""

import asyncio

import pytest
from aiohttp import web

from harness.errors import ServerError
from tests.dialects import openai_dialect
from tests.mock_server import MockServer


async def test_models_with_parents() -> None:
    async with MockServer(lambda _: "x", models={"base": None, "good": "base"}) as server:
        found = await openai_dialect(server.url, None).describe()
    assert [(entry.id, entry.parent) for entry in found.models] == [
        ("base", None),
        ("good", "base"),
    ]
    assert found.version == "vllm mock"
    good = found.model("good")
    assert good is not None
    assert good.root == "good"
    assert found.model("other") is None


async def complaint(url: str, key: str | None = None, env: str | None = None) -> str:
    with pytest.raises(ServerError) as caught:
        await openai_dialect(url, key).describe(timeout=1.0, api_key_env=env)
    assert "\n" not in caught.value.line
    assert caught.value.line.startswith(url)
    return caught.value.line


async def test_a_key_that_is_missing_or_wrong() -> None:
    async with MockServer(lambda _: "x", api_key="right") as server:
        line = await complaint(server.url, None, "PROD_KEY")
        assert "asks for an API key (HTTP 401)" in line
        assert "PROD_KEY" in line
        line = await complaint(server.url, "very-wrong", "PROD_KEY")
        assert "refuses the API key" in line
        assert "very-wrong" not in line
        assert "api_key_env" in await complaint(server.url)


async def test_no_server() -> None:
    assert "refused" in await complaint("http://127.0.0.1:1/v1")
    assert "name is not known" in await complaint("http://no-such-host.invalid/v1")
    async with MockServer(lambda _: "x") as server:
        assert "TLS" in await complaint(server.url.replace("http:", "https:"))
        assert "HTTP 404" in await complaint(f"{server.url}/wrong/v1")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("<html>", 200, "is not the JSON"),
        ("[1, 2]", 200, "is not the JSON"),
        ('{"data": [{"name": "x"}]}', 200, "is not the JSON"),
        ("down\nfor repairs", 503, "HTTP 503: down for repairs"),
        ("", 301, "no OpenAI-compatible route"),
    ],
)
async def test_something_else_that_answers(body: str, status: int, words: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, status=status)

    async with Site(answer) as url:
        assert words in await complaint(url)


async def test_a_server_that_hangs() -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with Site(hang) as url:
        with pytest.raises(ServerError, match=r"no answer within 0\.1 s"):
            await openai_dialect(url, None).describe(timeout=0.1)


async def test_a_server_without_a_version() -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/v1/models":
            return web.json_response({"data": [{"id": "m"}]}, headers={"Server": "thing/1"})
        return web.Response(status=404)

    async with Site(answer) as url:
        assert (await openai_dialect(url, None).describe()).version == "thing/1"


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_version_that_cannot_be_told_now_is_no_other_version(status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/v1/models":
            return web.json_response({"data": [{"id": "m"}]}, headers={"Server": "thing/1"})
        return web.Response(status=status)

    async with Site(answer) as url:
        assert f"does not tell its version now (HTTP {status}" in await complaint(url)


class Site:
    """Any handler behind every path of a loopback server."""

    def __init__(self, handler: object) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)  # type: ignore[arg-type]
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
