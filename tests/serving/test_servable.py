"""What vLLM cannot serve is said before a server starts, with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.model_files import read_shapes
from harness.serving.servable import check_servable
from tests.serving import made


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"use_dora": True}, "vLLM cannot serve this adapter: DoRA - merge it into its base"),
        ({"lora_bias": True}, "a bias of its own"),
        ({"bias": "lora_only"}, "`bias: lora_only`"),
        ({"modules_to_save": ["lm_head", "embed_tokens"]}, ": lm_head, embed_tokens)"),
        ({"init_lora_weights": "pissa_niter_16"}, "`init_lora_weights: pissa_niter_16`"),
        ({"layer_replication": [[0, 2]]}, "`layer_replication`"),
        ({"trainable_token_indices": {"embed_tokens": [1]}}, "single tokens trained"),
        ({"use_dora": True, "bias": "all"}, "DoRA; it trains the base's biases"),
    ],
)
def test_a_setting_that_vllm_refuses_is_named(
    config: dict[str, object], says: str, model: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        check_servable(made.write_adapter(tmp_path / "a", **config), model)
    assert says in caught.value.line
    assert "\n" not in caught.value.line


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"use_rslora": True, "use_dora": False, "bias": "none", "modules_to_save": None},
        {"init_lora_weights": "gaussian"},
        {"init_lora_weights": True, "rank_pattern": {"q_proj": 8}},
        {"modules_to_save": ["score"]},
    ],
)
def test_what_vllm_serves_is_let_through(
    config: dict[str, object], model: Path, tmp_path: Path
) -> None:
    check_servable(made.write_adapter(tmp_path / "a", **config), model)


def test_whole_weights_beside_the_adapter_are_named_with_their_rows(
    model: Path, tmp_path: Path
) -> None:
    folder = made.write_adapter(tmp_path / "a")
    shapes = read_shapes(folder / "adapter_model.safetensors")
    start = "base_model.model."
    more = {
        f"{start}model.embed_tokens.weight": (34, 8),
        f"{start}lm_head.weight": (34, 8),
        f"{start}model.layers.0.self_attn.q_proj.lora_magnitude_vector": (8,),
    }
    made.write_safetensors(folder / "adapter_model.safetensors", {**shapes, **more})
    with pytest.raises(UsageError) as caught:
        check_servable(folder, model)
    assert caught.value.what == (
        "vLLM cannot serve this adapter: it holds the whole lm_head.weight; it holds the whole "
        "model.embed_tokens.weight, 34 rows where the base has 32"
    )


@pytest.mark.parametrize(("rows", "refused"), [(32, False), (34, True)])
def test_the_bases_embedding_beside_lora_on_it_is_passed_over(
    rows: int, refused: bool, model: Path, tmp_path: Path
) -> None:
    """As peft writes it where the embedding is a target; resized, it is no longer the base's."""
    folder = made.write_adapter(tmp_path / "a")
    shapes = read_shapes(folder / "adapter_model.safetensors")
    start = "base_model.model.model.embed_tokens"
    more = {
        f"{start}.base_layer.weight": (rows, 8),
        f"{start}.lora_embedding_A": (4, rows),
        f"{start}.lora_embedding_B": (8, 4),
    }
    made.write_safetensors(folder / "adapter_model.safetensors", {**shapes, **more})
    if refused:
        with pytest.raises(UsageError, match="34 rows where the base has 32"):
            check_servable(folder, model)
    else:
        check_servable(folder, model)
