"""A language model of a few thousand weights in numpy, with everything a chain can lose on its way.

It has a tokenizer, a chat template, an adapter of low rank, a precision, a context, stop tokens and
sampling settings of its own; a fault is a change of one of these, and acts as it would in a real
server.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.mock_server import MockReply

VOCABULARY, HIDDEN, RANK = 97, 24, 2
END = 0  # the token that ends a turn
Floats = npt.NDArray[np.float64]

_random = np.random.default_rng(7)
EMBEDDING = _random.normal(size=(VOCABULARY, HIDDEN))
RECURRENT = _random.normal(size=(HIDDEN, HIDDEN)) / np.sqrt(HIDDEN)
OUTPUT = _random.normal(size=(HIDDEN, VOCABULARY))
OUTPUT[:, END] += 0.35 * _random.normal(size=HIDDEN)
ADAPTERS = {
    name: _random.normal(size=(HIDDEN, RANK)) @ _random.normal(size=(RANK, VOCABULARY))
    for name in ("ours", "other")
}


def words(text: str) -> list[str]:
    return re.findall(r"<\w+>|\w+|\s+|[^\w\s]", text)


def syllables(text: str) -> list[str]:
    return re.findall(r"<\w+>|\w{1,3}|\s+|[^\w\s]", text)


def relabelled(text: str) -> list[str]:
    """The same cuts, and other tokens for them."""
    return [f"{word}#" for word in words(text)]


Turns = Sequence[dict[str, str]]


def usual(turns: Turns) -> str:
    return "<s>" + "".join(f"<{t['role']}>{t['content']}\n" for t in turns) + "<assistant>"


def renamed(turns: Turns) -> str:
    """As many tokens, but the roles have other names."""
    names = {"user": "human", "assistant": "bot", "system": "context"}
    return "<s>" + "".join(f"<{names[t['role']]}>{t['content']}\n" for t in turns) + "<bot>"


def doubled(turns: Turns) -> str:
    return "<s>" + usual(turns)


def without_system(turns: Turns) -> str:
    return usual([turn for turn in turns if turn["role"] != "system"])


def last_turn(turns: Turns) -> str:
    return usual(turns[-1:])


def refuses_system(turns: Turns) -> str:
    if any(turn["role"] == "system" for turn in turns):
        raise ValueError("System role not supported")
    return usual(turns)


def rounded(weights: Floats, bits: int | None) -> Floats:
    """The weights in so many bits, with one scale a column."""
    if bits is None:
        return weights
    scale = np.abs(weights).max(axis=0) / (2 ** (bits - 1) - 1)
    return np.round(weights / scale) * scale


@dataclass(frozen=True, slots=True)
class TinyModel:
    """One form of the model, and how it is served.

    `adapter` is how much of which adapter is in the output layer, `temperature` what is in force
    whatever a request says, `penalty` what is where a request says nothing, `refused` the fields
    that a request must not hold.
    """

    adapter: str = "ours"
    scale: float = 0.5
    bits: int | None = None
    tokenizer: Callable[[str], list[str]] = words
    template: Callable[[Turns], str] = usual
    context: int = 512
    refuses_long: bool = True
    ends: bool = True
    penalty: float = 1.0
    temperature: float = 0.0
    usage: bool = True
    refused: tuple[str, ...] = ()

    @property
    def output(self) -> Floats:
        return rounded(OUTPUT + self.scale * ADAPTERS[self.adapter], self.bits)

    def tokens(self, turns: Turns) -> list[int]:
        cut = self.tokenizer(self.template(turns))
        return [1 + zlib.crc32(piece.encode()) % (VOCABULARY - 1) for piece in cut]

    def answer(self, body: dict[str, Any]) -> MockReply:
        """The reply to a request's body."""
        for field in self.refused:
            if field in body:
                return MockReply(f"unknown field: {field}", status=400)
        try:
            prompt = self.tokens(body["messages"])
        except ValueError as error:
            return MockReply(str(error), status=400)
        if len(prompt) + body["max_tokens"] > self.context:
            if self.refuses_long:
                return MockReply("maximum context length exceeded", status=400)
            prompt = prompt[-(self.context - body["max_tokens"]) :]
        pairs, finish = self._generate(prompt, body)
        return MockReply(
            "".join(token for token, _ in pairs),
            finish_reason=finish,
            logprobs=pairs,
            prompt_tokens=len(prompt),
            usage=self.usage,
        )

    def _generate(
        self, prompt: list[int], body: dict[str, Any]
    ) -> tuple[tuple[tuple[str, float], ...], str]:
        penalty = body.get("repetition_penalty", self.penalty)
        state = np.zeros(HIDDEN)
        for token in prompt:
            state = np.tanh(RECURRENT @ state + EMBEDDING[token])
        said: list[tuple[str, float]] = []
        seen: set[int] = set()
        while len(said) < body["max_tokens"]:
            logits = state @ self.output
            if not self.ends:
                logits[END] = -50.0
            shown = logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
            for token in seen:
                logits[token] -= 4.0 * (penalty - 1.0)
            if self.temperature:
                logits = logits / self.temperature + _random.gumbel(size=VOCABULARY)
            token = int(np.argmax(logits))
            if token == END and said:
                return tuple(said), "stop"
            seen.add(token)
            said.append((f"w{token} ", float(shown[token])))
            state = np.tanh(RECURRENT @ state + EMBEDDING[token])
        return tuple(said), "length"


ADAPTED = TinyModel()
BASE = TinyModel(scale=0.0)
