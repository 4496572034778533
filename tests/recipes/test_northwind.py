"""The demo's data and suite come from one table, and never overlap."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    "recipes/data/chat.jsonl",
    "recipes/data/facts.jsonl",
    "recipes/data/refusals.jsonl",
    "recipes/data/rehearsal.jsonl",
    "recipes/data/tone.jsonl",
    "suites/support/general.jsonl",
    "suites/support/gold.jsonl",
    "suites/support/scope.jsonl",
    "suites/support/tone.jsonl",
]


@pytest.fixture(scope="module")
def northwind() -> Iterator[ModuleType]:
    path = list(sys.path)
    spec = importlib.util.spec_from_file_location("northwind", ROOT / "recipes" / "northwind.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path[:] = path


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in (ROOT / name).read_text(encoding="utf-8").splitlines()]


def test_the_generator_gives_the_committed_files_byte_for_byte(
    northwind: ModuleType, tmp_path: Path
) -> None:
    northwind.main(tmp_path)
    made = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())
    assert made == FILES
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes(), name


def test_no_prompt_of_the_suite_is_trained_on() -> None:
    def bare(text: str) -> str:
        return "".join(letter for letter in text.lower() if letter.isalnum())

    trained = {
        bare(message["content"])
        for name in FILES[:5]
        for line in lines(name)
        for message in line["messages"]
        if message["role"] == "user"
    }
    asked = {bare(line["prompt"]) for name in FILES[5:] for line in lines(name)}
    assert len(trained) > 2000
    assert not trained & asked


def test_no_entity_of_the_general_cases_is_in_the_rehearsal() -> None:
    trained = " ".join(json.dumps(line) for line in lines("recipes/data/rehearsal.jsonl"))
    known = set(trained.replace("?", " ").replace(".", " ").split())
    for case in lines("suites/support/general.jsonl"):
        note = case["prompt"].removeprefix("Note: ")
        entities = {part.split(" is ")[0] for part in note.split(" of ")[1:]}
        entity = sorted(entities)[0].rstrip("?.")
        assert entity not in known, entity


def test_a_leak_is_caught(northwind: ModuleType) -> None:
    files = {
        "recipes/data/x.jsonl": [northwind.training("g", "Is it OPEN?", "Yes.")],
        "suites/support/y.jsonl": [northwind.case("a", "a", "is it open", {}, [])],
    }
    with pytest.raises(ValueError, match="also in the training data"):
        northwind.check_leaks(files)


def test_the_suite_is_large_enough_to_decide() -> None:
    sizes = {
        name.split("/")[-1]: (len(found), len({line["group"] for line in found}))
        for name in FILES[5:]
        for found in [lines(name)]
    }
    for name, cases, groups in [
        ("gold.jsonl", 120, 40),
        ("scope.jsonl", 100, 90),
        ("tone.jsonl", 70, 70),
        ("general.jsonl", 150, 150),
    ]:
        assert sizes[name][0] >= cases
        assert sizes[name][1] >= groups
