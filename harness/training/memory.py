"""The memory that a training needs at its peak, from the base's configuration alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import RecipeError, TrainingError
from harness.machine_memory import free_memory, size
from harness.training.adapter import adapter_config
from harness.training.candidate import Recipe
from harness.training.job import TrainingJob, require_base
from harness.training.libraries import OnSay, quiet_libraries
from harness.training.precision import Device, Precision, choose_precision, this_device
from harness.training.saved_activations import ATTENTION, register_attention, saved_bytes
from harness.visible_text import one_line

# A 4-bit weight with its scales: one byte for 64 weights, one float32 for 256 of those bytes
# (QLoRA, section 3: double quantisation).
NF4 = 0.5 + 1 / 64 + 4 / (64 * 256)
# TRL computes the loss in tiles of so many tokens and words (its kernels/chunked_logprob.py).
TILE_TOKENS, TILE_WORDS = 4096, 32768
# The float32 copies of a tile that are alive at once where there is no Triton: with gradients, and
# in an evaluation.
TILES, TILES_EVALUATED = 7, 3
WIDE_COPIES = 5  # the widest activations that are alive at once in the backward pass of a layer
EVALUATION_FACTOR = 4  # sequences of an evaluation's batch for each of a training's
CUDA_CONTEXT = 512 * 1024**2  # assumed: the driver's own, and cuBLAS's


@dataclass(frozen=True, slots=True)
class Batch:
    """How many sequences go through the model at once, and the longest length of each side.

    `packed` is whether each holds several conversations, which a mask keeps apart.
    """

    sequences: int
    length: int
    evaluated_length: int
    packed: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes at the peak, by what takes them; the process's own, libraries and all, come on top.

    `trained` are the adapter and modules trained whole with gradients and AdamW's two moments;
    `kept` is kept of a forward pass for the backward pass; `working` are the copies that live for
    a moment, or what an evaluation takes beyond `kept`; `device` is a GPU's context.
    """

    weights: int
    trained: int
    kept: int
    working: int
    device: int
    parameters: int
    trainable: int
    batch: Batch

    @property
    def total(self) -> int:
        """The sum."""
        return self.weights + self.trained + self.kept + self.working + self.device

    @property
    def words(self) -> str:
        """The estimate in words."""
        share = self.trainable / self.parameters
        frozen = self.parameters - self.trainable  # those that `weights` are the bytes of
        return (
            f"about {size(self.total)}: {size(self.weights)} weights of "
            f"{frozen / 1e6:,.4g} million parameters, {size(self.trained)} for "
            f"{self.trainable / 1e6:,.3g} million trained ({share:.2%}) with gradients and "
            f"AdamW, {size(self.kept)} activations of {self.batch.sequences} x "
            f"{self.batch.length} tokens, "
            f"{size(self.working)} working"
        )


def estimate_memory(
    base: Path, recipe: Recipe, precision: Precision, device: Device, batch: Batch
) -> Estimate:
    """The estimate for a base's folder, of which its config.json is read and no weights.

    Raises:
        Exception: the libraries cannot build the model, or find no module to adapt.
    """
    import torch

    config, model = _model(base, recipe, precision)
    frozen = [one for one in model.parameters() if not one.requires_grad]
    trained = [one for one in model.parameters() if one.requires_grad]
    head = model.get_base_model().get_output_embeddings()
    linear = [
        one
        for one in model.modules()
        if isinstance(one, torch.nn.Linear) and not one.weight.requires_grad
    ]
    weights = sum(one.numel() * one.element_size() for one in frozen)
    number = 0 if not frozen else frozen[0].element_size()
    if recipe.quantized:
        packed = [one.weight.numel() for one in linear if one is not head]
        weights -= round(sum(packed) * (number - NF4))
        for one in trained:
            one.data = one.data.to(torch.bfloat16)  # as TRL does
    cost = sum(one.numel() * one.element_size() for one in trained)
    compute = {"bf16": torch.bfloat16, "fp16": torch.float16, None: None}[precision.autocast]
    wide = (compute or torch.float32).itemsize if number < 4 else 4
    layers = int(getattr(config.get_text_config(), "num_hidden_layers", 1)) or 1
    kept, working = _kept(model, batch, compute, recipe.gradient_checkpointing, layers)
    if batch.packed:
        kept += (1 if recipe.gradient_checkpointing else layers) * batch.length**2 * wide
    on_cpu = device.kind == "cpu"
    widest = max(max(one.in_features, one.out_features) for one in linear if one is not head)
    tokens = batch.sequences * batch.length
    words = int(config.get_text_config().vocab_size)
    working += WIDE_COPIES * tokens * widest * wide + _loss(
        tokens, words, wide, TILES if on_cpu else 0
    )
    held = EVALUATION_FACTOR * batch.sequences * batch.evaluated_length
    evaluation = WIDE_COPIES * held * widest * wide + _loss(
        held, words, wide, TILES_EVALUATED if on_cpu else 0
    )
    # A GPU's allocator gives the place of activations to an evaluation; a CPU's keeps it.
    evaluation -= 0 if on_cpu else kept
    return Estimate(
        weights=weights,
        trained=4 * cost,
        kept=kept,
        working=max(working, evaluation),
        device=CUDA_CONTEXT if device.kind == "cuda" else 0,
        parameters=sum(one.numel() for one in frozen) + sum(one.numel() for one in trained),
        trainable=sum(one.numel() for one in trained),
        batch=batch,
    )


