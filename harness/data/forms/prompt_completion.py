"""A prompt and its completion, as TRL and lists of questions and answers have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.data.form import Row
from harness.data.sample import Sample, asked, leftover, messages_of, text_of, turns


class PromptCompletion:
    """`{"prompt", "completion"}`, each a text or a list of turns."""

    name = "prompt-completion"
    about = "`prompt` and `completion`, as TRL has them"

    def matches(self, row: Row) -> bool:
        """Whether it has both, and no `label`."""
        return {"prompt", "completion"} <= row.keys() and "label" not in row

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample."""
        yield Sample(
            asked(turns(row["prompt"], "prompt"), "prompt"),
            (completion(row["completion"], "completion"),),
            lost=leftover(row, ("prompt", "completion")),
        )

    def write(self, sample: Sample) -> dict[str, Any]:
        """The row, in TRL's conversational form."""
        turns_ = messages_of(sample.conversation("-").messages)
        return {"prompt": turns_[:-1], "completion": turns_[-1:]}


def completion(value: Any, key: str) -> str:
    """The answer that a text, or a list of the assistant's one turn, holds.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, str):
        return text_of(value, key)
    found = turns(value, key)
    if len(found) != 1 or found[0].role != "assistant":
        raise ValueError(f"{key}: must be one turn of the assistant's")
    return found[0].content
