"""Servers that speak the protocol and differ in address, content type and redirects."""

import json
from typing import Any

import pytest
from aiohttp import web

from harness.client.dialect_client import DialectClient
from harness.client.protocol import Answer, ChatRequest, Failed, Reply
from harness.clock import SYSTEM_CLOCK
from harness.records.server_url import normalised
from harness.records.target import Generation
from tests.dialects import openai_dialect
from tests.sites import Site, chat

ROUTE = "/v1/chat/completions"


async def ask(url: str, request: ChatRequest, generation: Generation, times: int = 1) -> Reply:
    dialect = openai_dialect(normalised(url), "a-secret-key")
    async with DialectClient(dialect, generation=generation, clock=SYSTEM_CLOCK) as client:
        for _ in range(times - 1):
            await client.ask(request)
        return await client.ask(request)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("", ROUTE),
        ("/v1", ROUTE),
        ("/gateway", "/gateway/v1/chat/completions"),
        ("/gateway/chat/completions", "/gateway/chat/completions"),
        ("/chat/completions", "/chat/completions"),
        ("/v1beta/openai", "/v1beta/openai/chat/completions"),
        ("/api/paas/v4", "/api/paas/v4/chat/completions"),
        ("/openai/deployments/x?api-version=1", "/openai/deployments/x/chat/completions"),
    ],
)
async def test_the_route_is_the_one_that_was_written(
    written: str, asked: str, request_hi: ChatRequest, generation: Generation
) -> None:
    async with Site({asked: chat()}) as site:
        assert isinstance(await ask(f"{site.url}{written}", request_hi, generation), Answer)
    query = "?" + written.partition("?")[2] if "?" in written else ""
    assert site.asked == [f"POST {asked}{query}"]


@pytest.mark.parametrize(
    "kind",
    ["text/event-stream", "text/plain", "application/json", "application/octet-stream",
     "text/html", None],
)  # fmt: skip
async def test_a_stream_is_one_whatever_its_type_is_called(
    kind: str | None, request_hi: ChatRequest, generation: Generation
) -> None:
    async with Site({ROUTE: chat("It is.", kind=kind)}) as site:
        reply = await ask(site.url, request_hi, generation)
    assert isinstance(reply, Answer)
    assert reply.text == "It is."
    assert reply.usage is not None
    assert len(reply.timing.chunks) == 1


WHOLE = {"choices": [{"message": {"content": "It is."}, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    ("body", "kind", "cause", "words"),
    [
        (json.dumps(WHOLE), "application/json", "protocol", "one whole document"),
        (json.dumps(WHOLE), "text/plain", "protocol", "one whole document"),
        ("<html>hi", "text/html", "protocol", "a page"),
        ("No healthy upstream", "text/plain", "protocol", "without streaming, with text/plain"),
        ('{"error": {"message": "full"}}', "application/json", "server_error", "full"),
        ("", "text/plain", "reset", "broke off"),
        ("da", "text/plain", "reset", "broke off"),
    ],
)
async def test_what_is_no_stream_is_told(
    body: str, kind: str, cause: str, words: str, request_hi: ChatRequest, generation: Generation
) -> None:
    answer = web.Response(body=body.encode(), headers={"Content-Type": kind})
    async with Site({ROUTE: answer}) as site:
        reply = await ask(site.url, request_hi, generation)
    assert isinstance(reply, Failed)
    assert reply.failure.cause == cause
    assert words in reply.failure.detail


def moved(to: str, status: int) -> web.Response:
    return web.Response(status=status, headers={"Location": to})


@pytest.mark.parametrize(("status", "first_paths"), [(307, 2), (308, 1), (301, 1), (302, 2)])
async def test_a_slash_at_the_end_is_followed_and_remembered_where_it_is_for_good(
    status: int, first_paths: int, request_hi: ChatRequest, generation: Generation
) -> None:
    routes = {ROUTE: moved(f"{ROUTE}/", status), f"{ROUTE}/": chat()}
    async with Site(routes) as site:
        reply = await ask(site.url, request_hi, generation, times=2)
    assert isinstance(reply, Answer)
    assert site.asked.count(f"POST {ROUTE}") == first_paths
    assert site.asked.count(f"POST {ROUTE}/") == 2
    assert site.bodies[-1]["model"] == request_hi.model


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_key_goes_to_another_origin(
    status: int, request_hi: ChatRequest, generation: Generation
) -> None:
    async with Site({"/v1/chat/completions": chat()}) as other:
        place = f"{other.url}{ROUTE}"
        async with Site({ROUTE: moved(f"{place}?code=s3cret", status)}) as site:
            reply = await ask(site.url, request_hi, generation)
    assert isinstance(reply, Failed)
    assert reply.failure.detail == (
        f"HTTP {status}: redirected to {place}, which is not followed; write `url: {place}`"
    )
    assert other.asked == []


async def test_a_redirect_to_a_login_says_so(
    request_hi: ChatRequest, generation: Generation
) -> None:
    async with Site({ROUTE: moved("/login?next=/v1", 302)}) as site:
        reply = await ask(site.url, request_hi, generation)
    assert isinstance(reply, Failed)
    assert f"redirected to {site.url}/login, which" in reply.failure.detail
    assert "a login or another site" in reply.failure.detail


async def test_redirects_in_a_circle_end(request_hi: ChatRequest, generation: Generation) -> None:
    async with Site({ROUTE: moved("/x", 307), "/x": moved(ROUTE, 307)}) as site:
        reply = await ask(site.url, request_hi, generation)
    assert isinstance(reply, Failed)
    assert len(site.asked) == 4
    assert "redirected to" in reply.failure.detail


async def test_a_status_that_may_be_a_proxys_names_it(
    request_hi: ChatRequest, generation: Generation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Site({}) as proxy:
        monkeypatch.setenv("http_proxy", f"http://me:pw@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        reply = await ask("http://chat.invalid", request_hi, generation)
    assert isinstance(reply, Failed)
    told = f"HTTP 404 (through the proxy 127.0.0.1:{proxy.port}): "
    assert reply.failure.detail.startswith(told)


async def test_parts_of_thinking_and_text(request_hi: ChatRequest, generation: Generation) -> None:
    parts: list[Any] = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "7?"}]},
        {"type": "text", "text": "8"},
    ]
    event = {"choices": [{"delta": {"content": parts}, "finish_reason": "stop"}]}
    body = f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n"
    async with Site({ROUTE: web.Response(text=body)}) as site:
        reply = await ask(site.url, request_hi, generation)
    assert isinstance(reply, Answer)
    assert (reply.text, reply.reasoning) == ("8", "7?")
