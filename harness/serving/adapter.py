"""LoRA adapters on disk: what they are, and whether they fit a base model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.files import digest_json, file_digest
from harness.model_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    AS_SAFETENSORS,
    Shapes,
    read_json,
    read_model_shapes,
    read_shapes,
)

# Of the configuration, these change no answer: where it was trained, by what, and from what start.
_WITHOUT_EFFECT = frozenset(
    {
        "base_model_name_or_path", "revision", "peft_version", "inference_mode", "task_type",
        "auto_mapping", "lora_dropout", "loftq_config", "eva_config", "corda_config",
    }
)  # fmt: skip
PREFIX = "base_model.model."
HALF = re.compile(r"^(?P<module>.+)\.lora_(?P<embedding>embedding_)?(?P<half>[AB])(\.weight)?$")
_LAYER = re.compile(r"(?:^|\.)((?:layers|h|blocks|block)\.\d+\..+)$")


@dataclass(frozen=True, slots=True)
class AdapterInfo:
    """An adapter as its files describe it; `digest` covers all that can change an answer."""

    rank: int
    base_name: str
    target_modules: tuple[str, ...]
    digest: str


def read_adapter(path: Path) -> AdapterInfo:
    """What the adapter in a folder is, from its configuration and its tensors' header.

    Raises:
        UsageError: missing folder or file, weights in another format, broken JSON or tensors.
    """
    config = read_adapter_config(path)
    shapes = read_shapes(path / ADAPTER_WEIGHTS)
    halves = [shape for name, shape in shapes.items() if re.search(r"\.lora_(embedding_)?A", name)]
    if not halves:
        raise UsageError(
            "holds no LoRA tensors", where=str(path / ADAPTER_WEIGHTS), hint="train it again"
        )
    try:
        patterns = [int(rank) for rank in (config.get("rank_pattern") or {}).values()]
        rank = max([int(config["r"]), *patterns, *(min(shape) for shape in halves)])
        targets = _targets(config)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        raise UsageError(
            "is not the configuration of a LoRA adapter",
            where=str(path / ADAPTER_CONFIG),
            hint="it needs `r` and `target_modules`, as peft writes them",
        ) from None
    effective = {key: value for key, value in config.items() if key not in _WITHOUT_EFFECT}
    # peft keeps the targets as a set, and writes them in any order.
    effective["target_modules"] = sorted(targets)
    return AdapterInfo(
        rank=rank,
        base_name=str(config.get("base_model_name_or_path") or ""),
        target_modules=targets,
        digest=digest_json([effective, file_digest(path / ADAPTER_WEIGHTS)]),
    )


def read_adapter_config(path: Path) -> dict[str, Any]:
    """The configuration of the adapter in a folder.

    Raises:
        UsageError: no such folder, weights in a format that can run code, broken JSON.
    """
    if not path.is_dir():
        raise UsageError(
            "no such adapter", where=str(path), hint="train it first, or check the path"
        )
    if not (path / ADAPTER_WEIGHTS).is_file() and (path / "adapter_model.bin").exists():
        raise UsageError(
            "the adapter's weights are a pickle (adapter_model.bin), which can run code",
            where=str(path),
            hint=AS_SAFETENSORS,
        )
    config = read_json(path / ADAPTER_CONFIG)
    if not isinstance(config, dict):
        raise UsageError("must hold an object", where=str(path / ADAPTER_CONFIG))
    return config


def check_fits(adapter: Path, model: Path) -> None:
    """Return if every tensor of the adapter fits the module of the model that it is for.

    Shapes decide, and the count of layers; another path of the base does not.

    Raises:
        UsageError: the adapter is for another base, or one of the two cannot be read.
    """
    info = read_adapter(adapter)
    base = read_model_shapes(model)
    by_layer = {_from_layer(name): name for name in base}
    trained = f" (trained on {info.base_name})" if info.base_name else ""
    fan_in_fan_out = bool(read_adapter_config(adapter).get("fan_in_fan_out"))
    for name, shape in read_shapes(adapter / ADAPTER_WEIGHTS).items():
        match = HALF.match(name)
        if match is None:
            continue
        module = match["module"].removeprefix(PREFIX)
        expected = _base_shape(module, base, by_layer)
        if expected is None:
            raise _other_base(adapter, f"{module} is not in {model}{trained}")
        if len(expected) != 2:
            continue
        takes_in = match["half"] == "A"
        # A Linear's weight is (out, in); an Embedding's (vocabulary, out).
        side = expected[1] if takes_in != bool(match["embedding"]) else expected[0]
        own = (shape[1] if takes_in else shape[0]) if len(shape) == 2 else -1
        if own != side and not (fan_in_fan_out and own in expected):
            size = "x".join(map(str, expected))
            raise _other_base(adapter, f"{module} is {size} in {model}, not of size {own}{trained}")
    _check_depth(adapter, info, model, trained)


def _other_base(adapter: Path, what: str) -> UsageError:
    return UsageError(
        f"the adapter is for another base: {what}",
        where=str(adapter),
        hint="serve it on the base it was trained on, or train it on this one",
    )


def _base_shape(module: str, base: Shapes, by_layer: dict[str, str]) -> tuple[int, ...] | None:
    """The shape of a module's weight in the base; empty if it is there in a packed form."""
    weight = f"{module}.weight"
    if weight in base:
        return base[weight]
    # Multimodal checkpoints keep the same layers under another prefix than the loaded model.
    if (found := by_layer.get(_from_layer(weight))) is not None:
        return base[found]
    if module.endswith("lm_head"):
        # Tied to the embedding, and not stored twice.
        embedding = [shape for name, shape in base.items() if name.endswith("embed_tokens.weight")]
        return embedding[0] if embedding else ()
    start = _from_layer(f"{module}.")
    return () if any(_from_layer(name).startswith(start) for name in base) else None


def _from_layer(name: str) -> str:
    found = _LAYER.search(name)
    return found[1] if found else name


def _check_depth(adapter: Path, info: AdapterInfo, model: Path, trained: str) -> None:
    """Refuse an adapter that stops before the base's last layer though it does not say so."""
    config = read_adapter_config(adapter)
    if (
        any("." in target for target in info.target_modules)
        or isinstance(config.get("target_modules"), str)
        or config.get("layers_to_transform") is not None
        or config.get("exclude_modules")
    ):
        return
    try:
        depth = read_json(model / "config.json").get("num_hidden_layers")
    except (UsageError, AttributeError):
        return
    names = (_LAYER.search(name) for name in read_shapes(adapter / ADAPTER_WEIGHTS))
    numbers = [int(found[1].split(".")[1]) for found in names if found]
    if isinstance(depth, int) and numbers and max(numbers) + 1 < depth:
        raise _other_base(
            adapter, f"it has {max(numbers) + 1} layers, {model} has {depth}{trained}"
        )


def _targets(config: dict[str, Any]) -> tuple[str, ...]:
    targets = config["target_modules"]
    if isinstance(targets, str):
        return (targets,)
    return tuple(sorted(str(target) for target in targets))
