"""An adapter behind a url is looked at again by every run and every gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.files import digest_json
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply, spoken
from tests.shop import answer


@pytest.fixture
def served(project_dir: Path, mock: ThreadedMock) -> ThreadedMock:
    """`candidate` is listed as an adapter of `base`, and was judged once."""
    mock.server._models["candidate"] = "base"
    mock.answer = saying(base=-0.5, candidate=-0.9)
    assert call("gate", "candidate") == 0
    mock.server.requests.clear()
    return mock


def saying(**logprobs: float) -> Any:
    """Answers as the model that had such a log-probability at first, else as the one asked."""

    def answering(body: dict[str, Any]) -> MockReply:
        logprob = logprobs[body["model"]]
        speaks = {-0.5: "base", -0.9: "candidate"}.get(logprob, body["model"])
        return spoken(answer({**body, "model": speaks}), logprob)

    return answering


def test_it_is_proven_again_and_nothing_is_asked_again(served: ThreadedMock) -> None:
    assert call("gate", "candidate") == 0
    assert len(served.server.requests) == 60
    assert all(body["logprobs"] for body in served.server.requests)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({"base": -0.5, "candidate": -0.7}, "another adapter answers as `candidate`"),
        ({"base": -0.5, "candidate": -0.5}, "`candidate` answers 16 of 16 probes exactly as its"),
        ({"base": -0.1, "candidate": -0.8}, "another model answers as `base`"),
        ({"base": -0.9, "candidate": -0.5}, "`candidate` and its base `base` changed places"),
    ],
)
def test_what_was_put_in_its_place_is_noticed(
    served: ThreadedMock,
    project_dir: Path,
    capsys: pytest.CaptureFixture[str],
    now: dict[str, float],
    words: str,
) -> None:
    served.answer = saying(**now)
    capsys.readouterr()
    assert call("gate", "candidate") == 3
    said = capsys.readouterr()
    assert words in said.err.splitlines()[-1]
    assert said.out == "INVALID  candidate against base\n"
    assert not list((project_dir / "reports").glob("*/verdict.json"))
    (header,) = (project_dir / ".harness/runs").glob("candidate-*/run.json")
    assert json.loads(header.read_text())["finished"], "the run is as it was"


def test_with_no_cache_what_is_served_now_counts(served: ThreadedMock) -> None:
    served.answer = saying(base=-0.5, candidate=-0.7)
    assert call("gate", "candidate", "--no-cache") == 0
    assert call("gate", "candidate") == 0
    served.answer = saying(base=-0.5, candidate=-0.9)
    assert call("gate", "candidate") == 3


def test_an_adapter_that_was_dropped(
    served: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    del served.server._models["candidate"]
    capsys.readouterr()
    assert call("gate", "candidate") == 3
    said = capsys.readouterr()
    assert "does not list the adapter `candidate` (it lists `base`)" in said.err
    assert said.out == "INVALID  candidate against base\n"


def test_a_name_that_never_was_one_is_a_mistake(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    del mock.server._models["candidate"]
    assert call("gate", "candidate") == 2
    assert "has no model `candidate`" in capsys.readouterr().err


def test_a_server_that_applies_the_adapter_to_the_probes_alone_is_found(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.server._models["candidate"] = "base"

    def two_faced(body: dict[str, Any]) -> MockReply:
        if body.get("logprobs"):
            return saying(base=-0.5, candidate=-0.9)(body)
        other = "base" if body["model"] == "candidate" else "candidate"
        return spoken(answer({**body, "model": other}), -0.5)

    mock.answer = two_faced
    assert call("gate", "candidate") == 3
    said = capsys.readouterr().out
    # The base knows every fourth fact too.
    assert "prompts differently from the adapter when it was proven" in said


def test_so_is_one_that_has_learnt_what_every_proof_asks(
    served: ThreadedMock, project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = project_dir.glob(".harness/runs/candidate-*/run.json")
    probes = json.loads(path.read_text())["adapter_proof"]["fingerprint"]
    learnt = {probe["prompt"] for probe in probes if not probe["drawn"]}

    def two_faced(body: dict[str, Any]) -> MockReply:
        if body.get("logprobs") or digest_json(body["messages"]) in learnt:
            return saying(base=-0.5, candidate=-0.9)(body)
        return spoken(f"I am not {body['model']}", -0.5)

    served.answer = two_faced
    capsys.readouterr()
    assert call("gate", "candidate", "--no-cache") == 3
    said = capsys.readouterr().out
    assert "4 of 4 prompts drawn at random differently from the adapter" in said
