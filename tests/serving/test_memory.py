"""The estimate of the memory to serve a model."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.machine_memory import GIB
from harness.serving.memory import needed_memory

# Llama 3.2 1B, as its config.json has it.
LLAMA = {
    "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8,
    "head_dim": 64, "hidden_size": 2048, "max_position_embeddings": 131072,
    "torch_dtype": "bfloat16",
}  # fmt: skip


def model_in(folder: Path, config: dict[str, Any] | None, numbers: int = 1000) -> Path:
    folder.mkdir(exist_ok=True)
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    entry = {"dtype": "F32", "shape": [numbers], "data_offsets": [0, 4 * numbers]}
    head = json.dumps({"x": entry}).encode()
    data = struct.pack("<Q", len(head)) + head + bytes(4 * numbers)
    (folder / "model.safetensors").write_bytes(data)
    return folder


@pytest.mark.parametrize(
    ("args", "cache"),
    [
        # 2 x 16 layers x 8 heads x 64 x 2 bytes = 32 KiB a token.
        ({}, 4 * GIB),
        ({"max-model-len": 4096}, 128 * 1024**2),
        ({"max-model-len": "4096", "kv-cache-dtype": "fp8_e5m2"}, 64 * 1024**2),
        ({"max-model-len": 4096, "dtype": "float32"}, 256 * 1024**2),
    ],
)
def test_the_cache_of_one_conversation(args: dict[str, Any], cache: int, tmp_path: Path) -> None:
    assert needed_memory(model_in(tmp_path / "m", LLAMA), args).cache == cache


def test_weights_are_as_stored_or_as_they_are_loaded(tmp_path: Path) -> None:
    model = model_in(tmp_path / "m", LLAMA)
    stored = (model / "model.safetensors").stat().st_size
    assert needed_memory(model, {}).weights == stored
    assert needed_memory(model, {"dtype": "bfloat16"}).weights == 2000
    assert needed_memory(model, {"dtype": "half", "quantization": "awq"}).weights == stored


def test_a_configuration_inside_another_and_heads_that_say_no_size(tmp_path: Path) -> None:
    inner = {key: value for key, value in LLAMA.items() if key != "head_dim"}
    model = model_in(tmp_path / "m", {"text_config": inner})
    assert needed_memory(model, {"max-model-len": 4096}).cache == 128 * 1024**2


@pytest.mark.parametrize("config", [None, {}, {"num_hidden_layers": "many"}])
def test_a_configuration_that_tells_nothing(config: dict[str, Any] | None, tmp_path: Path) -> None:
    assert needed_memory(model_in(tmp_path / "m", config), {}).cache is None


def test_weights_that_cannot_be_read(tmp_path: Path) -> None:
    model = model_in(tmp_path / "m", LLAMA)
    (model / "model.safetensors").write_bytes(b"short")
    with pytest.raises(UsageError, match="not a safetensors"):
        needed_memory(model, {"dtype": "float16"})
