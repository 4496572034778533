"""Instructions with an optional input, and the output: Alpaca's form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.data.form import Row
from harness.data.sample import Sample, asked, leftover, message, text_of, turns

_KEYS = ("instruction", "input", "output", "system", "history")


class Alpaca:
    """`{"instruction", "input", "output"}`, with `system` and `history` in some files."""

    name = "alpaca"
    about = "`instruction`, `input` and `output`"

    def matches(self, row: Row) -> bool:
        """Whether it has an instruction and an output."""
        return {"instruction", "output"} <= row.keys()

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample; the input follows the instruction on a line of its own."""
        chat = []
        if row.get("system"):
            chat.append(message("system", row["system"]))
        for place, pair in enumerate(row.get("history") or ()):
            if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
                raise ValueError(f"history[{place}]: must be a question and an answer")
            chat += [message("user", pair[0]), message("assistant", pair[1])]
        question = text_of(row["instruction"], "instruction")
        if row.get("input"):
            question = f"{question}\n{text_of(row['input'], 'input')}"
        chat.append(message("user", question))
        answer = text_of(row["output"], "output")
        yield Sample(asked(turns(chat)), (answer,), lost=leftover(row, _KEYS))

    def write(self, sample: Sample) -> dict[str, Any]:
        """The row, with earlier turns as its history."""
        conversation = sample.conversation("-")
        said = [turn.content for turn in sample.messages if turn.role != "system"]
        if len(said) % 2 == 0:
            raise ValueError("turns of the user and the assistant must take turns")
        row: dict[str, Any] = {
            "instruction": said[-1], "input": "", "output": conversation.messages[-1].content,
        }  # fmt: skip
        if sample.system:
            row["system"] = sample.system
        if len(said) > 1:
            row["history"] = [said[place : place + 2] for place in range(0, len(said) - 1, 2)]
        return row
