"""Real training, very small."""

from __future__ import annotations

import fcntl
import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from harness.errors import RecipeError, TrainingError, UsageError
from harness.files import directory_digest, file_digest
from harness.model_files import chat_template_digest, model_digest
from harness.training.candidate import Curves, Dossier, Recipe
from harness.training.checkpoints import last_checkpoint
from harness.training.job import load_dossier, prepare
from harness.training.train import train
from tests.hub_server import HubServer
from tests.training.conftest import Trained
from tests.training.makers import FAMILIES, byte_tokenizer, write_base

MakeRecipe = Callable[..., Recipe]


def told(into: list[tuple[int, str]]) -> Callable[[str, int, int, str], None]:
    return lambda stage, done, total, detail: into.append((done, detail))


def test_a_candidate_has_an_adapter_curves_and_papers(trained_once: Trained) -> None:
    dossier, folder = trained_once.dossier, trained_once.folder
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
    base = trained_once.project / dossier.base
    assert dossier.base_digest == model_digest(base)
    assert dossier.chat_template == chat_template_digest(base)
    assert dossier.adapter_digest == file_digest(folder / "adapter_model.safetensors")
    assert dossier.steps_done == 6
    assert dossier.best_step == 6
    assert not dossier.stopped_early
    assert dossier.split.validation_groups
    assert dossier.learnt is not None
    assert dossier.learnt.found == "marks"
    assert dossier.learnt.first_example.endswith("<|assistant|>⟦Answer 0.<|end|>⟧")
    text = (folder / "adapter_config.json").read_text(encoding="utf-8")
    config = json.loads(text)
    assert config["base_model_name_or_path"] == ".harness/models/micro"
    assert config["r"] == 2
    assert config["modules_to_save"] is None
    assert str(trained_once.project) not in text
    curves = Curves.model_validate_json((folder / "curves.json").read_text(encoding="utf-8"))
    assert [p.step for p in curves.points if p.validation is not None] == [3, 6]
    assert (folder / "curves.svg").read_text(encoding="utf-8").rstrip().endswith("</svg>")
    assert [done for done, _ in trained_once.progress] == [0, 1, 2, 3, 4, 5, 6]


def test_a_candidate_that_is_there_is_not_trained_again(
    trained: Trained, recipe: MakeRecipe
) -> None:
    progress: list[tuple[int, str]] = []
    found = train(recipe(), project_dir=trained.project, on_progress=told(progress))
    assert found == trained.dossier
    assert progress == [(6, "as trained before")]


def test_every_form_of_lora_reaches_peft_and_the_trainer(project: Path, recipe: MakeRecipe) -> None:
    said: list[str] = []
    forms = {"dora": True, "rslora": True, "modules_to_save": ["lm_head"]}
    more = {"neftune_alpha": 5.0, "gradient_checkpointing": True}
    dossier = train(recipe(**forms, **more, steps=2), project_dir=project, on_say=said.append)
    assert dossier.steps_done == 2
    folder = project / ".harness/candidates/cand"
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["use_dora"]
    assert config["use_rslora"]
    assert config["modules_to_save"] == ["lm_head"]
    names = set(load_file(folder / "adapter_model.safetensors"))
    assert any("lora_magnitude_vector" in name for name in names)
    assert any("lm_head" in name for name in names)
    assert any("`harness merge cand`" in line for line in said)


def test_noise_on_the_embeddings_changes_what_is_learnt(project: Path, recipe: MakeRecipe) -> None:
    digests = {
        train(recipe(neftune_alpha=alpha, steps=1), project_dir=project, force=True).adapter_digest
        for alpha in (None, 50.0)
    }
    assert len(digests) == 2


def test_a_dossier_with_the_earlier_digest_of_its_base_counts(
    trained: Trained, recipe: MakeRecipe
) -> None:
    """Written by an earlier version: four of the base's files, and no template of its own."""
    names = ("*.safetensors", "config.json", "tokenizer.json", "chat_template.jinja")
    path = trained.folder / "candidate.json"
    dossier = json.loads(path.read_text(encoding="utf-8"))
    dossier["base_digest"] = directory_digest(trained.project / dossier["base"], names)
    del dossier["chat_template"]
    path.write_text(json.dumps(dossier), encoding="utf-8")
    found = load_dossier(prepare(recipe(), trained.project))
    assert found is not None
    assert found.adapter_digest == trained.dossier.adapter_digest
    dossier["base_digest"] = "sha256:another"
    path.write_text(json.dumps(dossier), encoding="utf-8")
    assert load_dossier(prepare(recipe(), trained.project)) is None


