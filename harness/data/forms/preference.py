"""Pairs of a preferred and a rejected answer, as TRL's DPO has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.data.form import Row
from harness.data.forms.prompt_completion import completion
from harness.data.sample import Sample, asked, leftover, message, messages_of, split, turns


class Preference:
    """`{"prompt", "chosen", "rejected"}`, or two conversations that share all but the last turn."""

    name = "preference"
    about = "pairs of `chosen` and `rejected`, as TRL's DPO has them"

    def matches(self, row: Row) -> bool:
        """Whether it has both answers."""
        return {"chosen", "rejected"} <= row.keys()

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample."""
        if "prompt" in row:
            question = asked(turns(row["prompt"], "prompt"), "prompt")
            chosen = _last(row["chosen"], "chosen", len(question))
            rejected = _last(row["rejected"], "rejected", len(question))
        else:
            question, chosen = split(turns(row["chosen"], "chosen"), "chosen")
            other, rejected = split(turns(row["rejected"], "rejected"), "rejected")
            if question != other:
                raise ValueError("chosen and rejected must share all turns but the last")
        lost = leftover(row, ("prompt", "chosen", "rejected", "group"))
        group = row.get("group")
        yield Sample(
            question, (chosen,), rejected=rejected, group=str(group) if group else None, lost=lost
        )

    def write(self, sample: Sample) -> dict[str, Any]:
        """The row, in TRL's conversational form."""
        pair = sample.pair("-")
        return {
            "prompt": messages_of(sample.messages),
            "chosen": [message("assistant", pair.messages[-1].content)],
            "rejected": [message("assistant", pair.rejected.content)],
        }


def _last(value: Any, key: str, asked_turns: int) -> str:
    """The answer; some files repeat the prompt before it."""
    if isinstance(value, list) and len(value) == asked_turns + 1:
        return split(turns(value, key), key)[1]
    return completion(value, key)
