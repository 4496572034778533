"""Real vLLM: served, asked, told apart, stopped; and what it counts while latency is measured."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from harness.client.dialect_client import DialectClient
from harness.client.protocol import Answer, ChatRequest, Failed
from harness.clock import SYSTEM_CLOCK
from harness.errors import ServerError
from harness.latency.health import ServerWatch
from harness.records.suite import Message
from harness.records.target import Generation
from harness.serving.command import ServeSpec
from harness.serving.vllm import VllmServer
from harness.targets.endpoint import Endpoint
from tests.dialects import openai_dialect
from tests.e2e.vllm.conftest import Served, group_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


FIXED = {"ignore_eos": True, "min_tokens": 24, "max_tokens": 24}
LONG = "The same words are sent again and again, and so the server knows them by now. "


@pytest.fixture(scope="module")
def spec(served: Served) -> ServeSpec:
    return served.spec


@pytest.fixture(scope="module")
def server(served: Served) -> VllmServer:
    return served.server


def command_lines(server: VllmServer) -> list[str]:
    return [Path(f"/proc/{pid}/cmdline").read_text() for pid in group_of(server)]


async def ask(server: VllmServer, model: str, text: str, tokens: int = 8) -> Answer | Failed:
    request = ChatRequest(
        model, (Message(role="user", content=text),), max_tokens=tokens, logprobs=True
    )
    async with DialectClient(
        openai_dialect(server.url, server.api_key), generation=Generation(), clock=SYSTEM_CLOCK
    ) as client:
        return await client.ask(request)


async def test_the_adapters_are_listed_with_their_parent(server: VllmServer) -> None:
    found = await openai_dialect(server.url, server.api_key).describe()
    assert {entry.id: entry.parent for entry in found.models} == {
        "plain": None,
        "good": "plain",
        "empty": "plain",
        "weak": "plain",
    }
    assert found.version.startswith("vllm ")


def test_a_models_snapshot_from_a_hub_is_what_is_served(
    server: VllmServer, spec: ServeSpec
) -> None:
    assert "/hub-cache/models--org--micro/snapshots/" in str(spec.model)
    assert any(str(spec.model) in line for line in command_lines(server))
    assert spec.model.joinpath("model.safetensors").is_symlink()


async def test_the_key_is_asked_for_and_in_no_log_and_no_process_list(
    server: VllmServer, spec: ServeSpec
) -> None:
    with pytest.raises(ServerError, match="asks for an API key"):
        await openai_dialect(server.url, None).describe()
    assert server.api_key not in spec.log.read_text()
    assert all(server.api_key not in line for line in command_lines(server))


async def test_answers_stream_and_adapters_differ_from_the_base(server: VllmServer) -> None:
    answers = {}
    for model in ("plain", "good", "empty"):
        reply = await ask(server, model, "Hello there")
        assert isinstance(reply, Answer)
        assert reply.model == model
        assert reply.finish_reason in ("length", "stop")
        assert reply.usage is not None
        assert reply.token_logprobs is not None
        assert len(reply.token_logprobs) == reply.usage.completion_tokens
        answers[model] = [value for _, value in reply.token_logprobs]
    assert answers["good"][0] != pytest.approx(answers["plain"][0], abs=1e-3)
    assert answers["empty"][0] == pytest.approx(answers["plain"][0], abs=1e-4)


async def test_refusals_of_the_server(server: VllmServer) -> None:
    unknown = await ask(server, "nobody", "Hello")
    assert isinstance(unknown, Failed)
    assert unknown.failure.status == 404
    long = await ask(server, "plain", "x" * 1000)
    assert isinstance(long, Failed)
    assert long.failure.status == 400
    assert "\n" not in long.failure.detail


def test_an_argument_that_vllm_does_not_know(spec: ServeSpec, tmp_path: Path) -> None:
    bad = ServeSpec(model=spec.model, log=tmp_path / "log", args={"no-such-option": 1})
    with pytest.raises(ServerError, match="unrecognized arguments: --no-such-option") as caught:
        VllmServer(bad).start()
    assert str(tmp_path / "log") in caught.value.line


@pytest.fixture
def watch(server: VllmServer) -> ServerWatch:
    return ServerWatch(Endpoint((server.url,), server.api_key))


async def events(
    server: VllmServer, prompt: str, **options: Any
) -> tuple[list[dict[str, Any]], float]:
    """The events of one streamed answer, and the seconds to the first with a token."""
    body = {
        "model": "plain",
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
        options = {"model": "good" if number % 2 else "plain", "temperature": 1.0, "seed": number}
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
        for model in ("plain", "good")
    ]
    health = watch.health(before, await watch.look())
    usages = [found[-1]["usage"] for found, _ in answers]
    assert health.generation_tokens == sum(usage["completion_tokens"] for usage in usages)
    assert health.prompt_tokens == sum(usage["prompt_tokens"] for usage in usages)
    assert health.ttft_mean is not None
    assert 0.0 < health.ttft_mean < sum(first for _, first in answers) / len(answers)
    assert health.compiled == ()
