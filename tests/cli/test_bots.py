"""Whole runs and verdicts on chatbots that are not OpenAI-compatible, by the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from tests.bots import AGENT, Dialogflow, InThread, Ollama, Rasa
from tests.shop import answer, config, write_project

SECRET = "hush-hush-very-secret"
KEY = {"Authorization": {"env": "BOT_KEY", "prefix": "Bearer "}}


def speaking_as(name: str) -> Any:
    def say(turns: list[str]) -> str:
        return answer({"model": name, "messages": [{"content": turns[-1]}]})

    return say


@pytest.fixture
def rasa() -> Iterator[Rasa]:
    running = InThread(Rasa(speaking_as("base")))
    yield running.bot  # type: ignore[misc]
    running.stop()


@pytest.fixture
def dialogflow() -> Iterator[Dialogflow]:
    running = InThread(Dialogflow(speaking_as("candidate")))
    yield running.bot  # type: ignore[misc]
    running.stop()


@pytest.fixture
def shop(tmp_path: Path, rasa: Rasa, dialogflow: Dialogflow) -> Path:
    """A project whose base is a Rasa bot, and whose candidate is one of Dialogflow CX."""
    rasa.key = dialogflow.key = f"Bearer {SECRET}"
    write_project(tmp_path, "http://127.0.0.1:1")
    data = config("http://127.0.0.1:1")
    data["servers"] = {
        "old": {"engine": "http", "preset": "rasa", "url": rasa.url, "headers": KEY},
        "new": {
            "engine": "http",
            "preset": "dialogflow-cx",
            "url": dialogflow.url + AGENT,
            "headers": KEY,
        },
    }
    data["targets"] = {"base": {"server": "old"}, "candidate": {"server": "new"}}
    data["gate"]["compare_across"] = ["request"]
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump(data))
    return tmp_path


def harness(
    folder: Path, *arguments: str, key: str | None = SECRET
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "BOT_KEY"}
    if key is not None:
        environment["BOT_KEY"] = key
    return subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def written(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_bot_is_gated_against_another(shop: Path, rasa: Rasa, dialogflow: Dialogflow) -> None:
    done = harness(shop, "gate", "candidate")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("PROMOTE  candidate against base\n  all 4 rules pass\n")
    report = (shop / "reports/candidate-vs-base/report.html").read_text()
    assert "dialogflow-cx" in report
    assert "--preset" not in report
    assert (len(rasa.requests), len(dialogflow.requests)) == (80, 80)
    assert [len(turns) for turns in rasa.sessions.values()] == [1] * 80
    assert [len(turns) for turns in dialogflow.sessions.values()] == [1] * 80
    for text in (done.stdout, done.stderr):
        assert SECRET not in text
    files = written(shop)
    assert {path.name for path in files} > {"run.json", "attempts.jsonl", "report.html"}
    assert [str(path) for path, data in files.items() if SECRET.encode() in data] == []


def test_a_run_is_not_asked_again_unless_the_bot_was_trained_anew(shop: Path, rasa: Rasa) -> None:
    for asked in (80, 80):
        assert harness(shop, "run", "base").returncode == 0
        assert len(rasa.requests) == asked
    rasa.model_id = "another"
    assert harness(shop, "run", "base").returncode == 0
    assert len(rasa.requests) == 160


def test_a_bot_that_repeats_the_secret_gets_it_into_no_file(shop: Path, rasa: Rasa) -> None:
    def echo(number: int) -> web.Response | None:
        text = f"Your header was Bearer {SECRET}."
        if number % 2:
            return web.Response(status=400, text=text)
        return web.json_response([{"recipient_id": "x", "text": text}])

    rasa.intercept = echo
    done = harness(shop, "run", "base")
    assert SECRET not in done.stdout + done.stderr
    attempts = next((shop / ".harness/runs").glob("base-*")) / "attempts.jsonl"
    causes = [json.loads(line)["failure"]["cause"] for line in attempts.read_text().splitlines()]
    assert sorted(causes) == ["http"] * 40 + ["protocol"] * 40
    assert [path for path, data in written(shop).items() if SECRET.encode() in data] == []


def test_no_time_to_first_token_is_made_up(shop: Path) -> None:
    assert harness(shop, "run", "base").returncode == 0
    attempts = next((shop / ".harness/runs").glob("base-*")) / "attempts.jsonl"
    timings = [json.loads(line)["timing"] for line in attempts.read_text().splitlines()]
    assert len(timings) == 80
    assert all(not timing.get("chunks") and timing["done"] > 0 for timing in timings)


def test_a_missing_variable_is_one_line_and_exit_2(shop: Path, rasa: Rasa) -> None:
    done = harness(shop, "run", "base", key=None)
    assert done.returncode == 2
    assert done.stderr.strip().endswith(
        "harness.yaml: servers.old.headers.Authorization: the environment variable BOT_KEY is not "
        "set - it must hold the header's value"
    )
    assert rasa.requests == []


def test_a_refused_key_stops_the_run(shop: Path, dialogflow: Dialogflow) -> None:
    done = harness(shop, "run", "candidate", key="another-key")
    assert done.returncode == 3
    assert "the server refuses the key: HTTP 401: Invalid credentials" in done.stderr
    assert len(dialogflow.requests) <= 16


def test_a_mistake_in_the_configuration_is_one_line_and_exit_2(shop: Path) -> None:
    path = shop / "harness.yaml"
    path.write_text(path.read_text().replace("preset: rasa", "preset: raza"))
    done = harness(shop, "validate")
    assert done.returncode == 2
    assert "servers.old.preset: must be `rasa`" in done.stderr


def test_ollama_streams_through_the_command(tmp_path: Path) -> None:
    def say(turns: list[str]) -> list[str]:
        return list(speaking_as("candidate")(turns))

    running = InThread(Ollama(say))
    write_project(tmp_path, "http://127.0.0.1:1")
    data = config("http://127.0.0.1:1")
    data["servers"] = {"main": {"engine": "http", "preset": "ollama", "url": running.bot.url}}
    for target in data["targets"].values():
        target["model"] = "llama3.2"
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump(data))
    done = harness(tmp_path, "run", "base")
    running.stop()
    assert done.returncode == 0, done.stderr
    attempts = next((tmp_path / ".harness/runs").glob("base-*")) / "attempts.jsonl"
    for line in attempts.read_text().splitlines():
        attempt = json.loads(line)
        assert len(attempt["timing"]["chunks"]) == len(attempt["text"])
        assert attempt["usage"] == {"prompt_tokens": 7, "completion_tokens": len(attempt["text"])}
