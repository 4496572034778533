"""What a recipe would train in vain: no server serves it, or it learns nothing."""

from __future__ import annotations

from collections.abc import Iterator

from harness.serving.command import LORA_RANKS
from harness.training.candidate import Recipe

# Far outside of what has ever been of use, whatever the base; nearer ones are told in training.
LOWEST_RATE, HIGHEST_RATE = 1e-8, 0.1
_MERGE = "merge it with `harness merge` and test that folder as a server's `model`"


def recipe_cautions(recipe: Recipe) -> Iterator[str]:
    """A sentence for each key whose adapter could not be used, with the way out."""
    if recipe.rank > LORA_RANKS[-1]:
        yield (
            f"rank: {recipe.rank} is more than vLLM serves as an adapter, which is "
            f"{LORA_RANKS[-1]} at most: write a smaller one, or {_MERGE}"
        )
    if recipe.dora:
        yield f"dora: vLLM serves no adapter with DoRA: take it out, or {_MERGE}"
    if recipe.modules_to_save:
        modules = ", ".join(recipe.modules_to_save)
        yield (
            "modules_to_save: vLLM serves no adapter that replaces whole modules "
            f"({modules}): take it out, or {_MERGE}"
        )
    rate = recipe.learning_rate
    usual = "the usual is 2e-4, and 1e-5 with `method: dpo`"
    if rate > HIGHEST_RATE:
        yield f"learning_rate: {rate:g} is so high that nothing is learnt but noise: {usual}"
    if rate < LOWEST_RATE:
        yield f"learning_rate: {rate:g} is so low that the adapter stays empty: {usual}"
