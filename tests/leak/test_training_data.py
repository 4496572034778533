from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.config import Project, load_project
from harness.files import digest_json, file_digest
from harness.leak.training_data import named_data, read_training
from harness.records.leakage import TrainingData
from harness.training.candidate import DOSSIER, Dossier, Recipe, Split
from harness.training.data_files import read_data
from tests.leak.trained import chat, write_rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "harness.yaml").write_text(
        "suites: [s]\nservers: {main: {engine: vllm, model: base}}\n"
        "targets: {good: {server: main, adapter: good}, base: {server: main}}\n"
    )
    return tmp_path


def candidate(folder: Path, name: str, **keys: Any) -> Dossier:
    """An adapter that was trained on a file of its name."""
    rows = [{"group": str(place), **chat(f"Question {place} of {name}?")} for place in range(2)]
    write_rows(folder / f"{name}.jsonl", rows)
    recipe = Recipe(name=name, base="base", data=(f"{name}.jsonl",), steps=1, **keys)
    home = folder / name
    home.mkdir()
    weights = home / "adapter_model.safetensors"
    weights.write_text(f"weights of {name}")
    conversations = read_data(recipe, folder)
    dossier = Dossier(
        name=name, recipe=recipe, recipe_hash="r", base="base", base_digest="b",
        data_hash=digest_json([one.model_dump(mode="json") for one in conversations]),
        adapter_digest=file_digest(weights), seed=0, steps_done=1, best_step=1,
        best_validation_loss=1.0, stopped_early=False, seconds=1.0, versions={}, created="now",
        split=Split(train_conversations=1, validation_conversations=1, train_groups=1,
                    validation_groups=("1",)),
    )  # fmt: skip
    (home / DOSSIER).write_text(dossier.model_dump_json())
    return dossier


def read(folder: Path, target: str = "good") -> TrainingData:
    project: Project = load_project(folder / "harness.yaml")
    return read_training(named_data(project, target), project.root)[0]


def test_the_dossier_names_the_data(folder: Path) -> None:
    candidate(folder, "good", system_prompt="Be kind.")
    data = read(folder)
    assert data.complete
    assert (list(data.files), data.conversations) == (["good.jsonl"], 2)
    assert not read(folder, "base").known


def test_data_that_changed_since_is_said_and_compared_all_the_same(folder: Path) -> None:
    candidate(folder, "good")
    rows = [{"group": str(place), **chat(f"Other {place}")} for place in range(3)]
    write_rows(folder / "good.jsonl", rows)
    data = read(folder)
    assert data.conversations == 3
    assert "good.jsonl changed since `good` was trained" in data.problems[0]
    (folder / "good.jsonl").unlink()
    data = read(folder)
    assert data.known
    assert data.problems == ("good.jsonl is missing, so that it was not compared",)


def test_a_dossier_beside_another_adapter_tells_nothing(folder: Path) -> None:
    candidate(folder, "good")
    (folder / "good/adapter_model.safetensors").write_text("another one's")
    data = read(folder)
    assert not data.known
    assert data.problems == ("candidate.json in good is not of the adapter there",)
    (folder / "good" / DOSSIER).write_text("{")
    assert not read(folder).known


def test_a_training_that_went_on_has_learnt_what_was_before_it(folder: Path) -> None:
    first = candidate(folder, "second")
    dossier = candidate(folder, "good")
    recipe = {"name": "good", "base": "base", "data": ["good.jsonl"], "steps": 1, "method": "dpo",
              "start_from": "second"}  # fmt: skip
    row = {**json.loads(dossier.model_dump_json()), "recipe": recipe,
           "start_digest": first.adapter_digest}  # fmt: skip
    (folder / "good" / DOSSIER).write_text(json.dumps(row))
    assert list(read(folder).files) == ["good.jsonl", "second.jsonl"]
    (folder / "second/adapter_model.safetensors").write_text("trained again")
    data = read(folder)
    assert list(data.files) == ["good.jsonl"]
    assert "another adapter (second), whose data is not known" in data.problems[0]


def test_of_a_merged_model_the_adapter_tells(folder: Path) -> None:
    candidate(folder, "good")
    (folder / "good/adapter_config.json").write_text(
        '{"r": 1, "peft_type": "LORA", "base_model_name_or_path": "base"}'
    )
    (folder / "base").mkdir()
    record = {"adapter": "good", "adapter_digest": "sha256:other"}
    (folder / "base/merge.json").write_text(json.dumps(record))
    data = read(folder, "base")
    assert not data.known
    assert "the adapter that is merged in it is gone" in data.problems[0]


def test_what_the_configuration_names_is_read(folder: Path) -> None:
    write_rows(folder / "a.jsonl", [chat("Q?")])
    text = (folder / "harness.yaml").read_text()
    (folder / "harness.yaml").write_text(
        text.replace("base: {server: main}", "base: {server: main, data: [a.jsonl]}")
    )
    assert read(folder, "base").conversations == 1
