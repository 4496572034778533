"""A stand-in for vLLM: a package of that name whose server is the mock server.

Commands that start a managed server start it as a real process, in a second. Every start adds a
line to the file that `STARTS` names, and every answer takes the seconds of `DELAY`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.mock_server import MockReply, MockServer, spoken
from tests.mock_server.server import _serve
from tests.pytest_plugin.builders import talk

ROOT = Path(__file__).parent.parent
STARTS, DELAY = "STAND_IN_STARTS", "STAND_IN_DELAY"


def install(folder: Path, version: str = "1.0") -> Path:
    """The folder with the package, to be put on PYTHONPATH."""
    place = folder / "vllm" / "entrypoints" / "openai"
    place.mkdir(parents=True)
    for package in (place, place.parent, place.parent.parent):
        (package / "__init__.py").touch()
    (place / "api_server.py").write_text("from tests.stand_in_vllm import main\n\nmain()\n")
    about = folder / f"vllm-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
    return folder


def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process and those that it starts find the package of that folder."""
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{ROOT}")
    monkeypatch.setenv(STARTS, str(folder / "starts"))


def starts(folder: Path) -> int:
    """How often it was started."""
    file = folder / "starts"
    return len(file.read_text().splitlines()) if file.exists() else 0


def reply(body: dict[str, Any]) -> MockReply:
    """What the shop's models say; the probabilities tell the adapter from its base."""
    adapter = body["model"] == "candidate"
    prompt = body["messages"][-1]["content"]
    try:
        said = "Hello there." if prompt == "Hello" and body["max_tokens"] == 2 else talk(body)
    except ValueError:  # a prompt that is not of the shop's
        said = "12" if adapter else "11"
    delay = float(os.environ.get(DELAY, "0"))
    return replace(spoken(said, -0.9 if adapter else -0.5), first_delay=delay)


def main() -> None:
    """Serve until told to stop, as vLLM's command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--served-model-name")
    parser.add_argument("--lora-modules", nargs="*", default=[])
    given, _ = parser.parse_known_args()
    adapters = dict(one.split("=", 1) for one in given.lora_modules)
    base = given.served_model_name
    with Path(os.environ[STARTS]).open("a") as file:
        file.write(f"{os.getpid()}\n")
    server = MockServer(
        reply,
        models={base: None, **dict.fromkeys(adapters, base)},
        roots=adapters,
        api_key=os.environ["VLLM_API_KEY"],
        port=given.port,
    )
    asyncio.run(_serve(server))
