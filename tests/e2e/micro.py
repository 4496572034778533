"""A micro chat model and LoRA adapters with random weights, made in seconds."""

from __future__ import annotations

import json
import os
from pathlib import Path

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<|end|>", "<|pad|>", "<|system|>", "<|user|>", "<|assistant|>"]
# Keys of a policy: a model of random weights may say nothing, or what no scorer can read.
ANY_TEXT = {"min_scored": 0.5, "max_undetermined": 0.5}
# vLLM's own arguments. With the environment below its worker computes within the engine's process,
# so that a start imports torch and vLLM twice; without it the worker is a process of its own.
VLLM_ARGS = {
    "max-model-len": 256,
    "dtype": "float32",
    "enforce-eager": True,
    "distributed-executor-backend": "uni",
}
FEW_PROCESSES = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "OMP_NUM_THREADS": "1"}


def build_model(folder: Path, *, hidden: int = 64, layers: int = 2, seed: int = 0) -> Path:
    """The folder with a Llama of about 0.2 million random parameters and its tokenizer."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = build_tokenizer()
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=None,
        eos_token_id=tokenizer.convert_tokens_to_ids("<|end|>"),
        pad_token_id=tokenizer.convert_tokens_to_ids("<|pad|>"),
        tie_word_embeddings=False,
        # Wide, so that the next token's distribution is far from uniform.
        initializer_range=0.3,
    )
    LlamaForCausalLM(config).save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    return folder


def build_tokenizer():  # type: ignore[no-untyped-def]
    """A byte-level BPE without merges: every text can be encoded."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|pad|>"
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def build_adapter(
    model: Path, folder: Path, *, rank: int = 4, seed: int = 1, scale: float = 0.2
) -> Path:
    """The folder with a random LoRA on all linear layers of `model`; scale 0 leaves B at zero."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    config = LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    tuned = get_peft_model(AutoModelForCausalLM.from_pretrained(model), config)
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=scale) if scale else parameter.zero_()
    tuned.save_pretrained(folder, safe_serialization=True)
    assert json.loads((folder / "adapter_config.json").read_text())["r"] == rank
    return folder
