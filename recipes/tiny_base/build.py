"""A tiny chat model from scratch: tokenizer, pre-training, and the folder that a server loads."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from harness.clock import SYSTEM_CLOCK, iso
from harness.files import digest_json, file_digest, write_atomic
from harness.training.libraries import (
    PACKAGES,
    OnProgress,
    import_torch_patiently,
    quiet_libraries,
    silent,
)
from harness.version import installed_versions

from . import synthetic, words
from .pretrain import ROLES, Messages, encode, pretrain
from .recipe import BaseModelCard, TinyRecipe

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

CARD = "model.json"
WEIGHTS = "model.safetensors"
END, PAD = "<|end|>", "<|pad|>"

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'assistant' -%}"
    "<|assistant|>{% generation %}{{ message['content'] + '<|end|>' }}{% endgeneration %}"
    "{%- else -%}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}"
)


def build_base(
    recipe: TinyRecipe,
    folder: Path,
    *,
    force: bool = False,
    on_progress: OnProgress = silent,
) -> BaseModelCard:
    """The card of the model in `folder`, built now unless the same recipe built it before.

    Raises:
        TrainingError: the training diverged.
    """
    total = recipe.copying_steps + recipe.steps
    known = None if force else load_card(folder, recipe)
    if known is not None:
        on_progress("base model", total, total, "as built before")
        return known
    started = time.perf_counter()
    import_torch_patiently()
    quiet_libraries()
    on_progress("base model", 0, total, "writing conversations")
    corpus = synthetic.conversations(recipe.seed, recipe.conversations)
    tokenizer = build_tokenizer(recipe, corpus)
    model = _fresh_model(recipe, tokenizer)
    loss = pretrain(recipe, model, encode(tokenizer, corpus, recipe), on_progress)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).unlink(missing_ok=True)
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    card = BaseModelCard(
        name=recipe.name,
        recipe_hash=digest_json(recipe.model_dump(mode="json")),
        corpus_hash=digest_json(corpus),
        seed=recipe.seed,
        parameters=model.num_parameters(),
        steps=recipe.steps,
        final_loss=loss,
        weights_digest=file_digest(folder / WEIGHTS),
        seconds=round(time.perf_counter() - started, 3),
        versions=installed_versions(PACKAGES),
        created=iso(SYSTEM_CLOCK.utc()),
    )
    write_atomic(folder / CARD, card.model_dump_json(indent=2) + "\n")
    return card


def load_card(folder: Path, recipe: TinyRecipe) -> BaseModelCard | None:
    """The card in `folder` if it is of this recipe and its weights are still the same."""
    try:
        card = BaseModelCard.model_validate_json((folder / CARD).read_text(encoding="utf-8"))
        fits = card.recipe_hash == digest_json(recipe.model_dump(mode="json"))
        return card if fits and card.weights_digest == file_digest(folder / WEIGHTS) else None
    except (OSError, ValueError, ValidationError):
        return None


def build_tokenizer(recipe: TinyRecipe, corpus: list[Messages]) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer learnt from the corpus and the list of words."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary,
        special_tokens=[PAD, END, *ROLES],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [message["content"] for messages in corpus for message in messages]
    # Whole words of the vocabulary are worth a token each; nonsense would crowd them out.
    numbers = [str(number) for number in range(100)]
    known = (*words.THINGS, *words.COMMON, *words.ADJECTIVES, *words.UNITS, *numbers)
    spoken = [f" {word}" for word in known]
    raw.train_from_iterator(texts + spoken * 60, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token=END,
        pad_token=PAD,
        model_max_length=recipe.context,
        clean_up_tokenization_spaces=False,
        chat_template=CHAT_TEMPLATE,
    )


def _fresh_model(recipe: TinyRecipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(recipe.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        intermediate_size=recipe.intermediate,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=recipe.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.05,
    )
    model = LlamaForCausalLM(config).to(torch.float32)
    model.generation_config = GenerationConfig(
        do_sample=False,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return model
