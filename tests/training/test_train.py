"""Real training, very small."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import RecipeError, TrainingError
from harness.files import file_digest
from harness.records.candidate import Curves, Dossier
from harness.records.recipe import Recipe
from harness.training.sft import STATE, last_checkpoint
from harness.training.train import prepare, train

MakeRecipe = Callable[..., Recipe]


def told(into: list[tuple[int, str]]) -> Callable[[str, int, int, str], None]:
    return lambda stage, done, total, detail: into.append((done, detail))


def test_a_candidate_has_an_adapter_curves_and_papers(project: Path, recipe: MakeRecipe) -> None:
    steps: list[tuple[int, str]] = []
    dossier = train(recipe(), project_dir=project, on_progress=told(steps))
    folder = project / ".harness" / "candidates" / "cand"
    assert {path.name for path in folder.iterdir()} == {
        ".lock",
        "adapter_model.safetensors",
        "adapter_config.json",
        "candidate.json",
        "curves.json",
        "curves.svg",
    }
    stored = Dossier.model_validate_json((folder / "candidate.json").read_text(encoding="utf-8"))
    assert stored == dossier
    assert dossier.adapter_digest == file_digest(folder / "adapter_model.safetensors")
    assert dossier.steps_done == 6
    assert dossier.best_step == 6
    assert not dossier.stopped_early
    assert dossier.split.validation_groups
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == ".harness/models/micro"
    assert config["r"] == 2
    assert config["modules_to_save"] is None
    assert str(project) not in (folder / "adapter_config.json").read_text(encoding="utf-8")
    curves = Curves.model_validate_json((folder / "curves.json").read_text(encoding="utf-8"))
    assert [p.step for p in curves.points if p.validation is not None] == [3, 6]
    assert (folder / "curves.svg").read_text(encoding="utf-8").rstrip().endswith("</svg>")
    assert [done for done, _ in steps] == [0, 1, 2, 3, 4, 5, 6]


def test_training_is_cached_by_content(project: Path, recipe: MakeRecipe) -> None:
    first = train(recipe(steps=2), project_dir=project)
    said: list[tuple[int, str]] = []
    assert train(recipe(steps=2), project_dir=project, on_progress=told(said)) == first
    assert said == [(2, "as trained before")]
    forced = train(recipe(steps=2), project_dir=project, force=True)
    assert forced.adapter_digest == first.adapter_digest
    assert forced.created >= first.created
    other_seed = train(recipe(steps=2, seed=1), project_dir=project)
    assert other_seed.adapter_digest != first.adapter_digest
    data = project / "data.jsonl"
    data.write_text(data.read_text(encoding="utf-8").replace("Answer 3", "Reply 3"), "utf-8")
    other_data = train(recipe(steps=2, seed=1), project_dir=project)
    assert other_data.data_hash != other_seed.data_hash
    weights = project / ".harness" / "candidates" / "cand" / "adapter_model.safetensors"
    weights.write_bytes(b"tampered")
    said.clear()
    train(recipe(steps=2, seed=1), project_dir=project, on_progress=told(said))
    assert said[-1][0] == 2
    assert file_digest(weights) == other_data.adapter_digest


def test_nf4_qlora_trains_and_gives_an_ordinary_adapter(project: Path, recipe: MakeRecipe) -> None:
    pytest.importorskip("bitsandbytes")
    dossier = train(recipe(method="qlora", steps=3), project_dir=project)
    folder = project / ".harness" / "candidates" / "cand"
    assert dossier.recipe.method == "qlora"
    from safetensors import safe_open

    with safe_open(folder / "adapter_model.safetensors", "pt") as file:
        names = list(file.keys())
    assert names
    assert all("lora_" in name for name in names)


def test_early_stopping_keeps_the_best_adapter(project: Path, recipe: MakeRecipe) -> None:
    dossier = train(
        recipe(steps=60, learning_rate=0.5, evaluate_every=2, patience=2), project_dir=project
    )
    assert dossier.stopped_early
    assert dossier.steps_done < 60
    assert dossier.best_step < dossier.steps_done
    curves = Curves.model_validate_json(
        (project / ".harness/candidates/cand/curves.json").read_text(encoding="utf-8")
    )
    known = [point.validation for point in curves.points if point.validation is not None]
    assert dossier.best_validation_loss == min(known)


def test_an_interrupt_is_resumed_to_the_same_adapter(project: Path, recipe: MakeRecipe) -> None:
    def stop(stage: str, done: int, total: int, detail: str) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe(), project_dir=project, on_progress=stop)
    folder = project / ".harness" / "candidates" / "cand"
    assert not (folder / "candidate.json").exists()
    said: list[tuple[int, str]] = []
    dossier = train(recipe(), project_dir=project, on_progress=told(said))
    assert dossier.resumed_from == 4
    assert [done for done, _ in said][1:] == [5, 6]
    whole = train(recipe(), project_dir=project, force=True)
    assert whole.resumed_from == 0
    assert whole.adapter_digest == dossier.adapter_digest


def test_a_killed_training_is_resumed(project: Path, recipe: MakeRecipe) -> None:
    wanted = recipe(steps=8)
    (project / "recipe.json").write_text(wanted.model_dump_json(), encoding="utf-8")
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from harness.records.recipe import Recipe\n"
        "from harness.training.train import train\n"
        "def die(stage, done, total, detail):\n"
        "    if done == 7: os.kill(os.getpid(), signal.SIGKILL)\n"
        "here = Path(sys.argv[1])\n"
        "recipe = Recipe.model_validate_json((here / 'recipe.json').read_text())\n"
        "train(recipe, project_dir=here, on_progress=die)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(project)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert train(wanted, project_dir=project).resumed_from == 6


def test_checkpoints_of_another_recipe_are_not_used(project: Path, recipe: MakeRecipe) -> None:
    def stop(stage: str, done: int, total: int, detail: str) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe(), project_dir=project, on_progress=stop)
    assert train(recipe(alpha=8), project_dir=project).resumed_from == 0


def test_an_unfinished_checkpoint_is_passed_over(tmp_path: Path) -> None:
    for step, complete in ((2, True), (4, True), (6, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "adapter_model.safetensors").write_bytes(b"")
        if complete:
            (folder / STATE).write_text("{}" if step == 2 else "{", encoding="utf-8")
    found = last_checkpoint(tmp_path)
    assert found is not None
    assert found.name == "checkpoint-2"
    assert last_checkpoint(tmp_path / "none") is None


def test_a_missing_base_is_one_line(project: Path, recipe: MakeRecipe) -> None:
    with pytest.raises(RecipeError) as caught:
        train(recipe(base=".harness/models/gone"), project_dir=project)
    assert "no base model at .harness/models/gone" in caught.value.line
    assert caught.value.exit_code == 2


def test_a_template_without_marks_is_refused(
    project: Path, recipe: MakeRecipe, micro_base: Path
) -> None:
    import shutil

    other = project / ".harness" / "models" / "plain"
    shutil.copytree(micro_base, other)
    (other / "chat_template.jinja").write_text(
        "{% for m in messages %}{{ m.content }}{% endfor %}", encoding="utf-8"
    )
    with pytest.raises(RecipeError, match="generation"):
        train(recipe(base=".harness/models/plain"), project_dir=project)


def test_a_loss_that_runs_away_is_one_line(project: Path, recipe: MakeRecipe) -> None:
    with pytest.raises(TrainingError, match="is not finite at step") as caught:
        train(recipe(steps=60, learning_rate=50.0, evaluate_every=2), project_dir=project)
    assert "lower learning_rate" in caught.value.line


def test_a_failing_library_becomes_one_line(project: Path, recipe: MakeRecipe) -> None:
    with pytest.raises(TrainingError) as caught:
        train(recipe(target_modules=["no_such_module"]), project_dir=project)
    assert "recipe cand" in caught.value.line
    assert "\n" not in caught.value.line


def test_a_second_training_of_one_candidate_is_refused(project: Path, recipe: MakeRecipe) -> None:
    refused: list[str] = []

    def try_again(stage: str, done: int, total: int, detail: str) -> None:
        if done == 1:
            with pytest.raises(TrainingError) as caught:
                train(recipe(steps=2), project_dir=project, force=True)
            refused.append(caught.value.line)

    done = train(recipe(steps=2), project_dir=project, on_progress=try_again)
    assert len(refused) == 1
    assert "another process is training this candidate" in refused[0]
    lock = os.open(project / ".harness/candidates/cand/.lock", os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert train(recipe(steps=2), project_dir=project) == done
    finally:
        os.close(lock)


@pytest.mark.parametrize("given", ["../x", "..", "a/../../x", "./../x"])
@pytest.mark.parametrize("key", ["base", "data"])
def test_a_relative_path_that_leaves_the_project_is_refused(
    project: Path, recipe: MakeRecipe, key: str, given: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        prepare(recipe(**{key: given if key == "base" else [given]}), project)
    assert f"recipe cand: {key}: `{given}` leaves the project" in caught.value.line


def test_an_absolute_path_may_be_anywhere(
    project: Path, recipe: MakeRecipe, micro_base: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp("elsewhere") / "data.jsonl"
    data.write_bytes((project / "data.jsonl").read_bytes())
    given = prepare(recipe(base=str(micro_base), data=[str(data)]), project)
    assert given.base == micro_base
    assert given.conversations == prepare(recipe(), project).conversations
