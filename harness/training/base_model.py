"""The base of a training, as the libraries load it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from harness.errors import RecipeError
from harness.training.job import TrainingJob
from harness.training.precision import Precision

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def load_tokenizer(job: TrainingJob) -> PreTrainedTokenizerBase:
    """The base's tokenizer.

    Raises:
        RecipeError: it cannot be loaded.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(job.base, local_files_only=True)
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"cannot load the base's tokenizer: {error}", where=f"recipe {job.recipe.name}: base"
        ) from error


def load_base(job: TrainingJob, precision: Precision) -> Any:
    """The base with its weights, in 4 bits where the recipe says so.

    Raises:
        RecipeError: it cannot be loaded.
    """
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    extra: dict[str, Any] = {}
    if job.recipe.quantized:
        extra["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=getattr(torch, precision.quantized),
        )
    try:
        return AutoModelForCausalLM.from_pretrained(
            job.base, local_files_only=True, use_safetensors=True, dtype=precision.load, **extra
        )
    except OSError as error:
        raise RecipeError(
            f"cannot load the base: {error}", where=f"recipe {job.recipe.name}: base"
        ) from error


def check_vocabulary(
    job: TrainingJob, model: Any, tokenizer: PreTrainedTokenizerBase, texts: Iterable[list[int]]
) -> None:
    """Nothing, where the base knows every token of the texts.

    Raises:
        RecipeError: the tokenizer was given more tokens than the base's embedding has rows.
    """
    rows = model.get_input_embeddings().num_embeddings
    last = max(max(ids) for ids in texts)
    if last >= rows:
        raise RecipeError(
            f"the data has the token `{tokenizer.convert_ids_to_tokens(last)}` (id {last}), and "
            f"the base's embedding has {rows} rows",
            where=f"recipe {job.recipe.name}: base",
            hint="take the tokenizer and the chat template that came with the base",
        )
