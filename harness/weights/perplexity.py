"""The likelihood of given answers under a base and its adapters, in a child process.

`python -m harness.weights.perplexity ORDER_FILE`. The weights are loaded once; without an adapter
the adapters of others are switched off, which leaves the base exactly.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pydantic import ValidationError

from harness.errors import UsageError
from harness.files import digest_json
from harness.records.base import Record
from harness.training.bounded_template import bounded
from harness.weights.events import Events, carry_out

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

_OVERHEAD = 1  # the token after the last one of a window is predicted too


class Likelihood(Record):
    """What a model makes of the assistant's words in a conversation.

    `nats` is minus the sum of the log-probabilities of their tokens, `right` counts those that the
    model holds most likely. `read_as` is the digest of all tokens and of where the words begin.
    """

    key: str
    nats: float
    tokens: int
    right: int
    bytes: int
    read_as: str


def read_likelihoods(path: Path) -> dict[str, Likelihood]:
    """The lines of a file by their keys; one that a kill has broken off is none."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    found: dict[str, Likelihood] = {}
    for line in data[: data.rfind(b"\n") + 1].splitlines():
        with contextlib.suppress(ValidationError):
            one = Likelihood.model_validate_json(line)
            found[one.key] = one
    return found


def _open(path: Path) -> IO[str]:
    """The file to append lines to, behind what may be broken off."""
    file = path.open("a+", encoding="utf-8")
    if file.tell():
        file.write("\n")
    return file


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens `begin` to `end` of a text, of which those from `first` on are predicted."""

    begin: int
    first: int
    end: int


def windows(start: int, end: int, width: int) -> Iterator[Window]:
    """The windows that predict tokens `start` to `end` once each, of at most `width` before one.

    A text that fits is one window. A token of a longer one has at least half of the width before
    it, and if the answer is no longer than that, all that fits.
    """
    while start < end:
        whole = end <= width + _OVERHEAD or end - start <= max(width // 2, 1)
        stop = end if whole else start + max(width // 2, 1)
        yield Window(max(0, stop - width - _OVERHEAD), start, stop)
        start = stop


def main(order: Mapping[str, Any], events: Events) -> None:
    """Append the likelihoods of each side's conversations to its file.

    The order has the `base` with its `dtype`, `template` and `template_settings`, the `window`,
    and `sides`, each with its `adapter`, the `file` and `chats` with `key` and `messages`.

    Raises:
        UsageError: the model's template cannot render a conversation.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    trusted = bool(order["trust_remote_code"])
    tokenizer = AutoTokenizer.from_pretrained(order["base"], trust_remote_code=trusted)
    if order["template"] is not None:
        tokenizer.chat_template = order["template"]
    if not tokenizer.chat_template:
        raise UsageError(f"the model in {order['base']} has no chat template")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    events.say(f"loading the weights of {order['base']} on the {device.replace('cuda', 'GPU')}")
    dtype = order["dtype"] if device == "cuda" or order["dtype"] != "auto" else "float32"
    model: Any = AutoModelForCausalLM.from_pretrained(
        order["base"], dtype=dtype, trust_remote_code=trusted
    ).to(device)
    adapters = [side["adapter"] for side in order["sides"] if side["adapter"] is not None]
    if adapters:
        from peft import PeftModel

        for place, adapter in enumerate(adapters):
            if place:
                model.load_adapter(adapter, adapter_name=adapter_name(adapter))
            else:
                model = PeftModel.from_pretrained(
                    model, adapter, adapter_name=adapter_name(adapter)
                )
    model.eval()
    width = order["window"] or int(getattr(model.config, "max_position_embeddings", 0) or 2048)
    reader = Reader(tokenizer, order["template_settings"])
    total, done = sum(len(side["chats"]) for side in order["sides"]), 0
    for side in order["sides"]:
        with _open(Path(side["file"])) as file, _switched(model, side["adapter"]):
            for chat in side["chats"]:
                found = likelihood(model, reader, chat, width)
                file.write(found.model_dump_json() + "\n")
                file.flush()
                done += 1
                events.progress(f"likelihood of {side['name']}", done, total)


def adapter_name(folder: str) -> str:
    """A name for an adapter that torch takes as a module's."""
    return digest_json(folder)[-12:]


def _switched(model: Any, adapter: str | None) -> Any:
    """The context in which the model is the base, or has the adapter."""
    if adapter is not None:
        model.set_adapter(adapter_name(adapter))
        return contextlib.nullcontext()
    return model.disable_adapter() if hasattr(model, "peft_config") else contextlib.nullcontext()


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads conversations as the model is given them."""

    tokenizer: PreTrainedTokenizerBase
    settings: Mapping[str, Any]

    def read(self, messages: Sequence[Mapping[str, str]]) -> Iterator[tuple[list[int], int, str]]:
        """Of each answer: the tokens up to its end, where it begins in them, and its words.

        Raises:
            UsageError: the template refuses the conversation.
        """
        for place, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            try:
                with bounded():
                    prompt = str(
                        self.tokenizer.apply_chat_template(
                            [dict(one) for one in messages[:place]],
                            tokenize=False,
                            add_generation_prompt=True,
                            **self.settings,
                        )
                    )
            except Exception as error:  # a template may fail in any way
                raise UsageError(
                    f"the chat template refuses a conversation: {error}",
                    hint="write its turns in the order that the template takes",
                ) from error
            words = message["content"]
            before = self._tokens(prompt)
            yield self._tokens(prompt + words), len(before), words

    def _tokens(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def likelihood(model: Any, reader: Reader, chat: Mapping[str, Any], width: int) -> Likelihood:
    """The likelihood of the answers in a chat, which has a `key` and `messages`.

    The words of an answer are its tokens behind those of the prompt alone, as lm-eval's
    `loglikelihood` has it; the end of the turn is none of them.

    Raises:
        UsageError: the template refuses it, or an answer has no token of its own.
    """
    nats, tokens, right, size, read = 0.0, 0, 0, 0, []
    for ids, start, words in reader.read(chat["messages"]):
        for window in windows(max(start, 1), len(ids), width):
            lost, hits = _predict(model, ids, window)
            nats, right = nats + lost, right + hits
        tokens += len(ids) - max(start, 1)
        size += len(words.encode())
        read.append([ids, start])
    if tokens < 1 or not math.isfinite(nats):
        raise UsageError(f"conversation {chat['key']}: the model gives its answers no likelihood")
    return Likelihood(
        key=chat["key"],
        nats=nats,
        tokens=tokens,
        right=right,
        bytes=size,
        read_as=digest_json(read),
    )


def _predict(model: Any, ids: Sequence[int], window: Window) -> tuple[float, int]:
    """Minus the log-likelihood of the tokens that a window predicts, and how many are likeliest."""
    import torch

    text: torch.Tensor = torch.tensor([ids[window.begin : window.end]], device=model.device)
    with torch.inference_mode():
        logits = model(input_ids=text[:, :-1]).logits[0].float()
    logits = logits[window.first - window.begin - 1 :]
    wanted = text[0, window.first - window.begin :]
    chosen = torch.log_softmax(logits, dim=-1).gather(1, wanted[:, None])
    return -float(chosen.double().sum()), int((logits.argmax(dim=-1) == wanted).sum())


if __name__ == "__main__":
    carry_out(main)
