"""The scripted client keeps the contract of the real one."""

import pytest

from harness.client.protocol import Answer, ChatClient, ChatRequest, Failed
from harness.records.attempt import Failure
from tests.manual_clock import ManualClock
from tests.scripted_client import Line, ScriptedClient


async def test_lines_in_order_with_exact_times(request_hi: ChatRequest) -> None:
    clock = ManualClock(5.0)
    client: ChatClient = ScriptedClient(["one", Line("a b c", first=0.5, gap=0.25)], clock=clock)
    first = await client.ask(request_hi)
    assert isinstance(first, Answer)
    assert (first.text, first.model, first.finish_reason) == ("one", "mock", "stop")
    second = await client.ask(request_hi, intended=4.0)
    assert isinstance(second, Answer)
    assert second.timing.sent == 1.0
    assert second.timing.chunks == (1.5, 1.75, 2.0)
    assert second.first_tokens == 1
    with pytest.raises(LookupError, match="hi"):
        await client.ask(request_hi)


async def test_a_function_and_a_failure(request_hi: ChatRequest) -> None:
    bad = Failure(cause="http", detail="no", status=400)
    client = ScriptedClient(lambda request: bad, clock=ManualClock())
    reply = await client.ask(request_hi)
    assert isinstance(reply, Failed)
    assert reply.failure == bad
    assert client.requests == [request_hi]
