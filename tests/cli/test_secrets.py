"""A server that says the API key back, wherever it can: nothing that is written holds it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.shop import answer

KEY = "sk-live-0123456789abcdef"


@pytest.mark.parametrize(
    "form", [KEY, json.dumps(json.dumps(KEY)), base64.b64encode(f"Bearer {KEY}".encode()).decode()]
)
def test_no_file_and_no_line_holds_the_key(
    project_dir: Path,
    mock: ThreadedMock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    form: str,
) -> None:
    monkeypatch.setenv("SHOP_KEY", KEY)
    path = project_dir / "harness.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["servers"]["main"]["api_key_env"] = "SHOP_KEY"
    path.write_text(yaml.safe_dump(settings))
    mock.answer = lambda body: said_back(body, form)
    monkeypatch.setattr(mock.server, "_version", lambda _: version(form))
    assert call("gate", "candidate", "--output-dir", "out") == 3
    told = capsys.readouterr()
    written = [file for file in project_dir.rglob("*") if file.is_file()]
    assert {"run.json", "attempts.jsonl", "report.html", "junit.xml", "verdict.json"} <= {
        file.name for file in written
    }
    texts = [told.out, told.err, *(file.read_text() for file in written)]
    for text in texts:
        assert KEY not in text
        assert form not in text
        assert KEY[:12] not in text


def test_a_key_that_is_a_plain_word_fails_no_honest_answer_and_is_warned_of(
    project_dir: Path,
    mock: ThreadedMock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SHOP_KEY", "not value")
    path = project_dir / "harness.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["servers"]["main"]["api_key_env"] = "SHOP_KEY"
    path.write_text(yaml.safe_dump(settings))
    mock.answer = lambda body: f"{answer(body)} It is not value for money."
    assert call("run", "candidate") == 0
    told = capsys.readouterr()
    assert "80 scored, 0 unscored, 0 failed" in told.out
    assert (
        told.err.count(
            "candidate: the key in `Authorization` is too short or too plain to be looked for in "
            "answers: where the server says it back, it is kept and shown"
        )
        == 1
    )


def said_back(body: dict[str, Any], form: str) -> str | MockReply:
    prompt = body["messages"][-1]["content"]
    number = int(prompt.strip("?").split()[-1])
    ways: tuple[str | MockReply, ...] = (
        answer(body),
        f"It is {form}.",
        MockReply(f"no: {form}", status=400),
        MockReply("x", reasoning=f"the key is {form}"),
        MockReply("x", finish_reason=form),
        MockReply("x", model=form),
        MockReply(" ".join(form)),
    )
    return ways[number % len(ways)]


async def version(form: str) -> web.Response:
    return web.json_response({"version": f"1 {form}"})
