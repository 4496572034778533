"""Pre-training of a tiny chat model: first copying, then conversations."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from harness.errors import TrainingError
from harness.training.libraries import OnProgress

from .recipe import TinyRecipe

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
Messages = list[dict[str, str]]
Encoded = tuple[list[int], list[float]]  # token ids, and the weight of each one's loss


def encode(
    tokenizer: PreTrainedTokenizerFast, corpus: list[Messages], recipe: TinyRecipe
) -> list[Encoded]:
    """Token ids with the weight of each token's loss: 1 in answers, less in prompts."""
    end, marks = tokenizer.eos_token_id, dict(zip(ROLES, _ids(tokenizer, ROLES), strict=True))
    texts = [message["content"] for messages in corpus for message in messages]
    pieces = iter(tokenizer(texts, add_special_tokens=False)["input_ids"])
    encoded: list[Encoded] = []
    for messages in corpus:
        ids: list[int] = []
        weights: list[float] = []
        for message in messages:
            piece = next(pieces)
            ids += [marks[f"<|{message['role']}|>"], *piece, end]
            answer = message["role"] == "assistant"
            weights += [0.0, *[1.0 if answer else recipe.prompt_loss] * len(piece)]
            weights.append(1.0 if answer else 0.0)
        encoded.append((ids[: recipe.context], weights[: recipe.context]))
    return encoded


def _ids(tokenizer: PreTrainedTokenizerFast, tokens: tuple[str, ...]) -> list[int]:
    return [int(tokenizer.convert_tokens_to_ids(token)) for token in tokens]


def _batches(data: list[Encoded], size: int, seed: int) -> Iterator[list[Encoded]]:
    """Endless batches of similar lengths, in an order that the seed decides."""
    rng = random.Random(f"batches/{seed}")
    while True:
        order = rng.sample(range(len(data)), len(data))
        batches = []
        for start in range(0, len(order), size * 32):
            block = sorted(order[start : start + size * 32], key=lambda i: len(data[i][0]))
            batches += [block[at : at + size] for at in range(0, len(block), size)]
        rng.shuffle(batches)
        for batch in batches:
            yield [data[index] for index in batch]


def pretrain(
    recipe: TinyRecipe, model: LlamaForCausalLM, data: list[Encoded], on_progress: OnProgress
) -> float:
    """The smoothed loss, in nats, at the end of training the model in place.

    Raises:
        TrainingError: the loss is not finite any more.
    """
    import torch

    optimizers = _optimizers(recipe, model)
    model.train()
    recent = 0.0
    total = recipe.copying_steps + recipe.steps
    drills = _drills(recipe, len(model.get_input_embeddings().weight))
    source = _batches(data, recipe.batch_size, recipe.seed)
    for step in range(total):
        rate = recipe.learning_rate * _schedule(step, recipe)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
        loss = _loss(model, next(drills if step < recipe.copying_steps else source))
        loss.backward()  # type: ignore[no-untyped-call]  # torch types it so
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss of {recipe.name} is not finite at step {step}",
                where="base model",
                hint="lower learning_rate in its recipe",
            )
        recent = value if step == 0 else 0.95 * recent + 0.05 * value
        on_progress("base model", step + 1, total, f"loss {recent:.3f}")
    model.eval()
    return recent


def _optimizers(recipe: TinyRecipe, model: LlamaForCausalLM) -> list[torch.optim.Optimizer]:
    """Muon for the matrices between the embeddings, AdamW for the rest."""
    import torch

    from .muon import Muon

    inner = [
        p for name, p in model.named_parameters() if p.ndim == 2 and "embed_tokens" not in name
    ]
    outer = [p for name, p in model.named_parameters() if p.ndim < 2 or "embed_tokens" in name]
    return [
        Muon(inner, lr=recipe.learning_rate, weight_decay=recipe.weight_decay),
        torch.optim.AdamW(outer, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def _drills(recipe: TinyRecipe, vocabulary: int) -> Iterator[list[Encoded]]:
    """Endless batches of random tokens, each row twice; only the second time counts.

    Looking back to copy is what the general skill is built on, and it is learnt many times faster
    from these than from conversations.
    """
    rng = random.Random(f"drills/{recipe.seed}")
    while True:
        batch: list[Encoded] = []
        for _ in range(2 * recipe.batch_size):
            half = [rng.randrange(2 + len(ROLES), vocabulary) for _ in range(rng.randint(4, 12))]
            batch.append((half + half, [0.0] * (len(half) + 1) + [1.0] * (len(half) - 1)))
        yield batch


def _schedule(step: int, recipe: TinyRecipe) -> float:
    """Linear warm-up, then a cosine down to a twentieth."""
    if step < recipe.warmup_steps:
        return (step + 1) / recipe.warmup_steps
    total = recipe.copying_steps + recipe.steps
    share = (step - recipe.warmup_steps) / max(1, total - recipe.warmup_steps)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share))


def _loss(model: LlamaForCausalLM, batch: list[Encoded]) -> torch.Tensor:
    import torch

    longest = max(len(ids) for ids, _ in batch)
    pad = model.config.pad_token_id
    tokens = torch.tensor([ids + [pad] * (longest - len(ids)) for ids, _ in batch])
    weights = torch.tensor([some + [0.0] * (longest - len(some)) for _, some in batch])[:, 1:]
    # Padding is on the right and attention is causal, so no mask is needed.
    logits: Any = model(input_ids=tokens, use_cache=False).logits[:, :-1]
    each = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none"
    )
    flat = weights.flatten()
    return (each * flat).sum() / flat.sum().clamp_min(1.0)
