"""The example of a real model: its data come from its table; suite, policy, recipes are valid."""

from __future__ import annotations

import importlib.util
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


@pytest.fixture(scope="module")
def make_data() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_data", LIBRARY / "make_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_files_are_what_the_table_gives(
    make_data: ModuleType, tmp_path: Path
) -> None:
    make_data.main(tmp_path)
    made = [path.relative_to(tmp_path) for path in sorted(tmp_path.rglob("*.jsonl"))]
    kept = [*LIBRARY.glob("recipes/data/*.jsonl"), *LIBRARY.glob("suites/library/*.jsonl")]
    assert made == sorted(path.relative_to(LIBRARY) for path in kept)
    for name in made:
        assert (LIBRARY / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_a_question_of_the_suite_is_not_trained_on(make_data: ModuleType) -> None:
    table = yaml.safe_load((LIBRARY / "table.yaml").read_text(encoding="utf-8"))
    table["facts"][0]["unseen"][0] = table["facts"][1]["asks"][0]
    with pytest.raises(ValueError, match="also in the training data: 'How many books can I"):
        make_data.build(table)


def test_suite_policy_and_recipes_are_valid() -> None:
    project = load_project(LIBRARY / "harness.yaml")
    (suite,) = load_suites(project)
    check_policy(project.policy(), (suite,), project.place)
    for path in sorted(LIBRARY.glob("recipes/*.yaml")):
        recipe = load_recipe(path)
        assert recipe.name in project.config.targets
        assert recipe.system_prompt == suite.system_prompt
        assert read_data(recipe, LIBRARY)
