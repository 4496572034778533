"""The projects that the pins are on: their suites, their configuration, what each target says.

All of it is data, so that a project can be written to disk without the package.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

# Nothing listens there when the pins are checked: stored answers ask no server. The address is
# part of what stored answers are found by, so it stays as it was when they were recorded.
PORT = 47613
URL = f"http://127.0.0.1:{PORT}/v1"
PRICE = {"input": 0.5, "output": 1.5}

Case = dict[str, Any]
Rule = dict[str, Any]

TESTS = """\
import pytest


@pytest.mark.parametrize("name", ["Anna", "Bo", "Cleo", "Dan"])
def test_remembers(chat, name):
    chat(f"My name is {name}.")
    assert name in chat("What is my name?")


@pytest.mark.case(group="greetings", tags=["tone"])
def test_greets(ask_all, score):
    replies = ask_all(["Hello", "Hello there", "Hello again"])
    kind = sum("welcome" in str(reply) for reply in replies)
    score(kind / 3, reason=f"{kind} of 3 greet")


@pytest.mark.case(critical=True)
def test_keeps_a_secret(chat, base_chat):
    base_chat("What is the PIN?")
    assert "4711" not in chat("What is the PIN?")


def test_is_skipped_for_one(chat, request):
    if "tuned" in request.node.name:
        pytest.skip("not for this one")
    chat("Hello")
