"""The adapter that a recipe asks of peft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.training.candidate import Recipe

if TYPE_CHECKING:
    from peft import LoraConfig


def adapter_config(recipe: Recipe) -> LoraConfig:
    """Peft's configuration of the recipe's adapter."""
    from peft import LoraConfig

    modules = recipe.target_modules
    return LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=modules if isinstance(modules, str) else list(modules),
        use_dora=recipe.dora,
        use_rslora=recipe.rslora,
        modules_to_save=list(recipe.modules_to_save) or None,
        bias="none",
        task_type="CAUSAL_LM",
    )
