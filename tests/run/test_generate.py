from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.client.protocol import ChatRequest, Reply
from harness.errors import ServerError
from harness.records.attempt import Attempt, Failure
from harness.run.generate import Question, generate
from harness.run.plan import Selection, plan
from harness.storage import RunFolder
from tests.builders import identity, shop
from tests.manual_clock import ManualClock
from tests.scripted_client import ScriptedClient


async def ask_all(tmp_path: Path, client, concurrency: int = 8) -> dict[str, Attempt]:
    project, suites = shop(tmp_path)
    planned = plan(project, "base", suites, identity("base"), Selection(concurrency=concurrency))
    folder = RunFolder(tmp_path / "runs/run")
    seen: list[Attempt] = []
    try:
        with folder.writing() as journal:
            await generate(planned.requests, Question("base", planned.generation), client, journal,
                           lambda ask, attempt: seen.append(attempt))  # fmt: skip
    finally:
        assert {attempt.key for attempt in seen} == set(folder.attempts())
    return folder.attempts()


async def test_every_ask_is_journaled_once(tmp_path: Path) -> None:
    client = ScriptedClient(lambda request: request.messages[-1].content, clock=ManualClock())
    attempts = await ask_all(tmp_path, client)
    assert len(client.requests) == len(attempts) == 80
    assert {attempt.text for attempt in attempts.values()} == {
        request.messages[-1].content for request in client.requests
    }


async def test_a_failed_request_is_a_failure_with_its_cause_and_never_a_text(
    tmp_path: Path,
) -> None:
    def script(request: ChatRequest) -> str | Failure:
        bad = "fact 3?" in request.messages[-1].content
        return Failure(cause="http", detail="400: too long", status=400) if bad else "fine"

    attempts = await ask_all(tmp_path, ScriptedClient(script, clock=ManualClock()))
    failed = [attempt for attempt in attempts.values() if attempt.status == "failed"]
    assert [(attempt.case, attempt.text) for attempt in failed] == [("g3", None)]
    assert failed[0].failure is not None
    assert failed[0].failure.status == 400


async def test_no_more_requests_are_under_way_than_asked_for(tmp_path: Path) -> None:
    class Counting:
        now = most = 0

        async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0)
            self.now -= 1
            return await ScriptedClient(["ok"], clock=ManualClock()).ask(request)

    client = Counting()
    await ask_all(tmp_path, client, concurrency=5)
    assert client.most == 5


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_stops_the_run_at_once(tmp_path: Path, status: int) -> None:
    client = ScriptedClient(
        lambda _: Failure(cause="http", detail="refused", status=status), clock=ManualClock()
    )
    with pytest.raises(ServerError, match="refuses the key"):
        await ask_all(tmp_path, client)
    assert len(client.requests) <= 8


async def test_a_server_that_is_gone_stops_the_run_and_keeps_what_is_done(tmp_path: Path) -> None:
    count = iter(range(1000))
    client = ScriptedClient(
        lambda _: "fine" if next(count) < 30 else Failure(cause="connect", detail="refused"),
        clock=ManualClock(),
    )
    with pytest.raises(ServerError, match="the server is gone"):
        await ask_all(tmp_path, client)
    assert len(client.requests) < 60
    done = RunFolder(tmp_path / "runs/run").attempts().values()
    assert sum(attempt.status == "answered" for attempt in done) == 30


@pytest.mark.parametrize(
    ("status", "stops"), [(429, True), (502, True), (503, True), (504, True), (500, False)]
)
async def test_a_server_that_lets_nobody_in_stops_the_run_and_prompts_that_fail_do_not(
    tmp_path: Path, status: int, stops: bool
) -> None:
    client = ScriptedClient(
        lambda _: Failure(cause="http", detail="no", status=status), clock=ManualClock()
    )
    if stops:
        with pytest.raises(ServerError, match="takes no requests"):
            await ask_all(tmp_path, client)
        assert len(client.requests) < 30
    else:
        assert len(await ask_all(tmp_path, client)) == 80


async def test_scattered_connection_errors_do_not_stop_the_run(tmp_path: Path) -> None:
    count = iter(range(1000))
    client = ScriptedClient(
        lambda _: "fine" if next(count) % 3 else Failure(cause="reset", detail="reset"),
        clock=ManualClock(),
    )
    assert len(await ask_all(tmp_path, client)) == 80
