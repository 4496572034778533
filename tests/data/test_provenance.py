"""The record of a training's data, in its candidate's dossier."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.config import Project, load_project
from harness.data.lint.recipes import lint_recipe
from harness.data.provenance import data_lines, record_data, trained_data
from harness.data.split.settings import SplitSettings
from harness.data.split.split import split_files
from harness.files import digest_json, file_digest
from harness.sections.section_kinds import load_suites
from harness.training.candidate import SAID_ONLY, Dossier, Recipe, Split
from harness.training.data_record import TrainedData
from harness.training.job import candidate_folder
from tests.shop import write_project

TOPICS = ("gift cards", "boots", "tents", "lamps", "stoves", "ropes", "maps", "socks")


def recipe(data: str, **given: Any) -> Recipe:
    return Recipe(**{"name": "r", "base": "b", "data": (data,), "steps": 1, **given})


def write(path: Path, questions: list[str], **more: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(
        json.dumps({"group": f"g{number}", "messages": [
            {"role": "user", "content": text}, {"role": "assistant", "content": "Yes, we do."},
        ], **more}) + "\n"
        for number, text in enumerate(questions)
    ))  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a suite."""
    write_project(tmp_path, "http://localhost:9")
    return load_project(tmp_path / "harness.yaml")


def test_digests_counts_findings_and_who_accepted_them_are_kept(project: Project) -> None:
    path = project.root / "d.jsonl"
    write(path, [*(f"Do you have {one}?" for one in TOPICS), "Call 4111 1111 1111 1111 or not?"])
    given = recipe("d.jsonl", lint_ignore=("card",), lint_ignored_by="Ada")
    found = trained_data(given, project, (), lint_recipe(given, project.root))
    assert found.files["d.jsonl"].digest == file_digest(path)
    assert found.files["d.jsonl"].conversations == 9
    assert found.lint is not None
    assert (found.lint.accepted, found.lint.by) == ({"card": 1}, "Ada")
    assert found.leaks is None
    assert data_lines("r", found) == []


def test_conversations_that_were_derived_are_counted(project: Project) -> None:
    write(project.root / "a.jsonl", ["Do you have socks?"])
    write(project.root / "b.jsonl", ["Do you have tents?"], derived="typos")
    given = Recipe(name="r", base="b", data=("a.jsonl", "b.jsonl"), steps=1)
    files = trained_data(given, project, (), None).files
    assert {name: one.derived for name, one in files.items()} == {"a.jsonl": 0, "b.jsonl": 1}


def test_findings_that_nobody_accepted_are_asked_about(project: Project) -> None:
    write(project.root / "d.jsonl", ["Call 4111 1111 1111 1111 or not?"])
    given = recipe("d.jsonl", lint_ignore=("card",))
    found = trained_data(given, project, (), lint_recipe(given, project.root))
    (line,) = data_lines("r", found)
    assert line == (
        "r: the recipe accepts card, and names nobody: write `lint_ignored_by: NAME` in it"
    )


def test_the_part_of_a_split_is_told_and_whether_it_is_as_it_was(project: Project) -> None:
    write(project.root / "all.jsonl", [f"Do you have {one} for us now?" for one in TOPICS])
    parts = project.root / "parts"
    split_files([project.root / "all.jsonl"], parts, SplitSettings({"train": 0.5, "test": 0.5}))
    given = recipe("parts/train.jsonl")
    found = trained_data(given, project, (), None).files["parts/train.jsonl"].split
    assert found is not None
    assert (found.part, found.shares, found.leaks) == ("train", {"train": 0.5, "test": 0.5}, 0)
    assert found.unchanged
    path = parts / "train.jsonl"
    path.write_text(path.read_text() * 2)
    changed = trained_data(given, project, (), None)
    assert data_lines("r", changed) == [
        "r: parts/train.jsonl: was changed since it was divided: divide the files again"
    ]
    (parts / "split.json").write_text("{}")
    assert trained_data(given, project, (), None).files["parts/train.jsonl"].split is None


def test_cases_of_the_suites_in_the_data_are_counted(project: Project) -> None:
    suites = load_suites(project)
    asked = next(case for _, case in suites[0].cases()).messages[-1].content
    write(project.root / "d.jsonl", [asked])
    found = trained_data(recipe("d.jsonl"), project, suites, None)
    assert found.leaks is not None
    assert found.leaks.leaked.get("verbatim", 0) >= 1
    assert found.leaks.suites == {suites[0].name: suites[0].digest}
    assert "stand in the data: a gate leaves their groups out" in data_lines("r", found)[0]


def dossier_of(given: Recipe) -> Dossier:
    return Dossier(
        name=given.name, recipe=given, recipe_hash="r", data_hash="d", base="b",
        base_digest="sha256:b", adapter_digest="sha256:a", seed=0, steps_done=5, best_step=4,
        best_validation_loss=1.5, stopped_early=False, seconds=1.0, versions={},
        created="2026-01-01T00:00:00Z",
        split=Split(train_conversations=3, validation_conversations=1, train_groups=2,
                    validation_groups=("g",)),
    )  # fmt: skip


def test_a_dossier_is_given_its_data_once(project: Project) -> None:
    given = recipe("d.jsonl", why="To know socks.", licences={"d.jsonl": "CC0"})
    before = dossier_of(given)
    assert '"data":{' not in before.model_dump_json().replace('"data":["', "")
    done = record_data(project, before, TrainedData(files={}))
    path = candidate_folder(project.root, given) / "candidate.json"
    assert Dossier.model_validate_json(path.read_bytes()) == done
    assert (done.recipe.why, done.recipe.licences) == ("To know socks.", {"d.jsonl": "CC0"})
    path.unlink()
    assert record_data(project, done, TrainedData(files={})) is done
    assert not path.exists()


def test_a_licence_is_of_a_file_of_the_recipe(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`other` is none of the files of `data`"):
        recipe("d.jsonl", licences={"other": "CC0"})


def test_what_is_only_said_changes_no_digest_of_a_recipe(project: Project) -> None:
    plain = recipe("d.jsonl")
    said = recipe("d.jsonl", why="x", licences={"d.jsonl": "y"}, lint_ignored_by="z")
    dumps = [one.model_dump(mode="json", exclude=set(SAID_ONLY)) for one in (plain, said)]
    assert digest_json(dumps[0]) == digest_json(dumps[1])
    assert not {"why", "licences", "lint_ignored_by"} & plain.model_dump(mode="json").keys()
