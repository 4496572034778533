"""A language model of a few thousand weights in numpy, with everything a chain can lose on its way.

It has a tokenizer, a chat template, an adapter of low rank and a precision of its own.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.chain.form import Decoding, Floats, Form, Turns

VOCABULARY, HIDDEN, RANK = 97, 24, 2
END = 0

_random = np.random.default_rng(7)
EMBEDDING = _random.normal(size=(VOCABULARY, HIDDEN))
RECURRENT = _random.normal(size=(HIDDEN, HIDDEN)) / np.sqrt(HIDDEN)
OUTPUT = _random.normal(size=(HIDDEN, VOCABULARY))
OUTPUT[:, END] += 0.35 * _random.normal(size=HIDDEN)
ADAPTERS = {
    name: 0.5 * _random.normal(size=(HIDDEN, RANK)) @ _random.normal(size=(RANK, VOCABULARY))
    for name in ("ours", "other")
}


def words(text: str) -> list[str]:
    return re.findall(r"<\w+>|\w+|\s+|[^\w\s]", text)


def relabelled(text: str) -> list[str]:
    """The same cuts, and other tokens for them."""
    return [f"{word}#" for word in words(text)]


def rounded(weights: Floats, bits: int | None) -> Floats:
    """The weights in so many bits, with one scale a column."""
    if bits is None:
        return weights
    scale = np.abs(weights).max(axis=0) / (2 ** (bits - 1) - 1)
    return np.round(weights / scale) * scale


class _Recurrence:
    def __init__(self, output: Floats, prompt: list[int]) -> None:
        self._output, self._state = output, np.zeros(HIDDEN)
        for token in prompt:
            self.push(token)

    @property
    def logits(self) -> Floats:
        return self._state @ self._output

    def push(self, token: int) -> None:
        self._state = np.tanh(RECURRENT @ self._state + EMBEDDING[token])


@dataclass(frozen=True, slots=True)
class TinyModel(Form):
    """One form of the model; the adapter is in the output layer."""

    cuts: Callable[[str], list[str]] = words

    @property
    def end(self) -> int:
        return END

    def render(self, turns: Turns) -> str:
        return "<s>" + "".join(f"<{t['role']}>{t['content']}\n" for t in turns) + "<assistant>"

    def encode(self, text: str) -> list[int]:
        return [1 + zlib.crc32(text.encode()) % (VOCABULARY - 1)]

    def begin(self, prompt: list[int]) -> Decoding:
        output = rounded(OUTPUT + self.share * ADAPTERS[self.adapter], self.bits)
        return _Recurrence(output, prompt)


ADAPTED = TinyModel()
BASE = TinyModel(share=0.0)
