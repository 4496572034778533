"""A dialect that no line of the package knows: one class, and a whole run and gate through it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from harness.client import dialects
from harness.client.dialect import Access, BadAnswer, Dialect, Ending, Event
from harness.client.protocol import ChatRequest
from harness.client.transport.route import Route
from tests.cli.builders import call
from tests.conftest import ThreadedMock


class TextCompletions(Dialect):
    """The mock server under other words: no usage, no seed, one message."""

    name = "test-text"

    def __init__(self, url: str, access: Access) -> None:
        super().__init__(Route(url), access)

    def build(self, request: ChatRequest) -> tuple[str, bytes]:
        last = {"role": "user", "content": request.messages[-1].content}
        body = {"model": request.model, "messages": [last], "stream": True}
        return "/v1/chat/completions", json.dumps(body).encode()

    def parse(self, data: bytes, request: ChatRequest) -> Event:
        (choice,) = json.loads(data)["choices"] or [{"delta": {}}]
        return Event(choice["delta"].get("content"), finish_reason=choice.get("finish_reason"))

    def check_ending(self, ending: Ending) -> None:
        if not ending.ended:
            raise BadAnswer("reset", "cut off")


def test_a_dialect_from_elsewhere_runs_and_is_gated(
    project_dir: Path, mock: ThreadedMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered = dialects.registry()
    monkeypatch.setattr(registered, "_loaded", dict(registered._loaded))
    registered.register(TextCompletions)
    file = project_dir / "harness.yaml"
    config = yaml.safe_load(file.read_text())
    config["servers"]["main"]["dialect"] = "test-text"
    file.write_text(yaml.safe_dump(config))
    for target in ("base", "candidate"):
        assert call("run", target) == 0
    assert all(set(body) == {"model", "messages", "stream"} for body in mock.server.requests)
    assert call("gate", "candidate", "--stored") == 0


def test_a_dialect_that_is_not_there_is_one_line(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = project_dir / "harness.yaml"
    config = yaml.safe_load(file.read_text())
    config["servers"]["main"]["dialect"] = "opnai"
    file.write_text(yaml.safe_dump(config))
    assert call("run", "base") == 2
    assert "no dialect `opnai`; there is `http`, `openai`" in capsys.readouterr().err
