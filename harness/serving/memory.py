"""The memory that a model needs to be served; bytes throughout."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.model_files import read_model_shapes

_BYTES = {"float32": 4, "float": 4, "float16": 2, "half": 2, "bfloat16": 2}
# vLLM's own default of `gpu-memory-utilization`.
GPU_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Needed:
    """What serving takes: the weights, and the keys and values of one conversation of full length.

    `tokens` is that length; what the model's configuration does not tell is None. vLLM's own
    memory comes on top.
    """

    weights: int
    tokens: int | None
    cache: int | None


def needed_memory(model: Path, args: Mapping[str, Any]) -> Needed:
    """The estimate for a model's folder under vLLM's options, their names with dashes.

    A token's keys and values are 2 x layers x key-value heads x head size numbers.

    Raises:
        UsageError: the weights cannot be read.
    """
    config = _config(model)
    dtype = str(args.get("dtype", "auto"))
    stored = sum(file.stat().st_size for file in model.glob("*.safetensors"))
    weights = stored
    if dtype in _BYTES and "quantization" not in args:
        weights = _BYTES[dtype] * sum(map(math.prod, read_model_shapes(model).values()))
    tokens = _number(args.get("max-model-len")) or _number(config.get("max_position_embeddings"))
    own = str(config.get("dtype") or config.get("torch_dtype") or "bfloat16")
    size = 1 if "fp8" in str(args.get("kv-cache-dtype", "")) else _BYTES.get(dtype, 0)
    size = size or _BYTES.get(own.removeprefix("torch."), 2)
    heads = _number(config.get("num_attention_heads"))
    shared = _number(config.get("num_key_value_heads")) or heads
    hidden = _number(config.get("hidden_size"))
    head = _number(config.get("head_dim")) or (hidden // heads if hidden and heads else None)
    layers = _number(config.get("num_hidden_layers"))
    if not (tokens and layers and shared and head):
        return Needed(weights, tokens, None)
    return Needed(weights, tokens, 2 * layers * shared * head * size * tokens)


def _config(model: Path) -> dict[str, Any]:
    """The part of config.json that describes the language model; empty where it cannot be read."""
    try:
        data = json.loads((model / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(data, dict):
        return {}
    inner = data.get("text_config")
    return {**data, **inner} if isinstance(inner, dict) else data


def _number(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() and int(text) > 0 else None