@pytest.mark.parametrize("change", ["recipe", "seed", "data", "base", "template", "adapter"])
def test_a_candidate_of_something_else_is_not_there(
    trained: Trained, recipe: MakeRecipe, change: str
) -> None:
    project, wanted = trained.project, recipe()
    base = project / trained.dossier.base
    if change in ("base", "template"):
        own = base.resolve()
        base.unlink()
        shutil.copytree(own, base)
    if change == "recipe":
        wanted = recipe(alpha=8)
    elif change == "seed":
        wanted = recipe(seed=1)
    elif change == "data":
        data = project / "data.jsonl"
        data.write_text(data.read_text(encoding="utf-8").replace("Answer 3", "Reply 3"), "utf-8")
    elif change == "base":
        (base / "model.safetensors").write_bytes(b"other")
    elif change == "template":
        (base / "chat_template.jinja").write_text("{% generation %}", encoding="utf-8")
    else:
        (trained.folder / "adapter_model.safetensors").write_bytes(b"tampered")
    assert load_dossier(prepare(wanted, project)) is None


def test_training_is_reproducible_and_the_seed_counts(trained: Trained, recipe: MakeRecipe) -> None:
    forced = train(recipe(), project_dir=trained.project, force=True)
    assert forced.adapter_digest == trained.dossier.adapter_digest
    assert forced.created >= trained.dossier.created
    other = train(recipe(seed=1), project_dir=trained.project)
    assert other.adapter_digest != forced.adapter_digest


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


