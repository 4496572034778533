"""All faults at once under load: each request gets its own outcome, and no answer is invented."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any, get_args

from harness.client.dialect_client import DialectClient
from harness.client.protocol import Answer, ChatRequest, Failed, Reply
from harness.client.retry import RetryingClient
from harness.records.suite import Message
from harness.records.target import Generation
from tests.dialects import openai_dialect
from tests.manual_clock import ManualClock
from tests.mock_server import Fault, MockReply, MockServer

REQUESTS = 400
WHOLE = ("no_done", "linger", "drip")
KINDS: list[MockReply] = [
    *(MockReply("", fault=fault) for fault in get_args(Fault)),
    *(MockReply("", status=status) for status in (400, 401, 404, 408, 429, 500, 502, 503)),
    MockReply("", model="another"),
]
CAUSES = {
    "hang": "stalled",
    "hang_midstream": "stalled",
    "malformed": "protocol",
    "no_finish": "protocol",
    "html": "protocol",
    "empty_choices": "protocol",
    "not_streaming": "protocol",
}


def kind_of(number: int) -> MockReply | None:
    """One request in two goes wrong, each kind equally often."""
    return KINDS[number // 2 % len(KINDS)] if number % 2 else None


async def test_all_faults_at_once() -> None:
    asked: Counter[int] = Counter()

    def answer(body: dict[str, Any]) -> MockReply:
        number = int(body["messages"][0]["content"])
        asked[number] += 1
        kind = kind_of(number) if asked[number] == 1 else None
        return replace(kind or MockReply(), text=f"answer to {number}")

    clock = ManualClock()
    generation = Generation(
        concurrency=64, chunk_timeout=1.5, case_timeout=1e6, connect_timeout=30.0
    )
    async with (
        MockServer(answer) as server,
        DialectClient(
            openai_dialect(server.url, None), generation=generation, clock=clock
        ) as inner,
    ):
        client = RetryingClient(inner, generation=generation, clock=clock)
        replies = await asyncio.gather(*(client.ask(request(n)) for n in range(REQUESTS)))
    for number, reply in enumerate(replies):
        check(number, reply, asked[number])


def request(number: int) -> ChatRequest:
    return ChatRequest("mock", (Message(role="user", content=str(number)),), max_tokens=16)


def check(number: int, reply: Reply, times: int) -> None:
    kind = kind_of(number)
    assert reply.tries == times
    if isinstance(reply, Answer):
        assert reply.text == f"answer to {number}"
        right_away = kind is None or kind.fault in WHOLE
        assert reply.tries == (1 if right_away else 2)
        return
    assert isinstance(reply, Failed)
    assert kind is not None
    assert reply.tries == 1
    if kind.model:
        assert reply.failure.cause == "wrong_model"
    elif kind.fault:
        assert reply.failure.cause == CAUSES[kind.fault]
    else:
        assert (reply.failure.cause, reply.failure.status) == ("http", kind.status)
        assert kind.status in (400, 401, 404)
