"""Several servers of one target over real sockets, and as processes that are killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from harness.client import balance
from harness.client.dialect_client import DialectClient
from harness.client.protocol import Answer, ChatRequest, Reply, RequestContext
from harness.clock import SYSTEM_CLOCK
from harness.errors import EvidenceError
from harness.records.attempt import Attempt
from harness.records.plan import PlannedRequest
from harness.records.suite import Message
from harness.records.target import Generation
from harness.run.generate import Question, generate
from harness.run.plan import Selection, plan
from harness.storage import RunFolder
from harness.targets import client_stack as stage
from harness.targets.client_stack import open_stack
from harness.targets.endpoint import Endpoint
from tests.builders import identity, shop
from tests.manual_clock import ManualClock
from tests.mock_server import COMMAND, MockReply, MockServer
from tests.sites import Site, chat


class Gate(ManualClock):
    """Lets nothing through until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        await self.opened.wait()


def ask_for(text: str) -> ChatRequest:
    return ChatRequest("mock", (Message(role="user", content=text),), max_tokens=8)


@pytest.mark.parametrize("count", [1, 2, 4])
async def test_what_is_under_way_is_spread_over_all_servers(count: int) -> None:
    """No server answers before each has what it takes."""
    gate = Gate()
    all_there = asyncio.Event()
    arrivals = iter(range(8 * count))

    def answer(_: object) -> MockReply:
        if next(arrivals) == 8 * count - 1:
            all_there.set()
        return MockReply("ok", first_delay=1.0)

    async with contextlib.AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(MockServer(answer, clock=gate)) for _ in range(count)
        ]
        endpoint = Endpoint(tuple(server.url for server in servers), None)
        clients = await stack.enter_async_context(
            open_stack(endpoint, Generation(concurrency=8 * count), SYSTEM_CLOCK)
        )
        tasks = [
            asyncio.create_task(clients.client.ask(ask_for(str(number))))
            for number in range(8 * count)
        ]
        await all_there.wait()
        assert [len(server.requests) for server in servers] == [8] * count
        gate.opened.set()
        assert all(isinstance(reply, Answer) for reply in await asyncio.gather(*tasks))


class Process:
    """A mock server as a process, which can be killed and started again at its address."""

    def __init__(self, folder: Path) -> None:
        self._answers = folder / "answers.json"
        self._answers.write_text(json.dumps({"*": "one two three"}))
        self.url = ""
        self.start("0")

    def start(self, port: str) -> None:
        self._process = subprocess.Popen(
            [
                *COMMAND, "--answer-file", str(self._answers),
                "--model", "base", "--first-delay", "0.1", "--port", port,
            ],
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def start_again(self) -> None:
        self.start(self.url.rsplit(":", 1)[1].removesuffix("/v1"))

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    async def count(self) -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.url.removesuffix("/v1") + "/requests-count") as response,
        ):
            return int((await response.json())["count"])


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[list[Process]]:
    running = [Process(tmp_path) for _ in range(3)]
    yield running
    for process in running:
        process.kill()


