"""Real vLLM: what a latency measurement asks of it, and what it counts meanwhile."""

from __future__ import annotations

import importlib.util
import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from harness.serving.spec import ServeSpec
from harness.serving.vllm import VllmServer
from harness.stages.connect import Endpoint
from harness.stages.latency.server import ServerWatch
from tests.e2e.micro import build_adapter, build_model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="needs vLLM"),
]

FIXED = {"ignore_eos": True, "min_tokens": 24, "max_tokens": 24}
LONG = "The same words are sent again and again, and so the server knows them by now. "


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    folder = tmp_path_factory.mktemp("micro")
    model = build_model(folder / "model")
    spec = ServeSpec(
        model=model,
        log=folder / "server.log",
        adapters={"tuned": build_adapter(model, folder / "tuned")},
        args={"max-model-len": 256, "enforce-eager": True},
        start_timeout=300.0,
    )
    with VllmServer(spec) as running:
        yield running


@pytest.fixture
def watch(server: VllmServer) -> ServerWatch:
    return ServerWatch(Endpoint(server.urls, server.api_key))


async def events(
    server: VllmServer, prompt: str, **options: Any
) -> tuple[list[dict[str, Any]], float]:
    """The events of one streamed answer, and the seconds to the first with a token."""
    body = {
        "model": "base",
        "messages": [{"role": "user", "content": prompt}],
        "stream": True,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
        **options,
    }
    headers = {"Authorization": f"Bearer {server.api_key}"}
    found, first, began = [], None, time.perf_counter()
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{server.url}/chat/completions", json=body) as response,
    ):
        assert response.status == 200, await response.text()
        async for line in response.content:
            if line.startswith(b"data: {"):
                found.append(json.loads(line[6:]))
                if first is None and found[-1]["usage"]["completion_tokens"]:
                    first = time.perf_counter() - began
    assert first is not None
    return found, first


async def test_every_answer_is_as_long_as_it_was_told_to_be(server: VllmServer) -> None:
    lengths = set()
    for number in range(20):
        options = {"model": "tuned" if number % 2 else "base", "temperature": 1.0, "seed": number}
        found, _ = await events(server, f"Question {number}?", **options, **FIXED)
        lengths.add(
            (found[-1]["usage"]["completion_tokens"], found[-2]["choices"][0]["finish_reason"])
        )
    assert lengths == {(24, "length")}


async def test_each_chunk_tells_how_many_tokens_there_are_by_then(server: VllmServer) -> None:
    found, _ = await events(server, "Hello", **FIXED)
    counts = [event["usage"]["completion_tokens"] for event in found if event["choices"]]
    assert found[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[-1] == 24


async def test_a_fresh_salt_finds_nothing_in_the_cache(
    server: VllmServer, watch: ServerWatch
) -> None:
    looks = [await watch.look()]
    for salts in (("one", "two", "three"), ("same", "same", "same")):
        for salt in salts:
            await events(server, 2 * LONG, cache_salt=salt, **FIXED)
        looks.append(await watch.look())
    fresh, same = (watch.health(before, after) for before, after in itertools.pairwise(looks))
    assert fresh.cache_hit_share == 0.0
    assert same.cache_hit_share is not None
    assert same.cache_hit_share > 0.3


async def test_the_server_counts_the_tokens_that_it_told_and_a_shorter_ttft(
    server: VllmServer, watch: ServerWatch
) -> None:
    before = await watch.look()
    answers = [
        await events(server, f"Question {number}?", model=model, **FIXED)
        for number in range(10)
        for model in ("base", "tuned")
    ]
    health = watch.health(before, await watch.look())
    usages = [found[-1]["usage"] for found, _ in answers]
    assert health.generation_tokens == sum(usage["completion_tokens"] for usage in usages)
    assert health.prompt_tokens == sum(usage["prompt_tokens"] for usage in usages)
    assert health.ttft_mean is not None
    assert 0.0 < health.ttft_mean < sum(first for _, first in answers) / len(answers)
    assert health.compiled == ()
