"""`harness train`: what is refused before anything is loaded."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.cli import train
from harness.errors import UsageError
from harness.training.candidate import Dossier, Recipe
from tests.cli.builders import call
from tests.data.test_provenance import dossier_of, write


def test_every_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str) -> object:
        return None if name in ("peft", "trl") else find_spec(name)

    monkeypatch.setattr(train, "find_spec", found)
    with pytest.raises(UsageError) as caught:
        train.require_training()
    assert caught.value.what == "training needs peft, trl"
    assert "pip install -e '.[train]'" in (caught.value.hint or "")


def test_a_bad_recipe_stops_all_before_any_is_trained(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "require_training", lambda: None)
    good = "name: good\nbase: models/x\ndata: [d.jsonl]\nsteps: 1\n"
    Path("good.yaml").write_text(good)
    Path("bad.yaml").write_text(good.replace("steps: 1", "steps: 1\nepochs: 2"))
    assert call("train", "good.yaml", "bad.yaml") == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: bad.yaml")
    assert "give either steps or epochs, and not both" in shown
    assert not (project_dir / ".harness/candidates").exists()


def test_a_tracker_that_is_not_installed_is_named_before_anything_is_trained(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "require_training", lambda: None)
    monkeypatch.setattr(train, "find_spec", lambda name: None)
    Path("r.yaml").write_text(
        "name: r\nbase: models/x\ndata: [d.jsonl]\nsteps: 1\nreport_to: [wandb]\n"
    )
    assert call("train", "r.yaml") == 2
    shown = capsys.readouterr().err
    assert "recipe r: report_to: not installed: wandb" in shown
    assert "pip install wandb" in shown


def test_the_name_of_a_recipe_in_place_of_its_path_is_told_the_path(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "require_training", lambda: None)
    Path("recipes").mkdir()
    Path("recipes/good.yaml").write_text("")
    assert call("train", "good") == 2
    shown = capsys.readouterr().err
    assert shown == "error: good: no such file - did you mean recipes/good.yaml?\n"
    assert call("train", "other") == 2
    assert "other: no such file - check the path" in capsys.readouterr().err


def test_processes_that_do_not_divide_a_step_are_refused(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "require_training", lambda: None)
    Path("r.yaml").write_text("name: r\nbase: b\ndata: [d.jsonl]\nsteps: 1\nbatch_size: 3\n")
    assert call("train", "r.yaml", "--estimate", "--processes", "2") == 2
    assert "a step of 3 x 1 examples" in capsys.readouterr().err


def test_the_dossier_gets_the_record_of_its_data_and_why_is_asked_for(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def trained(recipes: list[Recipe], **_: object) -> list[Dossier]:
        return [dossier_of(recipe) for recipe in recipes]

    monkeypatch.setattr(train, "require_training", lambda: None)
    monkeypatch.setattr(train, "train_side_by_side", trained)
    write(Path("d.jsonl"), ["Do you have socks?", "Do you have tents for two?"])
    text = "name: r\nbase: b\ndata: [d.jsonl]\nsteps: 1\n"
    Path("r.yaml").write_text(text)
    assert call("train", "r.yaml") == 0
    assert capsys.readouterr().err == (
        "note: r: write `why:` in the recipe, for who reads its dossier later\n"
    )
    found = Dossier.model_validate_json(Path(".harness/candidates/r/candidate.json").read_bytes())
    assert found.data is not None
    assert found.data.files["d.jsonl"].conversations == 2
    assert found.data.lint is not None
    assert found.data.leaks is not None
    Path("r.yaml").write_text(text + "why: Socks sell.\n")
    assert call("train", "r.yaml", "--no-lint") == 0
    assert capsys.readouterr().err == ""
    again = Dossier.model_validate_json(Path(".harness/candidates/r/candidate.json").read_bytes())
    assert again.data is not None
    assert again.data.lint is None
