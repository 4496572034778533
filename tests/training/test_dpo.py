"""Real training on preferences, very small."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import RecipeError
from harness.training.candidate import Curves, Dossier, Recipe
from harness.training.job import load_dossier, prepare
from harness.training.train import train
from tests.training.conftest import make_recipe

FOLDER = ".harness/candidates/cand"


def message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def pair(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "prompt": [message("user", f"Question {number}?")],
        "chosen": [message("assistant", "Yes, of course.")],
        "rejected": [message("assistant", f"No {number % 3}.")],
        **changes,
    }


@pytest.fixture
def pairs(project: Path) -> Path:
    lines = [json.dumps(pair(number)) for number in range(24)]
    (project / "pairs.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return project


def preferences(**changes: Any) -> Recipe:
    settings = {"method": "dpo", "data": ["pairs.jsonl"], "steps": 8, "evaluate_every": 4}
    return make_recipe(**{**settings, "learning_rate": 0.02, "checkpoint_every": 4, **changes})


def stop_at(step: int) -> Callable[[str, int, int, str], None]:
    def stop(_stage: str, done: int, _total: int, _detail: str) -> None:
        if done == step:
            raise KeyboardInterrupt

    return stop


def test_pairs_give_an_adapter_that_prefers_the_chosen_answers(pairs: Path) -> None:
    said: list[str] = []
    details: list[str] = []
    dossier = train(
        preferences(system_prompt="Be kind."),
        project_dir=pairs,
        on_say=said.append,
        on_progress=lambda _stage, _done, _total, detail: details.append(detail),
    )
    assert dossier.steps_done == 8
    assert dossier.learnt is not None
    assert dossier.learnt.examples == dossier.split.train_conversations
    first = dossier.learnt.first_example
    assert first.endswith("Question 0?<|end|><|assistant|>⟦Yes, of course.<|end|>⟧")
    assert dossier.learnt.first_rejected is not None
    assert dossier.learnt.first_rejected.endswith("⟦No 0.<|end|>⟧")
    assert "Be kind." in first
    assert any("pairs, found by" in text and "its rejected answer:" in text for text in said)
    curves = Curves.model_validate_json((pairs / FOLDER / "curves.json").read_text("utf-8"))
    held = [point for point in curves.points if point.validation is not None]
    assert [point.step for point in held] == [4, 8]
    assert held[-1].validation_accuracy == 1.0
    assert held[-1].validation_margin is not None
    assert held[-1].validation_margin > 0
    assert held[-1].validation is not None
    assert held[-1].validation < 0.69  # ln 2 is the loss of an adapter that changes nothing
    assert any("100% of pairs right, margin " in detail for detail in details)
    assert "loss (of preferences)" in (pairs / FOLDER / "curves.svg").read_text("utf-8")
    assert load_dossier(prepare(preferences(system_prompt="Be kind."), pairs)) == dossier


def test_an_interrupt_is_resumed_to_the_same_adapter(pairs: Path) -> None:
    """Beside the reference, which a checkpoint holds as well."""
    train(make_recipe(name="first", steps=2), project_dir=pairs)
    wanted = preferences(start_from=".harness/candidates/first")
    with pytest.raises(KeyboardInterrupt):
        train(wanted, project_dir=pairs, on_progress=stop_at(6))
    dossier = train(wanted, project_dir=pairs)
    assert dossier.resumed_from == 4
    whole = train(wanted, project_dir=pairs, force=True)
    assert whole.resumed_from == 0
    assert whole.adapter_digest == dossier.adapter_digest


def test_a_training_starts_from_a_candidate_with_it_as_the_reference(pairs: Path) -> None:
    train(make_recipe(name="first"), project_dir=pairs)
    start = ".harness/candidates/first"
    wanted = preferences(start_from=start, patience=9, learning_rate=1e-9)
    with pytest.raises(KeyboardInterrupt):
        train(wanted, project_dir=pairs, on_progress=stop_at(6))
    dossier = train(wanted, project_dir=pairs)
    assert dossier.resumed_from == 4
    assert dossier.start_digest is not None
    assert not (pairs / FOLDER / "ref").exists()
    # So small a rate leaves the adapter where it was: no gain over a reference that it is.
    assert dossier.best_validation_loss == pytest.approx(0.6931, abs=1e-4)
    from safetensors.torch import load_file

    mine, first = (
        load_file(folder / "adapter_model.safetensors")
        for folder in (pairs / FOLDER, pairs / start)
    )
    assert mine.keys() == first.keys()
    assert all((mine[name] - first[name]).abs().max() < 1e-5 for name in mine)
    weights = pairs / start / "adapter_model.safetensors"
    weights.write_bytes((pairs / FOLDER / "adapter_model.safetensors").read_bytes() + b" ")
    assert load_dossier(prepare(wanted, pairs)) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"start_from": ".harness/candidates/gone"}, "no adapter at .harness/candidates/gone"),
        ({"data": ["data.jsonl"]}, "data.jsonl:1: "),
        ({"max_length": 8}, "no pair to train on is within 8 tokens"),
    ],
)
def test_what_does_not_fit_is_one_line(pairs: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError) as caught:
        train(preferences(**changes), project_dir=pairs)
    assert said in caught.value.line


def test_an_adapter_of_another_form_is_refused(pairs: Path) -> None:
    folder = pairs / ".harness/candidates/first"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text('{"r": 64, "lora_alpha": 4}', encoding="utf-8")
    (folder / "adapter_model.safetensors").write_bytes(b"")
    wanted = preferences(start_from=".harness/candidates/first")
    with pytest.raises(RecipeError, match="the adapter has rank 64, and the recipe 2"):
        prepare(wanted, pairs)
    form: dict[str, Any] = {"r": 2, "lora_alpha": 4, "target_modules": ["q_proj", "v_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(form), encoding="utf-8")
    start = str(folder)
    assert prepare(preferences(start_from=start, target_modules=["v_proj", "q_proj"]), pairs).start
    with pytest.raises(RecipeError, match="has other target_modules than the recipe"):
        prepare(preferences(start_from=start, target_modules=["q_proj"]), pairs)
    with pytest.raises(RecipeError, match="has other modules_to_save than the recipe: none"):
        prepare(preferences(start_from=start, modules_to_save=["lm_head"]), pairs)
    config = json.dumps(form)
    (folder / "adapter_config.json").write_text(config, encoding="utf-8")
    (folder / "candidate.json").write_text('{"base_digest": "sha256:another"}', encoding="utf-8")
    with pytest.raises(RecipeError, match="was trained on another base"):
        prepare(wanted, pairs)


def test_a_dossier_of_another_method_is_written_as_before(pairs: Path) -> None:
    text = train(make_recipe(steps=1), project_dir=pairs).model_dump_json()
    written = json.loads(text)
    assert "start_digest" not in written
    assert "first_rejected" not in written["learnt"]
    assert Dossier.model_validate_json(text).model_dump_json() == text
