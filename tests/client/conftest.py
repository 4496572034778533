"""A request, and settings under which a test waits for nothing."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import uvloop

from harness.client.protocol import ChatRequest
from harness.records.suite import Message
from harness.records.target import Generation

# The event loops differ in how they report broken connections, TLS and ends.
ON_BOTH_LOOPS = ("test_connect", "test_connection", "test_pool", "test_exchange")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.path.stem in ON_BOTH_LOOPS:
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


def ask_for(text: str = "hi", model: str = "mock", **more: Any) -> ChatRequest:
    return ChatRequest(model, (Message(role="user", content=text),), max_tokens=16, **more)


@pytest.fixture
def request_hi() -> ChatRequest:
    return ask_for()


@pytest.fixture
def generation() -> Generation:
    return Generation(connect_timeout=5.0, chunk_timeout=20.0, case_timeout=60.0, concurrency=8)
