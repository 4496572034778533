"""What a vLLM's page of metrics tells, and what is no such page."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from harness.client.metrics import Metrics, parse, scrape
from harness.errors import UsageError
from tests.mock_server import MockServer
from tests.sites import Site

# Of vLLM 0.32.0, after 108 requests to a base and its adapter; many families are left out.
PAGE = (Path(__file__).parent / "vllm_metrics.txt").read_text()
TOLD = Metrics(
    prompt_tokens=1428.0,
    generation_tokens=1692.0,
    cache_queries=1428.0,
    cache_hits=0.0,
    ttft_sum=3.634467124938965,
    ttft_count=108.0,
    preemptions=0.0,
    running=0.0,
    waiting=0.0,
    started=1.79527155437e9,
)


def test_a_page_of_vllm() -> None:
    assert parse(PAGE) == TOLD


@given(
    prompts=st.lists(st.integers(0, 10**12), min_size=1, max_size=4),
    firsts=st.lists(st.floats(0.0, 1e6), max_size=5),
    running=st.integers(0, 5000),
)
def test_all_engines_of_a_server_are_added_up(
    prompts: list[int], firsts: list[float], running: int
) -> None:
    registry = CollectorRegistry()
    labels = ["model_name", "engine"]
    counter = Counter("vllm:prompt_tokens", "as vLLM", labels, registry=registry)
    seconds = Histogram("vllm:time_to_first_token_seconds", "as vLLM", labels, registry=registry)
    gauge = Gauge("vllm:num_requests_running", "as vLLM", labels, registry=registry)
    for engine, count in enumerate(prompts):
        counter.labels("base", str(engine)).inc(count)
        gauge.labels("base", str(engine)).set(running)
    for number, value in enumerate(firsts):
        seconds.labels("base", str(number % 2)).observe(value)
    found = parse(generate_latest(registry).decode())
    assert found is not None
    assert found.prompt_tokens == sum(prompts)
    assert found.running == running * len(prompts)
    assert found.busy == (running > 0)
    assert found.ttft_count == (len(firsts) if firsts else None)
    assert (found.ttft_sum or 0.0) == pytest.approx(sum(firsts))
    assert found.generation_tokens is None


PIECES = st.sampled_from(
    ["# TYPE ", "# HELP ", "#", "vllm:prompt_tokens_total", "_bucket", "{", "}", "engine", "=",
     '"0"', '"', ",", "1.0", " ", "\n", "\\", "NaN", "+Inf", "1e999", "counter", "histogram", "é",
     "\x00"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=60))
def test_whatever_a_page_holds_is_read_or_is_none(page: str) -> None:
    found = parse(page)
    assert found is None or found.prompt_tokens is not None


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<html>",
        "up 1\nprocess_start_time_seconds 5\n",
        'vllm:prompt_tokens_total{engine="0" 1\n',
        '_bucket{, ="0"}NaN}\n',
        "vllm:prompt_tokens_total NaN\n",
    ],
)
def test_a_page_that_tells_nothing(page: str) -> None:
    assert parse(page) is None


async def test_the_page_is_asked_for_beside_v1_and_with_the_key() -> None:
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.path, request.headers.get("Authorization")))
        return web.Response(text=PAGE)

    async with Site({"/metrics": answer, "/proxy/metrics": answer}) as site:
        url = f"{site.url}/v1"
        assert await scrape(url, "secret") == TOLD
        assert await scrape(url.replace("/v1", "/proxy/v1"), None) == TOLD
    assert asked == [("/metrics", "Bearer secret"), ("/proxy/metrics", None)]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, "text/plain"), (401, "text/plain"), (500, "text/plain"), (200, "text/html")],
)
async def test_a_server_without_such_a_page(status: int, kind: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, status=status, content_type=kind)

    async with Site({"/metrics": answer}) as site:
        url = f"{site.url}/v1"
        assert await scrape(url, None) is None


async def test_nobody_tells() -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async def flood(_: web.Request) -> web.Response:
        return web.Response(text="vllm:prompt_tokens_total 1\n" * 200_000)

    assert await scrape("http://127.0.0.1:1/v1", None) is None
    async with MockServer(lambda _: "x") as server:
        assert await scrape(server.url, None) is None
    async with Site({"/metrics": hang}) as site:
        url = f"{site.url}/v1"
        assert await scrape(url, None, timeout=0.1) is None
    async with Site({"/metrics": flood}) as site:
        url = f"{site.url}/v1"
        assert await scrape(url, None) is None


async def test_an_address_that_is_none() -> None:
    with pytest.raises(UsageError):
        await scrape("nowhere", None)


@pytest.mark.parametrize(
    ("now", "restarted"),
    [
        (replace(TOLD, prompt_tokens=2000.0), False),
        (replace(TOLD, started=1.8e9), True),
        (replace(TOLD, generation_tokens=3.0), True),
        (replace(TOLD, generation_tokens=3.0, started=None), True),
        (replace(TOLD, generation_tokens=None, started=None), False),
    ],
)
def test_another_process_counts_anew(now: Metrics, restarted: bool) -> None:
    assert now.restarted_since(TOLD) == restarted
