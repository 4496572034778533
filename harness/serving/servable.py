"""What vLLM cannot serve of an adapter, found before a server starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.model_files import ADAPTER_WEIGHTS, Shapes, read_model_shapes, read_shapes
from harness.serving.adapter import HALF, PREFIX, read_adapter_config

# Keys of peft's configuration that vLLM refuses where they are set (vllm/lora/peft_helper.py).
_REFUSED = {
    "use_dora": "DoRA",
    "lora_bias": "a bias of its own (`lora_bias`)",
    "alora_invocation_tokens": "activated LoRA (`alora_invocation_tokens`)",
    "layer_replication": "`layer_replication`",
    "use_bdlora": "block-diagonal LoRA",
    "use_qalora": "QALoRA",
    "trainable_token_indices": "single tokens trained (`trainable_token_indices`)",
}
# Starts from which peft changes the base's own weights when it loads the adapter.
_CHANGE_BASE = ("pissa", "olora", "corda", "loftq")
_HEADS = ("classifier", "score")
_UNDER = ".base_layer."
_VECTOR = ".lora_magnitude_vector"  # of DoRA, and named as such


def check_servable(adapter: Path, model: Path) -> None:
    """Return if vLLM can serve the adapter beside its base, the rank aside.

    Raises:
        UsageError: it cannot, and why; or one of the two cannot be read.
    """
    config = read_adapter_config(adapter)
    found = [*_refused(config), *_whole(read_shapes(adapter / ADAPTER_WEIGHTS), model)]
    if found:
        raise UsageError(
            f"vLLM cannot serve this adapter: {'; '.join(found)}",
            where=str(adapter),
            hint="merge it into its base with `harness merge CANDIDATE`, and test that folder as a "
            "server's `model`",
        )


def _refused(config: dict[str, Any]) -> Iterator[str]:
    yield from (words for key, words in _REFUSED.items() if config.get(key))
    if config.get("bias") not in (None, "none"):
        yield f"it trains the base's biases (`bias: {config['bias']}`)"
    saved = [str(one) for one in config.get("modules_to_save") or () if one not in _HEADS]
    if saved:
        yield f"it replaces whole modules (`modules_to_save`: {', '.join(saved)})"
    start = str(config.get("init_lora_weights", ""))
    if start.lower().startswith(_CHANGE_BASE):
        yield f"it starts from a changed base (`init_lora_weights: {start}`)"


def _whole(shapes: Shapes, model: Path) -> Iterator[str]:
    """The weights in the adapter that are no LoRA, which is how resized embeddings are kept."""
    base = read_model_shapes(model)
    for name, shape in sorted(shapes.items()):
        if HALF.match(name) or _VECTOR in name:
            continue
        module = name.removeprefix(PREFIX)
        own = base.get(module.replace(_UNDER, "."))
        resized = own is not None and own[0] != shape[0]
        # Beside LoRA on an embedding peft keeps the base's own, which vLLM passes over.
        if _UNDER in module and not resized:
            continue
        rows = f", {shape[0]} rows where the base has {own[0]}" if own and resized else ""
        yield f"it holds the whole {module}{rows}"
