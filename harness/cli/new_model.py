"""The base model of a new project: what its files say, and the settings that suit it."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.hub.name import check_there, hub_name
from harness.hub.resolve import known
from harness.machine_memory import gpus, size
from harness.model_files import (
    ADAPTER_CONFIG,
    chat_template_text,
    check_model,
    read_json,
    read_model_shapes,
)

OPTION = "--model"
# Tokens of a conversation that is served, and of one that is learnt from.
LONGEST, LONGEST_EXAMPLE = 1024, 256
BILLION = 1_000_000_000
# A tokenizer is in one of these; what else lies beside it describes it.
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tekken.json", "vocab.json", "spiece.model")
# The training of the new project, in tokens: steps x examples x tokens of an example, with the
# validation. A step of LoRA costs 4 floating-point operations a parameter and token: forward, and
# backward without the gradients of the weights. The rate of a core and the start are measured.
STEPS, BATCH, _EXAMPLE = 60, 4, 64
_OPERATIONS, _OF_A_CORE, _START = 4, 35e9, 30.0


@dataclass(frozen=True, slots=True)
class NewBase:
    """A base as a configuration is to name it; what is not known of it is None.

    `stored` are the bytes of its weights.
    """

    given: str
    parameters: int | None = None
    stored: int | None = None
    context: int | None = None

    def values(self) -> dict[str, str | int | float | bool]:
        """What the files of a new project are filled in with, by the marks in them."""
        small = self.parameters is None or self.parameters < BILLION
        without_gpu = not gpus()
        return {
            "@MODEL@": self.given,
            "@CONTEXT@": min(LONGEST, self.context or LONGEST),
            "@LENGTH@": min(LONGEST_EXAMPLE, self.context or LONGEST_EXAMPLE),
            "@DTYPE@": ("float32" if small else "bfloat16") if without_gpu else "auto",
            "@EAGER@": without_gpu,
            "@RATE@": _learning_rate(self.parameters),
        }

    def describe(self, steps: int = STEPS) -> str:
        """One line: its size, and what so many steps take here; of one not fetched, what next."""
        if self.parameters is None or self.stored is None:
            return (
                f"{self.given} is no folder here, so it is taken for a name on a hub, and is not "
                "fetched yet: `harness lock` pins its commit, and `harness train` fetches it"
            )
        count = self.parameters
        shown = (
            f"{count / BILLION:.3g} billion" if count >= BILLION else f"{count / 1e6:.3g} million"
        )
        about = f"base: {shown} parameters, {size(self.stored)}"
        if gpus():
            return f"{about}; training takes a minute or a few on this machine's GPU"
        cores = os.cpu_count() or 1
        time = _minutes(count, cores, steps)
        return f"{about}; training takes about {time} on {cores} cores without a GPU"


def read_base(given: str, folder: Path) -> NewBase:
    """The base for a project in `folder`: a model's folder that is here, or a name on a hub.

    No hub is asked.

    Raises:
        UsageError: neither a folder nor a hub's name; or no chat model that can be tuned and
            served.
    """
    here = Path.cwd()
    check_there(given, here, OPTION)
    if hub_name(given, here) is not None:
        found = known(given, here, "model")
        fetched = found is not None and found.missing is None
        return _described(given, found.path) if found and fetched else NewBase(given)
    path = Path(given).resolve()
    _check_base(path)
    inside = path.is_relative_to(folder.resolve())
    return _described(str(path.relative_to(folder.resolve()) if inside else path), path)


def _check_base(path: Path) -> None:
    if (path / ADAPTER_CONFIG).is_file():
        hint = "name the folder of the base that it was trained on"
        raise UsageError("is an adapter, not a model", where=str(path), hint=hint)
    check_model(path)
    if not isinstance(read_json(path / "config.json"), dict):
        raise UsageError("is no model's configuration", where=str(path / "config.json"))
    if not any((path / name).is_file() for name in _TOKENIZERS):
        hint = "copy the tokenizer's files beside the weights"
        raise UsageError("has no tokenizer", where=str(path), hint=hint)
    if chat_template_text(path) is None:
        raise UsageError(
            "has no chat template",
            where=str(path),
            hint="take a model that is tuned for chats, or put a chat_template.jinja there",
        )


def _described(given: str, path: Path) -> NewBase:
    config = read_json(path / "config.json")
    text = config.get("text_config") if isinstance(config.get("text_config"), dict) else config
    context = text.get("max_position_embeddings")
    return NewBase(
        given,
        parameters=sum(map(math.prod, read_model_shapes(path).values())),
        stored=sum(file.stat().st_size for file in path.glob("*.safetensors")),
        context=context if isinstance(context, int) and context > 0 else None,
    )


def _learning_rate(parameters: int | None) -> float:
    """A rate at which LoRA of rank 16 learns without forgetting, by the size of the base."""
    if parameters is None or BILLION // 2 <= parameters < 3 * BILLION:
        return 0.0005
    return 0.001 if parameters < BILLION else 0.0002


def _minutes(parameters: int, cores: int, steps: int) -> str:
    tokens = steps * BATCH * _EXAMPLE
    seconds = _START + _OPERATIONS * parameters * tokens / (_OF_A_CORE * cores)
    minutes = math.ceil(seconds / 60)
    return (
        f"{minutes} minute{'' if minutes == 1 else 's'}"
        if minutes < 120
        else (f"{math.ceil(minutes / 60)} hours")
    )
