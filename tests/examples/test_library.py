"""The example of a real model: its data come from its table; suite, policy, recipes are valid."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from harness.config import load_project
from harness.gate.judge import check_policy
from harness.sections.section_kinds import load_suites
from harness.training import load_recipe
from harness.training.data_files import read_data

ROOT = Path(__file__).parent.parent.parent
LIBRARY = ROOT / "examples/library"


# Written by hand.
CHATS = {Path("recipes/data/chats.jsonl"), Path("suites/general/chats.jsonl")}


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, LIBRARY / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def make_data() -> ModuleType:
    return script("make_data")


def test_the_committed_files_are_what_the_tables_give(
    make_data: ModuleType, tmp_path: Path
) -> None:
    make_data.main(tmp_path)
    script("make_abilities").main(tmp_path)
    made = {path.relative_to(tmp_path) for path in tmp_path.rglob("*.jsonl")}
    kept = [*LIBRARY.glob("recipes/data/*.jsonl"), *LIBRARY.glob("suites/*/*.jsonl")]
    assert made == {path.relative_to(LIBRARY) for path in kept} - CHATS
    for name in made:
        assert (LIBRARY / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_a_question_of_the_suite_is_not_trained_on(make_data: ModuleType) -> None:
    table = yaml.safe_load((LIBRARY / "table.yaml").read_text(encoding="utf-8"))
    table["facts"][0]["unseen"][0] = table["facts"][1]["asks"][0]
    with pytest.raises(ValueError, match="also in the training data: 'How many books can I"):
        make_data.build(table)


def test_each_document_has_choices_that_differ() -> None:
    files = {*LIBRARY.glob("suites/general/*.jsonl")} - {LIBRARY / name for name in CHATS}
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    for document in map(json.loads, lines):
        assert len({*document["choices"]}) == len(document["choices"])
        assert all(isinstance(choice, str) for choice in document["choices"])


def test_the_chats_to_judge_by_are_not_trained_on() -> None:
    trained, asked = (
        {
            turn["content"]
            for line in (LIBRARY / name).read_text(encoding="utf-8").splitlines()
            for turn in json.loads(line)["messages"]
            if turn["role"] != "system"
        }
        for name in sorted(CHATS)
    )
    assert not trained & asked


def test_suites_policy_and_recipes_are_valid() -> None:
    project = load_project(LIBRARY / "harness.yaml")
    suites = load_suites(project)
    suite = next(one for one in suites if one.name == "library")
    check_policy(project.policy(), suites, project.place)
    for path in sorted(LIBRARY.glob("recipes/*.yaml")):
        recipe = load_recipe(path)
        assert recipe.name in project.config.targets
        assert recipe.system_prompt == suite.system_prompt
        assert read_data(recipe, LIBRARY)
