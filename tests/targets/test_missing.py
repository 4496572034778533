"""What is named and not here is told before it is needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import Project, load_project
from harness.targets.missing import missing_lines
from tests.serving.made import write_adapter, write_model
from tests.shop import config, suite_yaml, write_project

RECIPE = {"name": "good", "base": "model", "data": ["recipes/facts.jsonl"], "steps": 5}


def example(number: int) -> str:
    turns = [{"role": role, "content": f"{role} {number}"} for role in ("user", "assistant")]
    return json.dumps({"group": f"g{number}", "messages": turns}) + "\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_project(tmp_path, "http://unused")
    write_model(tmp_path / "model")
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/facts.jsonl").write_text("".join(map(example, range(20))))
    write_recipe(tmp_path)
    return configured(tmp_path)


def configured(root: Path, **server: Any) -> Project:
    settings = config("http://unused")
    settings["servers"] = {"local": {"engine": "vllm", "model": "model", **server}}
    settings["targets"] = {
        "base": {"server": "local"},
        "candidate": {"server": "local", "adapter": ".harness/candidates/good"},
    }
    (root / "harness.yaml").write_text(yaml.safe_dump(settings))
    return load_project(root / "harness.yaml")


def write_recipe(root: Path, **keys: Any) -> None:
    (root / "recipes/good.yaml").write_text(yaml.safe_dump({**RECIPE, **keys}))


def lines(project: Project, *, warnings: bool) -> list[str]:
    return [line for line, warning in missing_lines(project) if warning is warnings]


def test_what_is_still_to_be_trained_names_its_recipe(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    # Other files may lie beside the recipes.
    (project.root / "recipes/facts.yaml").write_text("window: 60 days\n")
    assert lines(project, warnings=True) == []
    trains, missing = lines(project, warnings=False)
    assert trains == (
        "recipes/good.yaml: trains `good` on model, 5 steps of 16 examples: 18 to learn from, 2 "
        "held out"
    )
    assert missing == "candidate: is not trained yet: `harness train recipes/good.yaml`"
    write_adapter(project.root / ".harness/candidates/good")
    assert len(list(missing_lines(project))) == 1


def test_an_adapter_that_nothing_makes_is_warned_of_with_its_line(project: Project) -> None:
    write_recipe(project.root, name="other", steps=None, epochs=1.5)
    (said,) = lines(project, warnings=True)
    assert "targets.candidate.adapter: `.harness/candidates/good` is not there, and no" in said
    assert "1.5 epochs of 16" in lines(project, warnings=False)[0]
    (project.root / ".harness/candidates/good").mkdir(parents=True)
    assert "holds no adapter, and no recipe in recipes/" in lines(project, warnings=True)[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rnk": 4}, "recipes/good.yaml:5: rnk: unknown key"),
        ({"data": ["recipes/no.jsonl"]}, "no such data file: recipes/no.jsonl"),
        ({"data": ["recipes/good.yaml"]}, "recipes/good.yaml:1: not JSON"),
        ({"base": "../model"}, "`../model` leaves the project"),
    ],
)
def test_a_recipe_that_cannot_be_trained_is_warned_of(
    project: Project, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(project.root)
    write_recipe(project.root, **change)
    found = lines(project, warnings=True)
    assert said in found[0]
    assert found[0].count("recipes/good.yaml:") == 1
    # Only where its keys cannot be read nobody knows what it trains.
    unknown = [line for line in found if "and no recipe in recipes/ that can be read" in line]
    assert len(unknown) == len(found) - 1 == ("rnk" in change)


def test_a_recipe_whose_key_is_misspelt_is_a_recipe_still(project: Project) -> None:
    recipe = yaml.safe_dump({**RECIPE, "data": None}).replace("data: null", "dta: [facts.jsonl]")
    (project.root / "recipes/good.yaml").write_text(recipe)
    assert "dta: unknown key; did you mean `data`?" in lines(project, warnings=True)[0]


def test_a_system_prompt_that_nobody_sends_is_warned_of(project: Project) -> None:
    write_recipe(project.root, system_prompt="You are another shop.")
    (said,) = lines(project, warnings=True)
    assert "good.yaml: system_prompt: no suite or target sends this one" in said
    write_recipe(project.root, system_prompt=suite_yaml()["system_prompt"])
    assert lines(project, warnings=True) == []


def test_a_recipe_that_is_no_yaml_is_warned_of(project: Project) -> None:
    (project.root / "recipes/good.yaml").write_text("a: [\n")
    assert "good.yaml" in lines(project, warnings=True)[0]


def test_a_base_without_a_chat_template_is_warned_of_wherever_it_is_named(
    project: Project,
) -> None:
    (project.root / "model/tokenizer_config.json").write_text("{}")
    recipe, server = lines(project, warnings=True)
    assert "base: model has no chat template, so it cannot be trained on" in recipe
    assert "servers.local.model: has no chat template, so vLLM answers no chat" in server
    other = configured(project.root, args={"chat_template": "{{ messages }}"})
    assert len(lines(other, warnings=True)) == 1
    other = configured(project.root, args={"tokenizer": "elsewhere"})
    assert len(lines(other, warnings=True)) == 1


def test_a_chat_template_that_is_not_there_is_warned_of(project: Project) -> None:
    other = configured(project.root, args={"chat-template": "mine.jinja"})
    assert "no such chat template: `mine.jinja`" in lines(other, warnings=True)[0]
    (project.root / "mine.jinja").write_text("")
    assert lines(other, warnings=True) == []


def test_a_model_that_is_made_here_is_no_warning(project: Project) -> None:
    other = configured(project.root, model=".harness/models/tiny")
    assert "local: no model in .harness/models/tiny yet" in lines(other, warnings=False)
    assert lines(other, warnings=True) == []