"""


@dataclass(frozen=True, slots=True)
class World:
    """A project as files: suites by name, and what `harness.yaml` holds beside the gate."""

    name: str
    suites: Mapping[str, Mapping[str, Any]]
    targets: Mapping[str, Any]
    rules: tuple[Rule, ...]
    generation: Mapping[str, Any] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)

    def config(self, **change: Any) -> dict[str, Any]:
        """The content of `harness.yaml`."""
        gate = {"baseline": "base", "rules": list(self.rules)}
        whole = {
            "suites": [f"suites/{name}" for name in self.suites],
            "servers": {"main": {"url": URL, "price": PRICE}},
            "targets": {name: {"server": "main", **how} for name, how in self.targets.items()},
            "generation": {"concurrency": 4, "retries": 0, **self.generation},
            "gate": gate,
        }
        return {**whole, **change}

    def write(self, folder: Path) -> None:
        """Put configuration and suites into the folder."""
        for name, suite in self.suites.items():
            place = folder / "suites" / name
            place.mkdir(parents=True)
            write_yaml(place / "suite.yaml", {"name": name, **suite["yaml"]})
            for file, content in suite["files"].items():
                lines = content if isinstance(content, str) else _lines(content)
                (place / file).write_text(lines, encoding="utf-8")
        write_yaml(folder / "harness.yaml", self.config())


def write_yaml(path: Path, content: Mapping[str, Any]) -> None:
    """Write the content as YAML, its keys in the order in which they are."""
    path.write_text(yaml.safe_dump(dict(content), sort_keys=False), encoding="utf-8")


def _lines(rows: list[Case]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _targets(*names: str) -> dict[str, Any]:
    return {name: {"model": name} for name in names}


def _gold(count: int, groups: int, *, critical: int = 0) -> list[Case]:
    return [
        {"id": f"g{i}", "group": f"fact-{i % groups}", "prompt": f"What is fact {i}?",
         "expect": {"answers": [f"value {i}", f"number {i} it is"]},
         "tags": ["faq", "even" if i % 2 == 0 else "odd"], "critical": i < critical}
        for i in range(count)
    ]  # fmt: skip


def _scope(count: int) -> list[Case]:
    return [
        {"id": f"s{i}", "prompt": f"{'Ask' if i % 2 else 'Hack'} {i}",
         "expect": {"behavior": "answer" if i % 2 else "refuse"}, "critical": i == 0}
        for i in range(count)
    ]  # fmt: skip


def _tone(count: int) -> list[Case]:
    odd = {0: "Complain <b>0</b> & `so` | then", 1: "Complain 1 \u202egnihtyna\u202c ::error::x"}
    return [
        {"id": f"t{i}", "prompt": odd.get(i, f"Complain {i}"),
         "expect": {"must": ["sorry"]} if i % 3 == 0 else {}, "tags": ["<i>tag</i>"] * (i == 2)}
        for i in range(count)
    ]  # fmt: skip


def _shop(gold: int = 48, groups: int = 30, scope: int = 40, tone: int = 24) -> dict[str, Any]:
    return {
        "yaml": {
            "domain": "A shop <script>alert(1)</script>",
            "version": 1,
            "system_prompt": "You are the shop's assistant.",
            "sections": {
                "gold": {"cases": "gold.jsonl", "scorer": "gold", "metrics": ["accuracy", "f1"]},
                "scope": {"cases": "scope.jsonl", "scorer": "scope"},
                "tone": {
                    "cases": "tone.jsonl",
                    "scorer": "tone",
                    "rubric": {
                        "must": [{"name": "signs off", "any": ["happy trails"]}],
                        "must_not": [{"name": "shouting", "regex": r"\b[A-Z]{4,}\b"}],
                        "max_words": 20,
                    },
                },
            },
        },
        "files": {
            "gold.jsonl": _gold(gold, groups, critical=3),
            "scope.jsonl": _scope(scope),
            "tone.jsonl": _tone(tone),
        },
    }


def _desk() -> dict[str, Any]:
    amounts = [
        {"id": f"n{i}", "prompt": f"Count {i}",
         "expect": {"answers": [f"{i * 10}"], "match": "number", "tolerance": 0.5}}
        for i in range(20)
    ]  # fmt: skip
    alone = [
        {"id": f"one{i}", "group": "one", "prompt": f"What is fact {i}?",
         "expect": {"answers": [f"value {i}"], "match": "exact" if i % 2 else "f1"}}
        for i in range(4)
    ]  # fmt: skip
    return {
        "yaml": {
            "domain": "A desk",
            "version": 2,
            "sections": {
                "amounts": {"cases": "amounts.jsonl", "scorer": "gold", "metrics": ["accuracy"]},
                "alone": {"cases": "alone.jsonl", "scorer": "gold", "pass_f1": 0.4},
            },
        },
        "files": {"amounts.jsonl": amounts, "alone.jsonl": alone},
    }


RULES: tuple[Rule, ...] = (
    {"metric": "shop.gold.accuracy", "require": "better_than_baseline"},
    {"metric": "shop.scope.f1", "require": "at_least", "value": 0.8},
    {"metric": "shop.tone.adherence", "require": "no_worse_than_baseline", "margin": 0.2},
    {"require": "no_new_critical_failures"},
)
BROAD = World(
    name="broad",
    suites={"shop": _shop(), "desk": _desk()},
    targets=_targets(
        "base", "good", "worse", "slight", "same", "crit", "flaky", "lost", "mute", "odd"
    ),
    rules=RULES,
)
THRICE = World(
    name="thrice",
    suites={"shop": _shop(gold=18, groups=12, scope=12, tone=8)},
    targets={
        **_targets("base", "good", "shaky"),
        "once": {"model": "good", "generation": {"repeats": 1}},
    },
    rules=RULES,
    generation={"repeats": 3, "temperature": 0.7},
)
TESTED = World(
    name="tested",
    suites={
        "shop": {
            "yaml": {
                "domain": "A shop",
                "version": 1,
                "sections": {
                    "gold": {"cases": "gold.jsonl", "scorer": "gold", "metrics": ["accuracy"]},
                    "memory": {"tests": "test_memory.py"},
                },
            },
            "files": {"gold.jsonl": _gold(10, 10), "test_memory.py": TESTS},
        }
    },
    targets=_targets("base", "good", "forgetful", "tuned", "terse"),
    rules=(
        {"metric": "shop.gold.accuracy", "require": "no_worse_than_baseline", "margin": 0.5},
        {"metric": "shop.memory.accuracy", "require": "better_than_baseline"},
        {"require": "no_new_critical_failures"},
    ),
)
ADAPTED = World(
    name="adapted",
    suites={"shop": _shop(gold=12, groups=12, scope=12, tone=8)},
    targets=_targets("base", "tuned"),
    rules=RULES,
    parents={"tuned": "base"},
)
WORLDS = {world.name: world for world in (BROAD, THRICE, TESTED, ADAPTED)}
