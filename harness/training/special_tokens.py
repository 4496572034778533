"""The tokens that begin, end and pad a text, as base, template and server have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import RecipeError
from harness.model_files import read_json
from harness.training.assistant_spans import Ending, Render, Turns, render_probe

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """The token that ends an answer: the last that is learnt of it."""

    token: str
    id: int
    ending: Ending


def stop_ids(base: Path, eos: int | None) -> frozenset[int]:
    """The tokens at which a server of the base stops, as vLLM finds them.

    That is the tokenizer's `eos`, and `eos_token_id` of `generation_config.json`, or of
    `config.json` where there is no such file.

    Raises:
        UsageError: one of the files cannot be read.
    """
    name = "generation_config.json"
    config = read_json(base / (name if (base / name).is_file() else "config.json"))
    given: Any = None
    if isinstance(config, dict):
        given = config.get("eos_token_id", (config.get("text_config") or {}).get("eos_token_id"))
    listed = given if isinstance(given, list) else [given]
    return frozenset(one for one in [*listed, eos] if isinstance(one, int))


def end_of_turn(
    tokenizer: PreTrainedTokenizerBase, stops: frozenset[int], render: Render, turns: Turns
) -> EndOfTurn:
    """The token with which the template ends an answer, and at which a server stops.

    Raises:
        RecipeError: there is none, or a server would not stop at it. A model that is tuned so
            never stops.
    """
    text, end = render_probe(render, turns)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    after = [
        (int(token), int(span[1]) - end)
        for token, span in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
        if span[0] >= end
    ]
    added = set(tokenizer.get_added_vocab().values()) | set(tokenizer.all_special_ids)
    found = next((one for one in after if one[0] in stops), None)
    if found is not None:
        return EndOfTurn(
            str(tokenizer.convert_ids_to_tokens(found[0])),
            found[0],
            Ending(text[end:], found[1]),
        )
    names = ", ".join(
        f"`{tokenizer.convert_ids_to_tokens(one)}` (id {one})" for one in sorted(stops)
    )
    other = next((token for token, _ in after if token in added), None)
    if other is None:
        raise RecipeError(
            f"the chat template ends an answer with {text[end:]!r}, which holds no token that ends "
            f"a turn (the base stops at {names or 'none'}): a model tuned so never stops",
            hint="write {{ eos_token }} after the answer in the base's chat template",
        )
    raise RecipeError(
        f"the chat template ends an answer with `{tokenizer.convert_ids_to_tokens(other)}` "
        f"(id {other}), and the base stops at {names or 'none'}: a model tuned so never stops",
        hint=f"add {other} to `eos_token_id` in the base's generation_config.json",
    )


def check_beginning(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> None:
    """Return if a text does not begin with `bos` twice.

    Raises:
        RecipeError: it does.
    """
    bos = tokenizer.bos_token_id
    if bos is not None and list(ids[:2]) == [bos, bos]:
        raise RecipeError(
            f"the text begins with `{tokenizer.bos_token}` (id {bos}) twice",
            hint="take one out of the base's chat template, or out of the data",
        )


def note_beginning(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str | None:
    """A note where the tokenizer alone would begin a text otherwise than the template, else None.

    A rendered conversation is tokenized without what a tokenizer adds, here as on a server.
    """
    bos = tokenizer.bos_token_id
    if bos is None or tokenizer("a")["input_ids"][:1] != [bos]:
        return None
    named = f"`{tokenizer.bos_token}` (id {bos})"
    if list(ids[:1]) == [bos]:
        return f"both the template and the tokenizer begin a text with {named}: it is put once"
    return f"the tokenizer begins a text with {named} and the template does not: it is left out"


def prepare_padding(tokenizer: PreTrainedTokenizerBase, ends: EndOfTurn) -> str | None:
    """Give the tokenizer a token to pad with where it has none; a note on what it pads with.

    Only positions that pad are left out of the loss, whatever token stands there: an end of turn
    that is also the padding is learnt where it ends a turn.
    """
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = ends.token
        return f"the tokenizer has no padding token: `{ends.token}` (id {ends.id}) pads"
    if tokenizer.pad_token_id == ends.id:
        return f"`{ends.token}` (id {ends.id}) also pads: learnt at an answer's end, not as padding"
    return None
