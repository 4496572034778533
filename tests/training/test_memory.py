"""The memory of a training, estimated from shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import RecipeError, TrainingError, UsageError
from harness.machine_memory import GIB
from harness.training import memory
from harness.training.candidate import Recipe
from harness.training.job import find_base, prepare
from harness.training.memory import Batch, Estimate, check_memory, estimate_memory
from harness.training.precision import Device, Precision
from tests.hub_server import HubServer
from tests.training.conftest import make_recipe

CPU = Device("cpu", "CPU", bf16=True)
GPU = Device("cuda", "A100", bf16=True)
STORED = Precision("auto", None, "float32")
MIXED = Precision("auto", "bf16", "bfloat16")
HIDDEN, WIDE, LAYERS, WORDS = 64, 160, 3, 500
# Of a layer: q and o of 64 x 64, k and v of 64 x 32 (one of two heads), three of the MLP.
LINEAR = LAYERS * (2 * HIDDEN * HIDDEN + 2 * HIDDEN * 32 + 3 * HIDDEN * WIDE)
NORMS = (2 * LAYERS + 1) * HIDDEN
ADAPTER = 2 * LAYERS * (2 * (HIDDEN + HIDDEN) + 2 * (HIDDEN + 32) + 3 * (HIDDEN + WIDE))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The configuration of a Llama, and nothing else."""
    config = {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "dtype": "bfloat16",
        "hidden_size": HIDDEN, "intermediate_size": WIDE, "num_hidden_layers": LAYERS,
        "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": WORDS,
        "tie_word_embeddings": True,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return tmp_path


def estimate(
    base: Path, precision: Precision = STORED, batch: tuple[int, int] = (2, 100), **settings: Any
) -> Estimate:
    device = GPU if precision.autocast else CPU
    recipe = make_recipe(base=str(base), **settings)
    return estimate_memory(base, recipe, precision, device, Batch(*batch, batch[1]))


def test_weights_and_what_is_trained_are_counted_exactly(base: Path) -> None:
    found = estimate(base)
    assert found.weights == 2 * (LINEAR + NORMS + WORDS * HIDDEN)  # bfloat16, tied embeddings
    assert found.trainable == ADAPTER
    assert found.trained == 4 * 4 * ADAPTER  # float32: itself, its gradient, two moments
    assert found.parameters == LINEAR + NORMS + WORDS * HIDDEN + ADAPTER
    assert found.device == 0


def test_whole_modules_and_other_targets_are_counted(base: Path) -> None:
    assert estimate(base, target_modules=["q_proj"]).trainable == 2 * LAYERS * 2 * HIDDEN
    whole = estimate(base, modules_to_save=["lm_head"]).trainable
    assert whole == ADAPTER + WORDS * HIDDEN


def test_a_base_in_four_bits_is_a_little_over_half_a_byte_a_weight(base: Path) -> None:
    found = estimate(base, method="qlora")
    other = 2 * (NORMS + WORDS * HIDDEN)
    assert found.weights - other == pytest.approx(LINEAR * 0.516, rel=0.001)
    assert found.trained == 4 * 2 * ADAPTER  # bfloat16


def test_activations_grow_with_tokens_and_shrink_with_checkpointing(base: Path) -> None:
    plain = estimate(base, MIXED).kept
    assert estimate(base, MIXED, (4, 100)).kept == pytest.approx(2 * plain, rel=0.05)
    saved = estimate(base, MIXED, gradient_checkpointing=True)
    # Of each layer its input in bfloat16; of the last norm, its input and a number a token.
    tokens = 200
    assert saved.kept == LAYERS * tokens * HIDDEN * 2 + tokens * HIDDEN * 4 + tokens * 4
    assert saved.kept < plain / 10
    assert saved.working > estimate(base, MIXED).working


def test_the_activations_are_those_that_autograd_keeps(base: Path) -> None:
    """Held against the same model with numbers in it; the mask is counted for each layer."""
    import torch
    from peft import get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    from harness.training.adapter import adapter_config

    config = AutoConfig.from_pretrained(base)
    bare = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model = get_peft_model(bare, adapter_config(make_recipe()))
    own = {one.data_ptr() for one in model.parameters()}
    kept: dict[int, int] = {}
    alive = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        alive.append(tensor)
        if tensor.data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    ids = torch.zeros((2, 100), dtype=torch.long)
    mask = torch.ones_like(ids)
    mask[0, 50:] = 0
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model.get_base_model().model(input_ids=ids, attention_mask=mask, use_cache=False)
    found = estimate(base, Precision("float32", None, "float32")).kept
    assert sum(kept.values()) <= found <= 1.15 * sum(kept.values())


def job_of(project: Path, **settings: Any) -> tuple[Any, Batch]:
    return prepare(make_recipe(**settings), project), Batch(4, 32, 32)


def test_too_little_memory_is_refused_before_the_base_is_loaded(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 100_000)
    job, batch = job_of(project)
    said: list[str] = []
    with pytest.raises(TrainingError) as caught:
        check_memory(job, STORED, CPU, batch, said.append)
    assert "of memory and 0.0954 MiB are free on CPU" in caught.value.line
    assert "`gradient_checkpointing: true` or `method: qlora`" in caught.value.hint
    assert caught.value.exit_code == 3
    assert said[0].startswith("  memory: about ")


def test_memory_that_may_not_do_is_noted(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, batch = job_of(project, gradient_checkpointing=True, method="qlora", batch_size=1)
    found = estimate_memory(job.base, job.recipe, STORED, CPU, batch)
    monkeypatch.setattr(memory, "free_memory", lambda: found.total - 1)
    said: list[str] = []
    check_memory(job, STORED, CPU, batch, said.append)
    assert (
        said[1] == "  note: it may not fit; smaller with a smaller `max_length` or a smaller base"
    )
    monkeypatch.setattr(memory, "free_memory", lambda: None)
    check_memory(job, STORED, CPU, batch, said.append)
    assert len(said) == 3
    assert "free" not in said[2]


def test_a_base_that_cannot_be_built_is_left_to_its_loading(project: Path) -> None:
    job, batch = job_of(project, target_modules=["no_such_module"])
    said: list[str] = []
    check_memory(job, STORED, CPU, batch, said.append)
    assert said[0].startswith("  memory cannot be told before the base is loaded: NoMatching")


def test_the_estimate_in_words_needs_a_configuration_alone(base: Path) -> None:
    recipe: Recipe = make_recipe(base=str(base), max_length=100)
    told = memory.estimate_in_words(recipe, base, "cuda")
    assert told.startswith("cand on a GPU, weights as stored, computed in bf16: about 517 MiB")
    assert "4 x 100 tokens" in told
    assert "0.308 MiB weights of 0.1615 million parameters, " in told  # two bytes each
    here = memory.estimate_in_words(recipe, base, None)
    assert here.startswith("cand on CPU, weights as stored: about ")
    assert here.endswith(" free")
    (base / "config.json").write_text('{"model_type": "no such"}', encoding="utf-8")
    with pytest.raises(RecipeError, match="recipe cand: base: the libraries cannot build the base"):
        memory.estimate_in_words(recipe, base, None)


def test_the_estimate_fetches_a_configuration_alone(
    base: Path, tmp_path: Path, hub: HubServer
) -> None:
    """And a training fetches the rest."""
    (base / "model.safetensors").write_bytes(b"some gigabytes")
    hub.put("org/micro", base)
    recipe: Recipe = make_recipe(base="org/micro")
    assert "parameters" in memory.estimate_in_words(recipe, tmp_path, "cuda")
    assert hub.fetched() == ["config.json"]
    assert (find_base(recipe, tmp_path).path / "model.safetensors").is_file()
    hub.put("org/pickles", {"config.json": b"{}", "pytorch_model.bin": b""})
    with pytest.raises(UsageError, match="holds pickles only"):
        memory.estimate_in_words(make_recipe(base="org/pickles"), tmp_path, "cuda")


def test_sizes_are_told_in_gib(base: Path) -> None:
    found = estimate(base)
    assert found.total == sum(
        (found.weights, found.trained, found.kept, found.working, found.device)
    )
    assert estimate(base, MIXED).device == GIB // 2
