from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import Project, load_project
from harness.errors import UsageError
from harness.targets.identity import identify, is_still
from tests.bots import DIGEST, Ollama, Rasa


def project(folder: Path, server: dict[str, Any], **target: Any) -> Project:
    path = folder / "harness.yaml"
    data = {
        "suites": ["s"],
        "servers": {"bot": {"engine": "http", **server}},
        "targets": {"live": {"server": "bot", **target}},
    }
    path.write_text(yaml.safe_dump(data))
    return load_project(path)


async def test_rasa_is_known_by_its_address_its_model_and_how_it_is_spoken_to(
    tmp_path: Path,
) -> None:
    async with Rasa() as bot:
        found = await identify(project(tmp_path, {"preset": "rasa", "url": bot.url}), "live")
    assert found.server == bot.url + "/webhooks/rest/webhook"
    assert (found.server_version, found.model, found.root) == ("rasa 3.6.20", "rasa", "f2b1c0")
    assert found.engine_args["turns"] == "replay"
    assert found.weights is None


async def test_a_model_of_ollama_is_known_by_its_digest(tmp_path: Path) -> None:
    async with Ollama() as bot:
        server = {"preset": "ollama", "url": bot.url}
        for name in ("llama3.2", "llama3.2:latest"):
            found = await identify(project(tmp_path, server, model=name), "live")
            assert (found.model, found.root) == (name, DIGEST)


async def test_a_model_that_ollama_does_not_have(tmp_path: Path) -> None:
    async with Ollama() as bot:
        given = project(tmp_path, {"preset": "ollama", "url": bot.url}, model="llama3.2:1b")
        with pytest.raises(
            UsageError, match=r"has no model `llama3.2:1b` - it lists `llama3.2:latest`"
        ):
            await identify(given, "live")


OWN = {"url": "http://h/talk", "request": {"q": {"$": "last_message"}}, "answer": "reply"}


@pytest.mark.parametrize(
    "change",
    [
        {"answer": "text"},
        {"request": {"p": {"$": "last_message"}}},
        {"request": {"q": {"$": "last_message"}, "id": {"$": "session"}}},
        {"headers": {"X-Bot": "two"}},
        {"stream": "sse"},
        {"url": "http://h/chat"},
    ],
)
async def test_another_way_of_speaking_is_another_identity(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    before = project(tmp_path, OWN)
    known = await identify(before, "live")
    after = project(tmp_path, {**OWN, **change})
    assert is_still(before, "live", known)
    assert not is_still(after, "live", known)
    assert await identify(after, "live") != known


async def test_how_turns_are_sent_is_part_of_the_identity(tmp_path: Path) -> None:
    server = {**OWN, "request": {"q": {"$": "last_message"}, "id": {"$": "session"}}}
    replayed = await identify(project(tmp_path, server), "live")
    whole = await identify(project(tmp_path, {**server, "turns": "history"}), "live")
    assert replayed != whole


async def test_a_variable_that_is_not_set_is_told_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BOT_KEY", raising=False)
    given = project(tmp_path, {**OWN, "headers": {"X-Key": {"env": "BOT_KEY"}}})
    with pytest.raises(UsageError, match="the environment variable BOT_KEY is not set"):
        await identify(given, "live")
