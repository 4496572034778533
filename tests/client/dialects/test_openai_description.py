"""A server's description, and one clear line for each way not to get it."""

import asyncio

import pytest
from aiohttp import web

from harness.errors import ServerError
from tests.dialects import openai_dialect
from tests.mock_server import MockServer
from tests.sites import Site


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


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("<html>", 200, "is not the JSON"),
        ("null", 200, "is not the JSON"),
        ("[1, 2]", 200, "is not the JSON"),
        ('{"data": null}', 200, "is not the JSON"),
        ("", 301, "HTTP 301 on /models"),
        *(("no", status, f"HTTP {status} on /models") for status in (403, 404, 405, 501)),
    ],
)
async def test_a_server_without_a_list(body: str, status: int, words: str) -> None:
    async with Site({"/v1/models": web.Response(text=body, status=status)}) as site:
        found = await openai_dialect(f"{site.url}/v1", None).describe()
    assert (found.models, found.lists_models) == ((), False)
    assert words in found.no_list


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_list_that_cannot_be_had_now(status: int) -> None:
    page = web.Response(text="down\nfor repairs", status=status)
    async with Site({"/v1/models": page}) as site:
        assert f"HTTP {status}: down for repairs" in await complaint(f"{site.url}/v1")


async def test_a_server_that_hangs() -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async with Site({"/v1/models": hang}) as site:
        with pytest.raises(ServerError, match=r"no answer within 0\.1 s"):
            await openai_dialect(f"{site.url}/v1", None).describe(timeout=0.1)


LISTED = web.json_response({"data": [{"id": "m"}]}, headers={"Server": "thing/1"})


async def test_a_server_without_a_version() -> None:
    async with Site({"/v1/models": LISTED}) as site:
        assert (await openai_dialect(f"{site.url}/v1", None).describe()).version == "thing/1"


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_version_that_cannot_be_told_now_is_no_other_version(status: int) -> None:
    async with Site({"/v1/models": LISTED, "/version": web.Response(status=status)}) as site:
        told = f"does not tell its version now (HTTP {status}"
        assert told in await complaint(f"{site.url}/v1")


async def test_only_beside_v1_is_there_a_version() -> None:
    routes = {"/api/v4/models": LISTED, "/api/v4/version": web.Response(status=500)}
    async with Site(routes) as site:
        found = await openai_dialect(f"{site.url}/api/v4", None).describe()
    assert found.version == "thing/1"


async def test_a_list_that_moved_on_the_same_server_is_followed() -> None:
    moved = web.Response(status=307, headers={"Location": "/v1/models/"})
    async with Site({"/v1/models": moved, "/v1/models/": LISTED}) as site:
        found = await openai_dialect(f"{site.url}/v1", None).describe()
    assert [entry.id for entry in found.models] == ["m"]