async def test_one_of_three_is_killed_and_comes_back(
    tmp_path: Path, processes: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries_of_the_second = [0]
    second = processes[1].url

    class Counted(DialectClient):
        async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
            tries_of_the_second[0] += second in repr(self)
            return await super().send(request, context)

    monkeypatch.setattr(stage, "DialectClient", Counted)
    monkeypatch.setattr(balance, "LONGEST_REST", 1.0)
    project, suites = shop(tmp_path)
    chosen = Selection(concurrency=24, repeats=20)
    planned = plan(project, "base", suites, identity("base"), chosen)
    generation = planned.generation.model_copy(update={"retries": 4})
    folder = RunFolder(tmp_path / "runs/run")
    seen: list[Attempt] = []
    tries_at: dict[str, int] = {}

    def see(_: PlannedRequest, attempt: Attempt) -> None:
        seen.append(attempt)
        if len(seen) == 200:
            processes[1].kill()
            tries_at["killed"] = tries_of_the_second[0]
        if len(seen) == 600:
            tries_at["back"] = tries_of_the_second[0]
            processes[1].start_again()

    endpoint = Endpoint(tuple(process.url for process in processes), None)
    async with open_stack(endpoint, generation, SYSTEM_CLOCK) as clients:
        with folder.writing() as journal:
            question = Question("base", generation)
            await generate(planned.requests, question, clients.client, journal, see)

    attempts = folder.attempts()
    assert len(seen) == len(attempts) == 1600
    assert {attempt.status for attempt in seen} == {"answered"}
    # Those whose server died under them, and who knocked before the first refusal was known.
    assert 0 < sum(attempt.tries > 1 for attempt in seen) <= 32
    assert tries_at["back"] - tries_at["killed"] <= 12
    assert await processes[1].count() > 20


async def test_a_replica_that_goes_and_one_that_is_back_are_a_line_each() -> None:
    clock = ManualClock()
    lines: list[str] = []
    failing = MockReply("\x1b[2Jkeep out", status=500)
    replies: dict[str, str | MockReply] = {"second": "ok"}
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(MockServer(lambda _: "ok"))
        second = await stack.enter_async_context(MockServer(lambda _: replies["second"]))
        endpoint = Endpoint((first.url, second.url), None)
        clients = await stack.enter_async_context(
            open_stack(endpoint, Generation(retries=0), clock, lines.append)
        )
        replies["second"] = failing
        for number in range(20):
            await clients.client.ask(ask_for(f"away {number}"))
        told = [f"{second.url}: set aside until it answers again: http 500"]
        assert lines == told
        replies["second"] = "ok"
        clock.advance(100.0)
        for number in range(20):
            await clients.client.ask(ask_for(f"back {number}"))
        assert lines == [*told, f"{second.url}: is back"]


async def test_a_replica_that_comes_back_as_another_ends_the_run(tmp_path: Path) -> None:
    clock = ManualClock()
    generation = Generation(retries=0)
    async with contextlib.AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(MockServer(lambda _: "ok", models=["mock", "x"]))
            for _ in range(2)
        ]
        endpoint = Endpoint((first.url, second.url), None)
        clients = await stack.enter_async_context(open_stack(endpoint, generation, clock))
        for replica in clients.replicas:
            clients.known[replica.address] = await replica.describe()
        await first.__aexit__(None, None, None)
        replies = [await clients.client.ask(ask_for(str(number))) for number in range(4)]
        assert [isinstance(reply, Answer) for reply in replies] == [False, True, True, True]
        port = int(first.url.rsplit(":", 1)[1].removesuffix("/v1"))
        changed = MockServer(lambda _: "other", models={"x": None, "mock": "x"}, port=port)
        await stack.enter_async_context(changed)
        clock.advance(100.0)
        with pytest.raises(EvidenceError, match="came back with another version or another"):
            await clients.client.ask(ask_for("4"))
        assert changed.requests == []


async def test_what_answers_for_a_server_that_starts_is_no_other_model() -> None:
    """A proxy that knows no server yet says 404, as if there never was a list."""
    routes = {"/v1/models": web.Response(status=404), "/v1/chat/completions": chat()}
    async with Site(routes) as proxy, MockServer(lambda _: "ok") as server:
        away = f"{proxy.url}/v1"
        endpoint = Endpoint((server.url, away), None)
        clock = ManualClock()
        async with open_stack(endpoint, Generation(retries=0), clock) as clients:
            for replica in clients.replicas:
                clients.known[replica.address] = await endpoint.describe(server.url)
            routes["/v1/chat/completions"] = web.Response(status=500)
            for number in range(20):
                await clients.client.ask(ask_for(f"away {number}"))
            proxy.asked.clear()
            clock.advance(100.0)
            for number in range(20):
                assert isinstance(await clients.client.ask(ask_for(f"{number}")), Answer)
            assert "GET /v1/models" in proxy.asked
            assert proxy.bodies[-1]["messages"][0]["content"].startswith("away")
