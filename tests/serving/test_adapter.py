"""Adapters are read without torch, and refused on a base they were not made for."""

import json
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.serving.adapter import check_fits, read_adapter
from tests.serving import made


def test_what_an_adapter_is(adapter: Path) -> None:
    info = read_adapter(adapter)
    assert (info.rank, info.base_name) == (4, "somewhere/else")
    assert info.target_modules == ("down_proj", "q_proj")
    assert info.digest.startswith("sha256:")


def test_the_digest_covers_what_counts(tmp_path: Path) -> None:
    first = read_adapter(made.write_adapter(tmp_path / "a")).digest
    same = {
        "base_model_name_or_path": "other/place",
        "peft_version": "9",
        "lora_dropout": 0.5,
        "target_modules": ["down_proj", "q_proj"],
    }
    for key, value in same.items():
        assert read_adapter(made.write_adapter(tmp_path / "b", **{key: value})).digest == first, key
    other = {"lora_alpha": 9, "use_rslora": True, "fill": 1}
    for key, value in other.items():
        assert read_adapter(made.write_adapter(tmp_path / "c", **{key: value})).digest != first, key


def test_the_rank_is_the_largest(tmp_path: Path) -> None:
    folder = made.write_adapter(tmp_path / "a", rank_pattern={"q_proj": 24})
    assert read_adapter(folder).rank == 24


def test_it_fits(adapter: Path, model: Path) -> None:
    check_fits(adapter, model)


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ({"hidden": 16}, "is 16x16"),
        ({"layers": 1}, "layers.1.self_attn.q_proj is not in"),
        ({"layers": 3}, "it has 2 layers"),
    ],
)
def test_an_adapter_for_another_base(
    base: dict[str, int], words: str, adapter: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        check_fits(adapter, made.write_model(tmp_path / "other", **base))
    assert "is for another base" in caught.value.line
    assert words in caught.value.line
    assert "somewhere/else" in caught.value.line
    assert "\n" not in caught.value.line


def test_layers_left_out_on_purpose(tmp_path: Path) -> None:
    model = made.write_model(tmp_path / "m", layers=3)
    check_fits(made.write_adapter(tmp_path / "a", layers_to_transform=[0, 1]), model)


def test_a_tied_head_and_packed_weights(tmp_path: Path, model: Path) -> None:
    folder = made.write_adapter(tmp_path / "a")
    made.write_safetensors(
        folder / "adapter_model.safetensors",
        {
            "base_model.model.lm_head.lora_A.weight": (4, 8),
            "base_model.model.lm_head.lora_B.weight": (32, 4),
            "base_model.model.model.embed_tokens.lora_embedding_A": (4, 32),
            "base_model.model.model.embed_tokens.lora_embedding_B": (8, 4),
            "base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight": (4, 8),
        },
    )
    check_fits(folder, model)
    packed = tmp_path / "packed"
    made.write_model(packed)
    made.write_safetensors(
        packed / "model.safetensors",
        {
            "model.embed_tokens.weight": (32, 8),
            "model.layers.1.self_attn.q_proj.qweight": (1, 8),
        },
    )
    check_fits(folder, packed)


def test_shards_count_together(adapter: Path, model: Path) -> None:
    made.write_safetensors(
        model / "model.safetensors", {"model.layers.0.self_attn.q_proj.weight": (8, 8)}
    )
    made.write_safetensors(
        model / "model-2.safetensors",
        {
            "model.layers.0.mlp.down_proj.weight": (8, 16),
            "model.layers.1.self_attn.q_proj.weight": (8, 8),
            "model.layers.1.mlp.down_proj.weight": (8, 16),
        },
    )
    check_fits(adapter, model)


def broken(folder: Path, how: str) -> None:
    config, weights = folder / "adapter_config.json", folder / "adapter_model.safetensors"
    if how == "no config":
        config.unlink()
    elif how == "no weights":
        weights.unlink()
    elif how == "pickle":
        weights.rename(folder / "adapter_model.bin")
    elif how == "bad json":
        config.write_text("{")
    elif how == "a list":
        config.write_text("[]")
    elif how in {"no rank", "endless rank"}:
        rank = {"r": 1e999} if how == "endless rank" else {}
        config.write_text(json.dumps({"target_modules": ["q_proj"], **rank}))
    elif how == "cut":
        weights.write_bytes(weights.read_bytes()[:-1])
    elif how == "cut header":
        weights.write_bytes(weights.read_bytes()[:20])
    elif how == "empty":
        weights.write_bytes(b"")
    elif how == "text":
        weights.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    elif how == "no lora":
        made.write_safetensors(weights, {"x": (1, 1)})


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("no config", "no such file"),
        ("no weights", "no such file"),
        ("pickle", "pickle"),
        ("bad json", "not JSON"),
        ("a list", "must hold an object"),
        ("no rank", "not the configuration of a LoRA"),
        ("endless rank", "not the configuration of a LoRA"),
        ("cut", "is cut"),
        ("cut header", "is not a safetensors file"),
        ("empty", "is not a safetensors file"),
        ("text", "is not a safetensors file"),
        ("no lora", "holds no LoRA tensors"),
    ],
)
def test_a_broken_adapter(how: str, words: str, adapter: Path) -> None:
    broken(adapter, how)
    with pytest.raises(UsageError) as caught:
        read_adapter(adapter)
    assert words in caught.value.line
    assert str(adapter) in caught.value.line


def test_no_adapter_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such adapter"):
        read_adapter(tmp_path / "none")
