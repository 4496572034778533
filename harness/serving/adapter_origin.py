"""Who trained an adapter, and how: read from the files that each trainer leaves beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.errors import HarnessError
from harness.files import read_bytes
from harness.serving.adapter import read_adapter, read_adapter_config
from harness.visible_text import one_line

CARD, STATE = "README.md", "trainer_state.json"
_LARGEST = 16 * 1024 * 1024  # of a file that is read for a line of text, in bytes
_FRONT = re.compile(r"\A---\n(.*?)\n---", re.DOTALL)
_AXOLOTL = re.compile(r"axolotl version: `([^`]+)`\s*```yaml\n(.*?)\n```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of a training; losses in nats per token, `data` as the trainer names it."""

    trainer: str
    steps: int | None = None
    epochs: float | None = None
    loss: float | None = None
    validation_loss: float | None = None
    settings: tuple[tuple[str, str], ...] = ()
    data: tuple[str, ...] = ()


def describe_adapter(folder: Path, known: Origin | None = None) -> str:
    """One line on the adapter in a folder: rank, modules, base, and how it was trained.

    `known` stands for what its files tell of the training.

    Raises:
        UsageError: it cannot be read as an adapter.
    """
    config, info = read_adapter_config(folder), read_adapter(folder)
    origin = known or read_origin(folder)
    kind = " ".join(
        word
        for word, given in (
            ("rank-stabilised", config.get("use_rslora")),
            ("DoRA" if config.get("use_dora") else "LoRA", True),
        )
        if given
    )
    modules = config.get("target_modules")
    if isinstance(modules, list):  # a text is a pattern
        modules = ", ".join(sorted({str(one).rpartition(".")[2] for one in modules}))
    targets = one_line(str(modules), 120)
    saved = config.get("modules_to_save")
    parts = [
        f"{kind} of rank {info.rank}, alpha {config.get('lora_alpha')}, on {targets}",
        f"whole {', '.join(map(str, saved))}" if isinstance(saved, list) and saved else "",
        f"base {info.base_name}" if info.base_name else "",
        f"trained by {origin.trainer}" + _progress(origin),
        ", ".join(f"{name} {value}" for name, value in origin.settings),
        f"data {', '.join(origin.data)}" if origin.data else "",
    ]
    return one_line("; ".join(part for part in parts if part), 600)


def _progress(origin: Origin) -> str:
    counted = (
        (f"{origin.steps} steps" if origin.steps is not None else ""),
        (f"{origin.epochs:.3g} epochs" if origin.epochs is not None else ""),
        (f"loss {origin.loss:.3g}" if origin.loss is not None else ""),
        (
            f"validation loss {origin.validation_loss:.3g}"
            if origin.validation_loss is not None
            else ""
        ),
    )
    known = ", ".join(part for part in counted if part)
    return f" ({known})" if known else ""


def read_origin(folder: Path) -> Origin:
    """What the files in an adapter's folder tell of its training.

    Nothing there is needed: what is missing, or is not as a trainer writes it, is not known. Files
    that can run code when they are read, such as `training_args.bin`, are not.

    Raises:
        UsageError: the folder holds no adapter.
    """
    config = read_adapter_config(folder)
    card = _text(folder / CARD)
    axolotl = _AXOLOTL.search(card)
    settings = _mapping(_yaml(axolotl[2])) if axolotl else _factory_settings(folder)
    return Origin(
        trainer=_trainer(folder, config, card),
        settings=tuple(
            (name, one_line(str(settings[key]), 40))
            for key, name in _SETTINGS.items()
            if isinstance(settings.get(key), str | int | float)
        ),
        data=tuple(_data(settings)),
        **_state(folder),
    )


# How axolotl and LLaMA-Factory call a setting, and how it is called here.
_SETTINGS = {
    "learning_rate": "learning rate",
    "sequence_len": "sequences of",
    "cutoff_len": "sequences of",
    "chat_template": "chat template",
    "template": "chat template",
}


def _trainer(folder: Path, config: dict[str, Any], card: str) -> str:
    """The trainer by what it alone writes; those that build on others come first."""
    front = _FRONT.match(card)
    tags = _mapping(_yaml(front[1])).get("tags") if front else None
    named = {str(tag).lower() for tag in tags} if isinstance(tags, list) else set()
    mapping = _mapping(config.get("auto_mapping"))
    if found := _AXOLOTL.search(card):
        return f"axolotl {one_line(found[1], 20)}"
    if "axolotl" in named:
        return "axolotl"
    if "llama-factory" in named or (folder / "trainer_log.jsonl").is_file():
        return "LLaMA-Factory"
    base = str(config.get("base_model_name_or_path") or "")
    if "unsloth" in named or mapping.get("unsloth_fixed") or base.startswith("unsloth/"):
        return "unsloth"
    if "trl" in named:
        return "TRL"
    # torchtune writes the keys that peft needs and no others.
    if "peft_version" not in config and "inference_mode" not in config:
        places = (folder, folder.parent)
        if any(any(place.glob("recipe_state*")) for place in places) or any(
            (place / "torchtune_config.yaml").is_file() for place in places
        ):
            return "torchtune"
    version = config.get("peft_version")
    return f"peft {version}" if version else "peft"


def _state(folder: Path) -> dict[str, Any]:
    """Steps, epochs and last losses from the trainer's state, of the last checkpoint if need be."""
    checkpoints = sorted(
        folder.glob(f"checkpoint-*/{STATE}"),
        key=lambda path: int("0" + re.sub(r"\D", "", path.parent.name)),
    )
    for path in (folder / STATE, *reversed(checkpoints)):
        state = _mapping(_json(path))
        if not state:
            continue
        history = state.get("log_history")
        rows = [_mapping(row) for row in history] if isinstance(history, list) else []
        return {
            "steps": _number(state.get("global_step"), int),
            "epochs": _number(state.get("epoch"), float),
            "loss": _last(rows, "loss"),
            "validation_loss": _last(rows, "eval_loss"),
        }
    return {}


def _last(rows: list[dict[str, Any]], key: str) -> float | None:
    return next((_number(row[key], float) for row in reversed(rows) if key in row), None)


def _factory_settings(folder: Path) -> dict[str, Any]:
    for name in ("training_args.yaml", "llamaboard_config.yaml", "torchtune_config.yaml"):
        if found := _mapping(_yaml(_text(folder / name))):
            return found
    return {}


def _data(settings: dict[str, Any]) -> Iterator[str]:
    """The data sets as axolotl (`datasets`) or LLaMA-Factory (`dataset`) names them."""
    listed = settings.get("datasets")
    for one in listed if isinstance(listed, list) else []:
        if isinstance(path := _mapping(one).get("path"), str):
            yield one_line(path, 80)
    named = settings.get("dataset")
    for part in named.split(",") if isinstance(named, str) else []:
        yield one_line(part, 80)


def _number(value: Any, kind: type) -> Any:
    return kind(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(path: Path) -> str:
    try:
        data = read_bytes(path) if path.is_file() and path.stat().st_size <= _LARGEST else None
    except (OSError, HarnessError):
        return ""
    return (data or b"").decode(errors="replace")


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError):
        return None


def _yaml(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
