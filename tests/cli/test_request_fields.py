"""What a configuration says of requests reaches the server, keys the answers and is stated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.storage import runs_of
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.records.test_request_fields import SET
from tests.shop import answer


def edit(project_dir: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = project_dir / "harness.yaml"
    data = yaml.safe_load(path.read_text())
    change(data)
    path.write_text(yaml.safe_dump(data))


def test_every_field_reaches_the_server_and_keys_the_answers(
    project_dir: Path, mock: ThreadedMock
) -> None:
    edit(project_dir, lambda data: data["targets"]["base"].update(generation=SET))
    assert call("run", "base", "--limit", "1") == 0
    for body in mock.server.requests:
        fields = {name: value for name, value in SET.items() if name != "extra_body"}
        assert body | fields | SET["extra_body"] | {"stop": ["END"]} == body
    asked = len(mock.server.requests)
    assert call("run", "base", "--limit", "1") == 0
    assert len(mock.server.requests) == asked
    edit(project_dir, lambda data: data["targets"]["base"]["generation"].update(top_k=21))
    assert call("run", "base", "--limit", "1") == 0
    assert [body["top_k"] for body in mock.server.requests[asked:]] == [21] * asked


def test_what_is_omitted_is_not_sent_and_stated(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    form = {
        "omit": ["seed", "stream_options", "temperature"],
        "max_tokens_as": "max_completion_tokens",
        "system_as": "user",
    }
    edit(project_dir, lambda data: data["servers"]["main"].update(request=form))
    assert call("run", "base", "--limit", "1", "--repeats", "2") == 0
    said = capsys.readouterr()
    assert "base: its requests leave out `seed`, `stream_options`, `temperature`" in said.err
    assert "base: without `seed` chance is the server's" in said.err
    for body in mock.server.requests:
        assert set(body) == {"model", "messages", "top_p", "max_completion_tokens", "stream"}
        (turn,) = body["messages"]
        assert turn["content"].startswith("You are the shop's assistant.\n\n")
    _, header = runs_of(project_dir / ".harness/runs", "base")[0]
    assert header.identity.request.model_dump(mode="json") == form
    assert header.temperature is None
    asked = len(mock.server.requests)
    edit(project_dir, lambda data: data["servers"]["main"].pop("request"))
    assert call("run", "base", "--limit", "1", "--repeats", "2") == 0
    assert len(mock.server.requests) == 2 * asked


def test_a_gate_states_what_both_sides_are_not_sent(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    form = {"omit": ["seed", "temperature"]}
    edit(project_dir, lambda data: data["servers"]["main"].update(request=form))
    assert call("gate", "candidate", "--json") == 0
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    said = {one["place"]: one["what"] for one in warnings if one["code"] == "fields-left-out"}
    assert set(said) == {"candidate", "baseline"}
    assert "leave out `seed`, `temperature`" in said["candidate"]
    report = (project_dir / "reports/candidate-vs-base/report.html").read_text()
    assert "request: {omit: [seed, temperature]}" in report


def test_a_bot_without_a_place_for_a_field_is_refused(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    bot = {"engine": "http", "url": mock.url, "answer": "a", "request": {"q": {"$": "messages"}}}
    edit(project_dir, lambda data: data["servers"].update(bot=bot))
    edit(project_dir, lambda data: data["targets"].update(bot={"server": "bot"}))
    edit(project_dir, lambda data: data["generation"].update(top_k=4))
    assert call("validate") == 2
    assert "targets.bot.generation.top_k: `bot` has no placeholder" in capsys.readouterr().err


def refusing(body: dict[str, Any]) -> str | MockReply:
    """A server of models that reason: it takes no seed, and `max_tokens` under another name."""
    if "max_tokens" in body:
        said = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        return MockReply(said, status=400)
    return MockReply("Unknown parameter: 'seed'.", status=400) if "seed" in body else answer(body)


def test_a_refused_field_stops_the_run_and_names_the_line_that_helps(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = refusing
    lines = []
    for _ in range(2):
        assert call("run", "base", "--limit", "1") == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert "the server refuses what every request holds: HTTP 400: " in said
        (line,) = re.findall(r" - under servers\.main write `(request: \{.*\})`$", said)
        lines.append(line)
        written = yaml.safe_load(line)
        edit(project_dir, lambda data, new=written: data["servers"]["main"].update(new))
    assert lines == [
        "request: {max_tokens_as: max_completion_tokens}",
        "request: {omit: [seed], max_tokens_as: max_completion_tokens}",
    ]
    assert call("gate", "candidate") == 0


def test_the_proof_of_an_adapter_names_it_too(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.server._models["candidate"] = "base"
    mock.answer = refusing
    assert call("run", "candidate", "--limit", "1") == 2
    said = capsys.readouterr().err
    assert "under servers.main write `request: {max_tokens_as: max_completion_tokens}`" in said


def test_one_conversation_that_is_refused_stops_nothing(
    project_dir: Path, mock: ThreadedMock
) -> None:
    def long(body: dict[str, Any]) -> str | MockReply:
        if body["messages"][-1]["content"] == "What is fact 0?":
            return MockReply("max_tokens is too large: this model takes 100", status=400)
        return answer(body)

    mock.answer = long
    assert call("run", "base", "--limit", "2") == 0
    assert len(mock.server.requests) == 4
