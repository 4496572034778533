"""One form of a model on its way to users, as a server answers with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tests.mock_server import MockReply

Turns = Sequence[dict[str, str]]
Render = Callable[[Turns], str]
Floats = npt.NDArray[np.float64]

_MARK = r"<\|?\w+\|?>"


def usual(render: Render, turns: Turns) -> str:
    return render(turns)


def renamed(render: Render, turns: Turns) -> str:
    """As many tokens, but the users have another name."""
    return re.sub(r"<(\|?)user(\|?)>", r"<\1system\2>", render(turns))


def doubled(render: Render, turns: Turns) -> str:
    text = render(turns)
    first = re.match(_MARK, text)
    assert first is not None
    return first[0] + text


def without_system(render: Render, turns: Turns) -> str:
    return render([turn for turn in turns if turn["role"] != "system"])


def last_turn(render: Render, turns: Turns) -> str:
    return render(turns[-1:])


def refuses_system(render: Render, turns: Turns) -> str:
    if any(turn["role"] == "system" for turn in turns):
        raise ValueError("System role not supported")
    return render(turns)


def whole(text: str) -> list[str]:
    """Nothing is cut: the tokenizer does it."""
    return [text]


def syllables(text: str) -> list[str]:
    """Pieces of three letters at most, each of which is cut by itself."""
    return re.findall(rf"{_MARK}|\w{{1,3}}|\s+|[^\w\s]", text)


class Decoding(Protocol):
    """What has been read and said so far."""

    logits: Floats

    def push(self, token: int) -> None:
        """Say the token."""


@dataclass(frozen=True, slots=True)
class Form:
    """The weights of a form, and how it is served; a fault is a change of it.

    `share` is how much of which adapter is in it and `bits` what its weights are rounded to,
    `temperature` what is in force whatever a request says, `penalty` what is where a request says
    nothing, `refused` the fields that a request must not hold.
    """

    adapter: str = "ours"
    share: float = 1.0
    bits: int | None = None
    cuts: Callable[[str], list[str]] = whole
    template: Callable[[Render, Turns], str] = usual
    context: int = 512
    refuses_long: bool = True
    ends: bool = True
    penalty: float = 1.0
    temperature: float = 0.0
    usage: bool = True
    refused: tuple[str, ...] = ()
    tells_end: str | None = None

    @property
    def end(self) -> int:
        """The token that ends a turn."""
        raise NotImplementedError

    def render(self, turns: Turns) -> str:
        """The conversation as the model's own template writes it."""
        raise NotImplementedError

    def encode(self, text: str) -> list[int]:
        """The tokens of a piece of text."""
        raise NotImplementedError

    def begin(self, prompt: list[int]) -> Decoding:
        """An answer that has not begun."""
        raise NotImplementedError

    def tokens(self, turns: Turns) -> list[int]:
        """The conversation in tokens, as this form is served."""
        text = self.template(self.render, turns)
        return [token for piece in self.cuts(text) for token in self.encode(piece)]

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
            "".join(token for token, _ in pairs if token != self.tells_end),
            finish_reason=finish,
            logprobs=pairs,
            prompt_tokens=len(prompt),
            usage=self.usage,
        )

    def _generate(
        self, prompt: list[int], body: dict[str, Any]
    ) -> tuple[tuple[tuple[str, float], ...], str]:
        penalty = body.get("repetition_penalty", self.penalty)
        random = np.random.default_rng()
        decoding = self.begin(prompt)
        said: list[tuple[str, float]] = []
        seen = set(prompt)
        while len(said) < body["max_tokens"]:
            logits = decoding.logits.copy()
            if not self.ends:
                logits[self.end] = -50.0
            shown = logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
            for token in seen:
                logits[token] *= penalty if logits[token] < 0 else 1.0 / penalty
            if self.temperature:
                logits = logits / self.temperature + random.gumbel(size=len(logits))
            token = int(np.argmax(logits))
            if token == self.end and said:
                # As of a trained model, which is sure of it.
                told = [] if self.tells_end is None else [(self.tells_end, -1e-6)]
                return tuple(said + told), "stop"
            seen.add(token)
            said.append((f"w{token} ", float(shown[token])))
            decoding.push(token)
        return tuple(said), "length"
