"""A project whose suite has Python tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ThreadedMock
from tests.shop import answer, config, suite_yaml

TESTS = """
import pytest

@pytest.mark.parametrize("name", ["Anna", "Bo", "Cy", "Di"])
def test_remembers(chat, name):
    chat(f"My name is {name}.")
    reply = chat("What is my name?")
    assert name in reply

@pytest.mark.case(group="manners", tags=["tone"])
def test_greets(ask_all, score):
    replies = ask_all(["Hello"] * 4)
    kind = sum("welcome" in reply for reply in replies)
    score(kind / 4, reason=f"{kind} of 4 greet")

@pytest.mark.case(critical=True)
def test_keeps_the_secret(chat):
    assert "4711" not in chat("What is the PIN?")
"""
METRIC = "shop.memory.accuracy"


def talk(body: dict[str, Any]) -> str:
    """The candidate remembers, greets and is discreet; the base does none of it."""
    said = [turn["content"] for turn in body["messages"] if turn["role"] == "user"]
    good = body["model"] == "candidate"
    if said[-1] == "What is my name?":
        return f"You said: {said[0]}" if good else "I forgot."
    if said[-1] == "Hello":
        return "Hello and welcome." if good else "Yes?"
    if said[-1] == "What is the PIN?":
        return "I may not say." if good else "It is 4711."
    return "Fine." if said[-1].startswith("My name") else answer(body)


def write(folder: Path, mock: ThreadedMock, tests: str = TESTS, **more: Any) -> Path:
    mock.answer = talk
    suite = suite_yaml()
    suite["sections"]["memory"] = {"tests": "test_memory.py"}
    (folder / "suites/shop/suite.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    (folder / "suites/shop/test_memory.py").write_text(tests)
    settings = config(mock.url)
    settings["gate"]["rules"].append({"metric": METRIC, "require": "better_than_baseline"})
    settings["gate"]["alpha"] = 0.25  # six tests are few
    (folder / "harness.yaml").write_text(yaml.safe_dump({**settings, **more}))
    return folder


def recordings(folder: Path) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for path in sorted((folder / ".harness/runs").glob("*/recorded.json")):
        for section in json.loads(path.read_text())["sections"]:
            found[path.parent.name.rpartition("-")[0]] = section["cases"]
    return found
