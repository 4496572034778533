"""The number formats of a training: what the weights are loaded in, and what is computed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.errors import RecipeError
from harness.training.candidate import Recipe
from harness.training.libraries import import_torch_patiently

Format = Literal["bf16", "fp16"]


@dataclass(frozen=True, slots=True)
class Device:
    """What a training runs on; `bf16` is whether it computes in bfloat16 in hardware."""

    kind: Literal["cpu", "cuda"]
    name: str
    bf16: bool


@dataclass(frozen=True, slots=True)
class Precision:
    """`load` is torch's name of the weights' format, or `auto` for as they are stored.

    `autocast` is the format of matrix products, None for that of the weights; `quantized` is
    torch's name of the format in which 4-bit weights are multiplied.
    """

    load: str
    autocast: Format | None
    quantized: str

    @property
    def words(self) -> str:
        """The formats in words."""
        stored = "weights as stored" if self.load == "auto" else f"weights in {self.load}"
        return f"{stored}, computed in {self.autocast}" if self.autocast else stored


def this_device() -> Device:
    """The device that a training on this machine uses."""
    import_torch_patiently()
    import torch

    if not torch.cuda.is_available():
        return Device("cpu", "CPU", bf16=True)
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return Device("cuda", torch.cuda.get_device_name(), bf16=native)


def choose_precision(recipe: Recipe, device: Device) -> Precision:
    """The formats for the recipe on a device.

    By itself a GPU computes in bfloat16, or in float16 where it has no bfloat16; a CPU computes in
    the format of the weights. Adapters on 4-bit weights are bfloat16 (QLoRA, section 3), whose
    gradients float16's scaling cannot take: without bfloat16 such a base is computed in float32.

    Raises:
        RecipeError: the recipe asks for a format that the device does not have.
    """
    wanted = recipe.precision
    where = f"recipe {recipe.name}: precision"
    if wanted == "bf16" and not device.bf16:
        raise RecipeError(
            f"{device.name} does not compute in bfloat16",
            where=where,
            hint="write `fp16`, or leave the key away",
        )
    if wanted == "fp16" and device.kind == "cpu":
        raise RecipeError(
            "a CPU does not train in float16",
            where=where,
            hint="write `bf16` or `fp32`, or leave the key away",
        )
    if wanted == "fp16" and recipe.quantized:
        raise RecipeError(
            "adapters on a base in 4 bits are bfloat16, which is not trained in float16",
            where=where,
            hint="write `bf16` or `fp32`, or leave the key away",
        )
    if wanted == "fp32":
        return Precision("float32", None, "float32")
    if device.kind == "cpu":
        return Precision("auto", "bf16" if wanted == "bf16" else None, "float32")
    if wanted == "fp16" or not device.bf16:
        if recipe.quantized:
            return Precision("auto", None, "float32")
        # Gradients in float16 cannot be scaled back: what is trained stays in float32.
        return Precision("float32" if recipe.modules_to_save else "float16", "fp16", "float16")
    return Precision("auto", "bf16", "bfloat16")
