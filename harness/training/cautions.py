"""Settings that are known to forget what the base could do, to overfit, or to learn nothing."""

from __future__ import annotations

from collections.abc import Iterator

from harness.training.candidate import Recipe

# Published rates are for bases of 100 million parameters and more; smaller ones bear higher ones.
SMALL_BASE = 100_000_000
# QLoRA (Dettmers et al. 2023, appendix B): 2e-4 up to 13B, 1e-4 for 33B and 65B.
USUAL_RATE = 2e-4
HIGH_RATE = 1e-3
# Rates of full fine-tuning end about here; LoRA's best is about ten times as high (Schulman et al.
# 2025, "LoRA Without Regret").
LOW_RATE = 2e-5
# DPO trains whole models at 1e-6 (Rafailov et al. 2023, appendix B); ten times that for LoRA.
USUAL_DPO_RATE = 1e-5
HIGH_DPO_RATE = 1e-4
# Repeated data are worth about as much as new ones up to four times (Muennighoff et al. 2023).
MOST_PASSES = 4.0


def cautions(recipe: Recipe, sequences: int, parameters: int) -> Iterator[str]:
    """Sentences with numbers on rate and repetition.

    `sequences` is how many there are to train on, packed or not; `parameters` are the base's.
    """
    preferences = recipe.method == "dpo"
    usual, high = (USUAL_DPO_RATE, HIGH_DPO_RATE) if preferences else (USUAL_RATE, HIGH_RATE)
    rate = recipe.learning_rate
    if parameters >= SMALL_BASE and rate > high:
        yield (
            f"`learning_rate` {rate:g} is {rate / usual:.3g} times the usual {usual:g} of "
            f"{'DPO with LoRA' if preferences else 'LoRA'}: the base may forget what it could do; "
            "hold it against the base on a section of general skills"
        )
    if parameters >= SMALL_BASE and not preferences and rate < LOW_RATE:
        yield (
            f"`learning_rate` {rate:g} is one of full fine-tuning; LoRA learns best at about ten "
            f"times such a rate (the usual is {usual:g})"
        )
    passes = passes_over(recipe, sequences)
    if passes > MOST_PASSES and recipe.patience is None:
        yield (
            f"each of the {sequences} sequences is seen {passes:.3g} times, and from about "
            f"{MOST_PASSES:g} times on repetition teaches less and overfits: set `patience`, which "
            "keeps the adapter with the best validation loss, or give fewer steps or more examples"
        )


def passes_over(recipe: Recipe, sequences: int) -> float:
    """How often each of so many sequences is seen."""
    if recipe.epochs is not None:
        return recipe.epochs
    assert recipe.steps is not None
    return recipe.steps * recipe.batch_size * recipe.gradient_accumulation / sequences
