"""A request, and settings under which a test waits for nothing."""

from typing import Any

import pytest

from harness.client.protocol import ChatRequest
from harness.records.suite import Message
from harness.records.target import Generation


def ask_for(text: str = "hi", model: str = "mock", **more: Any) -> ChatRequest:
    return ChatRequest(model, (Message(role="user", content=text),), max_tokens=16, **more)


@pytest.fixture
def request_hi() -> ChatRequest:
    return ask_for()


@pytest.fixture
def generation() -> Generation:
    return Generation(connect_timeout=5.0, chunk_timeout=20.0, case_timeout=60.0, concurrency=8)