def test_early_stopping_keeps_the_best_adapter(
    project: Path, recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The validation losses are given, so that the second one is the best on every machine."""
    from trl import SFTTrainer

    losses = iter([3.0, 1.0, 2.0, 2.0])
    evaluate = SFTTrainer.evaluation_loop

    def evaluation_loop(self: Any, *args: Any, **kwargs: Any) -> Any:
        output = evaluate(self, *args, **kwargs)
        assert math.isfinite(output.metrics["eval_loss"])
        output.metrics["eval_loss"] = next(losses)
        return output

    monkeypatch.setattr(SFTTrainer, "evaluation_loop", evaluation_loop)
    folder = project / ".harness/candidates/cand"
    weights = "adapter_model.safetensors"
    kept: dict[int, bytes] = {}

    def keep(_stage: str, done: int, _total: int, _detail: str) -> None:
        for checkpoint in (folder / ".training").glob("checkpoint-*"):
            kept[int(checkpoint.name[11:])] = (checkpoint / weights).read_bytes()

    wanted = recipe(steps=60, evaluate_every=2, patience=2)
    with pytest.raises(KeyboardInterrupt):  # which patience outlasts
        train(wanted, project_dir=project, on_progress=stop_at(7))
    dossier = train(wanted, project_dir=project, on_progress=keep)
    assert dossier.resumed_from == 6
    assert dossier.stopped_early
    assert (dossier.best_step, dossier.steps_done) == (4, 8)
    assert dossier.best_validation_loss == 1.0
    adapter = tensors((folder / weights).read_bytes())
    assert adapter == tensors(kept[4])
    assert adapter != tensors(kept[6])


def tensors(data: bytes) -> dict[str, Any]:
    from safetensors.torch import load

    return {name: tensor.tolist() for name, tensor in load(data).items()}


def stop_at(step: int) -> Callable[[str, int, int, str], None]:
    def stop(_stage: str, done: int, _total: int, _detail: str) -> None:
        if done == step:
            raise KeyboardInterrupt

    return stop


def test_an_interrupt_is_resumed_to_the_same_adapter(project: Path, recipe: MakeRecipe) -> None:
    """In the second epoch, whose order is another than the first one's."""
    wanted = recipe(batch_size=8)
    with pytest.raises(KeyboardInterrupt):
        train(wanted, project_dir=project, on_progress=stop_at(5))
    folder = project / ".harness" / "candidates" / "cand"
    assert not (folder / "candidate.json").exists()
    said: list[tuple[int, str]] = []
    dossier = train(wanted, project_dir=project, on_progress=told(said))
    assert dossier.resumed_from == 4
    assert [done for done, _ in said] == [4, 5, 6]
    whole = train(wanted, project_dir=project, force=True)
    assert whole.resumed_from == 0
    assert whole.adapter_digest == dossier.adapter_digest


def test_checkpoints_of_another_recipe_are_not_used(project: Path, recipe: MakeRecipe) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(recipe(), project_dir=project, on_progress=stop_at(3))
    assert last_checkpoint(project / ".harness/candidates/cand/.training") is not None
    with pytest.raises(KeyboardInterrupt):
        # From step 2 on, the first step would be the third.
        train(recipe(alpha=8), project_dir=project, on_progress=stop_at(1))


def test_a_missing_base_is_one_line(project: Path, recipe: MakeRecipe) -> None:
    with pytest.raises(RecipeError) as caught:
        train(recipe(base=".harness/models/gone"), project_dir=project)
    assert "no base model at .harness/models/gone" in caught.value.line
    assert "a model on a hub is written `ORG/NAME`" in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_base_of_pickles_is_told_before_its_missing_tokenizer(
    project: Path, recipe: MakeRecipe
) -> None:
    base = project / ".harness/models/pickled"
    base.mkdir(parents=True)
    (base / "config.json").write_text("{}")
    (base / "pytorch_model.bin").touch()
    with pytest.raises(RecipeError, match=r"weights are pickles \(pytorch_model\.bin\)") as caught:
        train(recipe(base=".harness/models/pickled"), project_dir=project)
    assert caught.value.hint == "save it again as safetensors"


@pytest.mark.parametrize("family", ["qwen2_5", "gemma"])
def test_a_makers_own_template_trains_on_the_answers_alone(
    project: Path, recipe: MakeRecipe, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The labels are caught where the loss is computed, the padding with them."""
    from trl import SFTTrainer

    made = FAMILIES[family]
    base = write_base(made, project / ".harness" / "models" / family)
    tokenizer = byte_tokenizer(made)
    compute = SFTTrainer.compute_loss
    learnt, pads = set[str](), 0

    def compute_loss(self: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal pads
        for ids, labels, seen in zip(
            *(inputs[key].tolist() for key in ("input_ids", "labels", "attention_mask")),
            strict=True,
        ):
            kept = [one for one in labels if one != -100]
            assert all(label in (-100, one) for one, label in zip(ids, labels, strict=True))
            assert all(label == -100 for label, on in zip(labels, seen, strict=True) if not on)
            pads += seen.count(0)
            learnt.add(str(tokenizer.decode(kept)))
        return compute(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(SFTTrainer, "compute_loss", compute_loss)
    data = project / "data.jsonl"
    text = data.read_text(encoding="utf-8")
    data.write_text(text.replace("Answer 3.", "A much longer answer."), encoding="utf-8")
    said: list[str] = []
    wanted = recipe(base=str(base.relative_to(project)), steps=6, max_length=200)
    dossier = train(wanted, project_dir=project, on_say=said.append)
    end = "<|im_end|>" if family == "qwen2_5" else "<end_of_turn>"
    answers = {f"Answer {n}.{end}" for n in (0, 1, 2, 4, 5)} | {f"A much longer answer.{end}"}
    assert learnt == answers
    assert pads > 0
    assert dossier.learnt is not None
    assert dossier.learnt.found == "prefix"
    assert f"⟦Answer 0.{end}⟧" in said[1]
    assert load_dossier(prepare(wanted, project)) == dossier


def test_a_token_that_the_base_does_not_know_is_one_line(project: Path, recipe: MakeRecipe) -> None:
    """As where a token was added to the tokenizer and the embedding was not resized."""
    from tokenizers import AddedToken

    base = write_base(FAMILIES["gemma"], project / ".harness" / "models" / "gemma")
    tokenizer = byte_tokenizer(FAMILIES["gemma"])
    tokenizer.add_tokens([AddedToken("Answer", special=False)])
    tokenizer.save_pretrained(base)
    with pytest.raises(RecipeError) as caught:
        train(recipe(base=str(base), max_length=200), project_dir=project)
    assert "the token `Answer` (id 260), and the base's embedding has 260 rows" in caught.value.what


def test_a_loss_that_is_not_finite_is_one_line(
    project: Path, recipe: MakeRecipe, micro_base: Path
) -> None:
    """The base holds a weight that is no number, so no loss can be one on any machine."""
    from safetensors.torch import load_file, save_file

    base = project / ".harness" / "models" / "poisoned"
    shutil.copytree(micro_base, base)
    weights = load_file(base / "model.safetensors")
    weights["model.norm.weight"].fill_(math.nan)
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(TrainingError, match="validation loss is not finite at step 2") as caught:
        train(
            recipe(base=".harness/models/poisoned", steps=4, evaluate_every=2), project_dir=project
        )
    assert "lower learning_rate" in caught.value.line
    assert not (project / ".harness/candidates/cand/candidate.json").exists()


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


def test_a_base_by_its_name_on_a_hub(
    project: Path, recipe: MakeRecipe, micro_base: Path, hub: HubServer
) -> None:
    commit = hub.put("org/micro", micro_base)
    mine = recipe(base="org/micro", steps=2, evaluate_every=2)
    dossier = train(mine, project_dir=project)
    assert dossier.base_source == f"org/micro@{commit}"
    assert dossier.base_digest == model_digest(micro_base)
    folder = project / ".harness/candidates/cand"
    config = json.loads((folder / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == ("org/micro", commit)
    assert "base_source" in (folder / "candidate.json").read_text()
    before = len(hub.requests)
    assert train(mine, project_dir=project) == dossier
    assert len(hub.requests) == before


def test_the_data_is_read_before_a_base_is_fetched(
    project: Path, recipe: MakeRecipe, micro_base: Path, hub: HubServer
) -> None:
    hub.put("org/micro", micro_base)
    with pytest.raises(RecipeError, match=r"no such data file: dta\.jsonl"):
        prepare(recipe(base="org/micro", data=["dta.jsonl"]), project)
    assert hub.requests == []


def test_a_base_that_no_hub_has(project: Path, recipe: MakeRecipe, hub: HubServer) -> None:
    with pytest.raises(UsageError, match=r"recipe cand: base: http\S+ shows no model `org/micro`"):
        prepare(recipe(base="org/micro"), project)
