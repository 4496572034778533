"""Chat templates as their makers wrote them, with tokenizers and bases small enough for a test.

The templates are read from the installed TRL, which ships them for comparison. The tokenizers know
single bytes and the special tokens of the template's family.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# No package here ships it: what Mistral's templates share, written anew. Roles must alternate, the
# system's words go into the last question, and nothing follows the generation prompt.
ALTERNATING = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{% set system = messages[0].content %}"
    "{% set turns = messages[1:] %}{% else %}{% set turns = messages %}{% endif %}"
    "{% for turn in turns %}{% if (turn.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate user and assistant') }}{% endif %}"
    "{% if turn.role == 'user' %}[INST] {% if system is defined and loop.last %}"
    "{{ system + '\n\n' }}{% endif %}{{ turn.content }}[/INST]"
    "{% else %} {{ turn.content + eos_token }}{% endif %}{% endfor %}"
)


@dataclass(frozen=True, slots=True)
class Family:
    """A family's template and special tokens; `stops` are in its generation_config.json."""

    name: str
    eos: str
    bos: str | None = None
    more: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()

    @property
    def template(self) -> str:
        """The template's text."""
        return ALTERNATING if self.name == "alternating" else shipped(self.name)


LLAMA = ("<|start_header_id|>", "<|end_header_id|>", "<|end_of_text|>")
PHI = ("<|end|>", "<|user|>", "<|assistant|>", "<|system|>")
GEMMA = ("<start_of_turn>", "<end_of_turn>")
CHATML = ("<|im_start|>", "<|im_end|>", "<think>", "</think>")
FAMILIES = {
    family.name: family
    for family in (
        Family("llama3", "<|eot_id|>", "<|begin_of_text|>", LLAMA),
        Family("llama3_1", "<|eot_id|>", "<|begin_of_text|>", LLAMA),
        Family("llama3_2", "<|eot_id|>", "<|begin_of_text|>", LLAMA),
        Family("qwen2_5", "<|im_end|>", None, CHATML),
        Family("qwen3", "<|im_end|>", None, CHATML),
        Family("qwen3_6", "<|im_end|>", None, CHATML),
        Family("gemma", "<eos>", "<bos>", GEMMA, ("<eos>", "<end_of_turn>")),
        Family("gemma3", "<eos>", "<bos>", GEMMA, ("<eos>", "<end_of_turn>")),
        Family("phi3", "<|endoftext|>", "<s>", PHI, ("<|endoftext|>", "<|end|>")),
        Family("phi3_5", "<|endoftext|>", "<s>", PHI, ("<|endoftext|>", "<|end|>")),
        Family("deepseek_r1_distill", "<｜end▁of▁sentence｜>", "<｜begin▁of▁sentence｜>", CHATML),
        Family("alternating", "</s>", "<s>", ("[INST]", "[/INST]")),
    )
}


def shipped(name: str) -> str:
    """The text of a template that TRL ships."""
    spec = find_spec("trl")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0]) / "chat_templates"
    return (folder / f"{name}.jinja").read_text(encoding="utf-8")


def byte_tokenizer(family: Family, template: str | None = None) -> PreTrainedTokenizerFast:
    """A tokenizer of bytes and the family's special tokens; without padding."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE(vocab={one: place for place, one in enumerate(alphabet)}, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.add_special_tokens([one for one in (family.bos, family.eos, *family.more) if one])
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token=family.bos,
        eos_token=family.eos,
        chat_template=family.template if template is None else template,
    )


def stops_of(family: Family, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """The tokens at which a server of the family stops."""
    return [int(tokenizer.vocab[one]) for one in family.stops or (family.eos,)]


def write_tokenizer(family: Family, folder: Path, template: str | None = None) -> Path:
    """The folder of a base without weights: what an encoder reads."""
    tokenizer = byte_tokenizer(family, template)
    tokenizer.save_pretrained(folder)
    config = json.dumps({"eos_token_id": stops_of(family, tokenizer)})
    (folder / "generation_config.json").write_text(config, encoding="utf-8")
    return folder


def write_base(family: Family, folder: Path) -> Path:
    """The folder of a random Llama of some thousand parameters with the family's template."""
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    tokenizer = byte_tokenizer(family)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(eos_token_id=stops_of(family, tokenizer))
    model.save_pretrained(folder)
    return folder
