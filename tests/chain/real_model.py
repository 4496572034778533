"""The forms of a trained model from its files, computed by transformers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.chain.form import Decoding, Floats, Form, Turns


@dataclass(frozen=True, slots=True)
class Files:
    """A base and its adapters by their names, each a folder."""

    base: Path
    adapters: Mapping[str, Path]

    def __hash__(self) -> int:
        return hash(self.base)


@cache
def tokenizer_of(folder: Path) -> Any:
    """The tokenizer, with its chat template."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


@cache
def load(files: Files, adapter: str, share: float, bits: int | None, merged: bool) -> Any:
    """The model with so much of the adapter, in so many bits."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        files.base, dtype=torch.float32, local_files_only=True
    )
    if share:
        model = PeftModel.from_pretrained(model, files.adapters[adapter])
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.data *= share
        model = model.merge_and_unload(safe_merge=True) if merged else model
    if bits is not None:
        for layer in (one for one in model.modules() if isinstance(one, torch.nn.Linear)):
            scale = layer.weight.data.abs().amax(dim=1, keepdim=True) / (2 ** (bits - 1) - 1)
            # A tied head would round the embeddings too, and by then twice.
            layer.weight = torch.nn.Parameter((layer.weight.data / scale).round() * scale)
    return model.eval()


class _Cached:
    """An answer in the making, with what the model keeps of the tokens before."""

    def __init__(self, model: Any, prompt: list[int]) -> None:
        self._model, self._past = model, None
        self._read(prompt)

    def push(self, token: int) -> None:
        self._read([token])

    def _read(self, tokens: list[int]) -> None:
        import torch

        with torch.inference_mode():
            seen = self._model(torch.tensor([tokens]), past_key_values=self._past, use_cache=True)
        self._past = seen.past_key_values
        self.logits: Floats = seen.logits[0, -1].double().numpy().astype(np.float64)


@dataclass(frozen=True, slots=True)
class RealModel(Form):
    """One form of the model whose files these are."""

    files: Files = field(kw_only=True)
    merged: bool = True

    @property
    def end(self) -> int:
        return int(tokenizer_of(self.files.base).eos_token_id)

    def render(self, turns: Turns) -> str:
        text = tokenizer_of(self.files.base).apply_chat_template(
            list(turns), tokenize=False, add_generation_prompt=True
        )
        assert isinstance(text, str)
        return text

    def encode(self, text: str) -> list[int]:
        return list(tokenizer_of(self.files.base)(text, add_special_tokens=False)["input_ids"])

    def begin(self, prompt: list[int]) -> Decoding:
        return _Cached(load(self.files, self.adapter, self.share, self.bits, self.merged), prompt)
