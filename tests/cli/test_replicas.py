"""A target on several servers, as a user runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.shop import answer


@pytest.fixture
def second(project_dir: Path, mock: ThreadedMock) -> Iterator[ThreadedMock]:
    running = ThreadedMock()
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace(mock.url, f"[{mock.url}, {running.url}]"))
    yield running
    running.stop()


def cases_of(server: ThreadedMock) -> list[str]:
    """What was asked but for the probes."""
    bodies = [body for body in server.server.requests if body["max_tokens"] != 8]
    return [body["messages"][-1]["content"] for body in bodies]


def test_both_are_asked_and_nothing_twice(
    project_dir: Path, mock: ThreadedMock, second: ThreadedMock
) -> None:
    assert call("gate", "candidate") == 0
    asked = cases_of(mock) + cases_of(second)
    assert len(asked) == 160
    assert min(len(cases_of(mock)), len(cases_of(second))) > 50
    path = project_dir / "harness.yaml"
    turned = f"[{second.url}, {mock.url}]"
    path.write_text(path.read_text().replace(f"[{mock.url}, {second.url}]", turned))
    assert call("gate", "candidate") == 0
    assert len(cases_of(mock) + cases_of(second)) == 160


def test_another_model_on_one_of_them_is_said_before_a_case_is_asked(
    project_dir: Path,
    mock: ThreadedMock,
    second: ThreadedMock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    second.answer = lambda body: "another model says this"
    assert call("run", "base") == 3
    said = capsys.readouterr().err
    assert f"error: {second.url}: is no replica of {mock.url}: it answers 8 of 8 probes" in said
    assert cases_of(mock) == cases_of(second) == []
    assert not list((project_dir / ".harness/runs").glob("*/attempts.jsonl"))


def test_an_adapter_that_one_of_them_does_not_apply_is_invalid(
    project_dir: Path,
    mock: ThreadedMock,
    second: ThreadedMock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def tuned(body: dict[str, Any]) -> MockReply:
        shift = -0.1 if body["model"] == "candidate" else 0.0
        return MockReply(answer(body), logprobs=(("a", -0.5 + shift),))

    mock.server._models["candidate"] = "base"
    mock.answer = second.answer = tuned
    assert call("run", "candidate") == 3
    assert f"{second.url}: is no replica" in capsys.readouterr().err
    second.server._models["candidate"] = "base"
    second.answer = lambda body: MockReply(answer(body), logprobs=(("a", -0.6),))
    assert call("run", "candidate") == 3
    said = capsys.readouterr().err
    assert f"{second.url}: `candidate` answers 16 of 16 probes exactly as its base does" in said
    second.answer = tuned
    assert call("run", "candidate") == 0


def test_one_that_breaks_while_cases_are_asked_is_told_once(
    project_dir: Path,
    mock: ThreadedMock,
    second: ThreadedMock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(body: dict[str, Any]) -> MockReply | str:
        probe = body["max_tokens"] == 8
        return answer(body) if probe else MockReply("out of memory", status=500)

    second.answer = broken
    call("run", "base")
    said = capsys.readouterr().err
    assert said.count(f"{second.url}: set aside until it answers again: ") == 1


def test_one_that_is_away_is_left_out_and_said(
    project_dir: Path,
    mock: ThreadedMock,
    second: ThreadedMock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace(second.url, "http://127.0.0.1:9/v1"))
    assert call("run", "base") == 0
    assert "http://127.0.0.1:9/v1 is left out, 1 remain: " in capsys.readouterr().err
    assert (len(cases_of(mock)), cases_of(second)) == (80, [])