def check_memory(
    job: TrainingJob,
    precision: Precision,
    device: Device,
    batch: Batch,
    on_say: OnSay,
    processes: int = 1,
) -> None:
    """Say what a training will need and what is free; the base is not loaded yet.

    Of several processes each needs as much. On a CPU they share its memory; GPUs have their own.

    Weights, trained numbers and activations are all needed at one moment, whatever a library does.

    Raises:
        TrainingError: these three alone are more than is free.
    """
    recipe = job.recipe
    try:
        estimate = estimate_memory(job.base, recipe, precision, device, batch)
    except Exception as error:  # noqa: BLE001 - what cannot be built fails again when it is loaded
        reason = one_line(f"{type(error).__name__}: {error}", 160)
        on_say(f"  memory cannot be told before the base is loaded: {reason}")
        return
    free = free_on(device)
    each = f" for each of {processes} processes" if processes > 1 else ""
    if free is not None and device.kind == "cpu":
        free //= processes
    there = "" if free is None else f"; {size(free)} free on {device.name}{each}"
    on_say(f"  memory: {estimate.words}{there}")
    least = estimate.total - estimate.working
    if free is not None and least > free:
        raise TrainingError(
            f"the training needs at least {size(least)} of memory and {size(free)} are free on "
            f"{device.name}{each}",
            where=f"recipe {recipe.name}",
            hint=" or ".join(savings(recipe)),
        )
    if free is not None and estimate.total > free:
        on_say(f"  note: it may not fit; smaller with {' or '.join(savings(recipe))}")


def estimate_in_words(recipe: Recipe, project_dir: Path, on: str | None) -> str:
    """What a recipe's training needs at most, its examples as long as `max_length`, in words.

    It is for this machine's device, or for the kind of device in `on`, with bfloat16.

    Raises:
        RecipeError: the base has no config.json that the libraries know, or the precision does not
            suit the device.
        UsageError, InfrastructureError: a base on a hub cannot be had.
    """
    device = this_device()
    if on is not None:
        device = (
            Device("cuda", "a GPU", bf16=True) if on == "cuda" else Device("cpu", "a CPU", True)
        )
    base = require_base(recipe, project_dir, "config").path
    length = recipe.max_length
    sequences = recipe.batch_size * (2 if recipe.method == "dpo" else 1)
    batch = Batch(sequences, length, length)
    if recipe.packing:
        batch = Batch(1, sequences * length, sequences * length, packed=True)
    precision = choose_precision(recipe, device)
    quiet_libraries()
    try:
        found = estimate_memory(base, recipe, precision, device, batch)
    except Exception as error:
        raise RecipeError(
            one_line(f"the libraries cannot build the base: {error}", 300),
            where=f"recipe {recipe.name}: base",
        ) from error
    free = free_on(device) if on is None else None
    there = "" if free is None else f"; {size(free)} free"
    return f"{recipe.name} on {device.name}, {precision.words}: {found.words}{there}"


def savings(recipe: Recipe) -> list[str]:
    """What in the recipe would make its training take less memory."""
    found = []
    if recipe.batch_size > 1:
        found.append("a smaller `batch_size` with more `gradient_accumulation`")
    if not recipe.gradient_checkpointing:
        found.append("`gradient_checkpointing: true`")
    if not recipe.quantized:
        found.append("`method: qlora`")
    return [*found, "a smaller `max_length`", "a smaller base"]


def free_on(device: Device) -> int | None:
    """Bytes that are free for a training on the device; None where it is not told."""
    if device.kind == "cpu":
        return free_memory()
    import torch

    return int(torch.cuda.mem_get_info()[0])


def _model(base: Path, recipe: Recipe, precision: Precision) -> tuple[Any, Any]:
    import torch
    from peft import get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    register_attention()
    config = AutoConfig.from_pretrained(base, local_files_only=True)
    named = getattr(torch, precision.load) if precision.load != "auto" else config.dtype
    with torch.device("meta"):
        bare = AutoModelForCausalLM.from_config(
            config, dtype=named or torch.float32, attn_implementation=ATTENTION
        )
        model = get_peft_model(bare, adapter_config(recipe))
    model.train()
    return config, model


def _kept(
    model: Any, batch: Batch, compute: Any | None, checkpointing: bool, layers: int
) -> tuple[int, int]:
    """What is kept of a forward pass, and what the layer takes that is computed once more."""
    whole = saved_bytes(model, batch.sequences, batch.length, compute)
    if not checkpointing:
        return whole, 0
    model.enable_input_require_grads()
    model.gradient_checkpointing_enable()
    return saved_bytes(model, batch.sequences, batch.length, compute), whole // layers


def _loss(tokens: int, words: int, number: int, copies: int) -> int:
    """Bytes of the tiles of the loss: one, and so many copies in float32."""
    return min(tokens, TILE_TOKENS) * min(words, TILE_WORDS) * (number + 4 * copies)
