"""Real vLLM: served, asked, told apart, stopped, and gone with its owner."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.client.models import describe
from harness.client.openai import OpenAIClient
from harness.client.protocol import Answer, ChatRequest, Failed
from harness.clock import SYSTEM_CLOCK
from harness.errors import ServerError
from harness.records.suite import Message
from harness.records.target import Generation
from harness.serving.spec import ServeSpec
from harness.serving.vllm import VllmServer
from tests.e2e.micro import build_adapter, build_model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="needs vLLM"),
]


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> ServeSpec:
    folder = tmp_path_factory.mktemp("micro")
    model = build_model(folder / "model")
    return ServeSpec(
        model=model,
        log=folder / "server.log",
        adapters={
            "tuned": build_adapter(model, folder / "tuned"),
            "empty": build_adapter(model, folder / "empty", scale=0.0),
        },
        args={"max-model-len": 256, "enforce-eager": True},
        start_timeout=300.0,
    )


@pytest.fixture(scope="module")
def server(spec: ServeSpec) -> Iterator[VllmServer]:
    with VllmServer(spec) as running:
        yield running
        group = group_of(running)
        assert any(runs(pid) for pid in group)
    assert [pid for pid in group if runs(pid)] == []


def group_of(server: VllmServer) -> list[int]:
    """Every process that descends from the server's guard."""
    assert server._guard is not None
    found = [server._guard.pid]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def command_lines(server: VllmServer) -> list[str]:
    return [Path(f"/proc/{pid}/cmdline").read_text() for pid in group_of(server)]


def runs(pid: int) -> bool:
    """Whether the process still runs; one that only waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return "\nState:\tZ" not in state


async def ask(server: VllmServer, model: str, text: str, tokens: int = 8) -> Answer | Failed:
    request = ChatRequest(
        model, (Message(role="user", content=text),), max_tokens=tokens, logprobs=True
    )
    async with OpenAIClient(
        server.url, api_key=server.api_key, generation=Generation(), clock=SYSTEM_CLOCK
    ) as client:
        return await client.ask(request)


async def test_the_adapters_are_listed_with_their_parent(server: VllmServer) -> None:
    found = await describe(server.url, server.api_key)
    assert {entry.id: entry.parent for entry in found.models} == {
        "base": None,
        "tuned": "base",
        "empty": "base",
    }
    assert found.version.startswith("vllm ")


async def test_the_key_is_asked_for_and_in_no_log_and_no_process_list(
    server: VllmServer, spec: ServeSpec
) -> None:
    with pytest.raises(ServerError, match="asks for an API key"):
        await describe(server.url, None)
    assert server.api_key not in spec.log.read_text()
    assert all(server.api_key not in line for line in command_lines(server))


async def test_answers_stream_and_adapters_differ_from_the_base(server: VllmServer) -> None:
    answers = {}
    for model in ("base", "tuned", "empty"):
        reply = await ask(server, model, "Hello there")
        assert isinstance(reply, Answer)
        assert reply.model == model
        assert reply.finish_reason in ("length", "stop")
        assert reply.usage is not None
        assert reply.token_logprobs is not None
        assert len(reply.token_logprobs) == reply.usage.completion_tokens
        answers[model] = [value for _, value in reply.token_logprobs]
    assert answers["tuned"][0] != pytest.approx(answers["base"][0], abs=1e-3)
    assert answers["empty"][0] == pytest.approx(answers["base"][0], abs=1e-4)


async def test_refusals_of_the_server(server: VllmServer) -> None:
    unknown = await ask(server, "nobody", "Hello")
    assert isinstance(unknown, Failed)
    assert unknown.failure.status == 404
    long = await ask(server, "base", "x" * 1000)
    assert isinstance(long, Failed)
    assert long.failure.status == 400
    assert "\n" not in long.failure.detail


def test_an_argument_that_vllm_does_not_know(spec: ServeSpec, tmp_path: Path) -> None:
    bad = ServeSpec(model=spec.model, log=tmp_path / "log", args={"no-such-option": 1})
    with pytest.raises(ServerError, match="unrecognized arguments: --no-such-option") as caught:
        VllmServer(bad).start()
    assert str(tmp_path / "log") in caught.value.line


OWNER = """
import sys, time
from pathlib import Path
from harness.serving.spec import ServeSpec
from harness.serving.vllm import VllmServer
spec = ServeSpec(model=Path(sys.argv[1]), log=Path(sys.argv[2]), args={"max-model-len": 256,
                 "enforce-eager": True})
server = VllmServer(spec)
server.start()
print(server._guard.pid, flush=True)
time.sleep(600)
"""


def test_nothing_is_left_when_the_owner_is_killed(spec: ServeSpec, tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(spec.model), str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    found = [int(owner.stdout.readline())]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    assert len(found) >= 3
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    deadline = time.monotonic() + 60.0
    while any(runs(pid) for pid in found) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert [pid for pid in found if runs(pid)] == []
