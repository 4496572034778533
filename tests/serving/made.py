"""Tiny models and adapters, written byte by byte: no torch."""

import json
import struct
from pathlib import Path


def write_safetensors(path: Path, shapes: dict[str, tuple[int, ...]], fill: int = 0) -> None:
    header: dict[str, object] = {}
    position = 0
    for name, shape in shapes.items():
        size = 2
        for side in shape:
            size *= side
        header[name] = {
            "dtype": "BF16",
            "shape": list(shape),
            "data_offsets": [position, position + size],
        }
        position += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes([fill]) * position)


def write_model(folder: Path, *, hidden: int = 8, layers: int = 2) -> Path:
    folder.mkdir(parents=True)
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (32, hidden)}
    for layer in range(layers):
        shapes[f"model.layers.{layer}.self_attn.q_proj.weight"] = (hidden, hidden)
        shapes[f"model.layers.{layer}.mlp.down_proj.weight"] = (hidden, 2 * hidden)
    write_safetensors(folder / "model.safetensors", shapes)
    (folder / "config.json").write_text(json.dumps({"num_hidden_layers": layers}))
    (folder / "generation_config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text('{"chat_template": "one"}')
    return folder


def write_adapter(
    folder: Path,
    *,
    hidden: int = 8,
    layers: int = 2,
    rank: int = 4,
    fill: int = 0,
    **config: object,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(layers):
        for module, size in (("self_attn.q_proj", hidden), ("mlp.down_proj", 2 * hidden)):
            start = f"base_model.model.model.layers.{layer}.{module}"
            shapes[f"{start}.lora_A.weight"] = (rank, size)
            shapes[f"{start}.lora_B.weight"] = (hidden, rank)
    write_safetensors(folder / "adapter_model.safetensors", shapes, fill)
    settings = {
        "peft_type": "LORA",
        "r": rank,
        "lora_alpha": 2 * rank,
        "target_modules": ["q_proj", "down_proj"],
        "base_model_name_or_path": "somewhere/else",
        **config,
    }
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return folder
