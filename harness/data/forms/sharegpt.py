"""Chats of `conversations` with `from` and `value`: ShareGPT's form, which many trainers read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.data.form import Row
from harness.data.sample import Sample, asked, leftover, message, parsed, split, turns

_ROLES = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant",
    "chatgpt": "assistant", "system": "system",
}  # fmt: skip
_NAMES = {"user": "human", "assistant": "gpt"}


class ShareGPT:
    """`{"conversations": [{"from", "value"}, …]}`, with `system` beside it in some files."""

    name = "sharegpt"
    about = "chats of `conversations` with `from` and `value`"

    def matches(self, row: Row) -> bool:
        """Whether it has `conversations`."""
        return "conversations" in row

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample of the last answer."""
        given = parsed(row["conversations"])
        if not isinstance(given, Sequence) or isinstance(given, str):
            raise ValueError("conversations: must be a list of turns")
        found = [_turn(turn, f"conversations[{place}]") for place, turn in enumerate(given)]
        if row.get("system"):
            found.insert(0, message("system", row["system"]))
        chat = turns(found, "conversations")
        lost = leftover(row, ("conversations", "system", "id"))
        if chat[-1].role == "assistant":
            question, answer = split(chat, "conversations")
            yield Sample(question, (answer,), lost=lost)
        else:
            yield Sample(asked(chat, "conversations"), lost=lost)

    def write(self, sample: Sample) -> dict[str, Any]:
        """The row, as LLaMA-Factory and axolotl read it."""
        chat = sample.conversation("-").messages
        said = [turn for turn in chat if turn.role != "system"]
        row: dict[str, Any] = {
            "conversations": [{"from": _NAMES[turn.role], "value": turn.content} for turn in said]
        }
        return row | ({"system": sample.system} if sample.system else {})


def _turn(turn: Any, where: str) -> dict[str, Any]:
    if not isinstance(turn, Mapping) or "value" not in turn:
        raise ValueError(f"{where}: must have `from` and `value`")
    role = _ROLES.get(str(turn.get("from")))
    if role is None:
        raise ValueError(f"{where}: from: must be human, gpt or system, not a tool's")
    return message(role, turn["value"])
