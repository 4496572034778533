"""Pairs of a preferred and another answer, as OpenAI's preference tuning takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.data.form import Row
from harness.data.forms.prompt_completion import completion
from harness.data.sample import Sample, asked, leftover, message, messages_of, turns


class OpenAIPreference:
    """`{"input": {"messages"}, "preferred_output", "non_preferred_output"}`."""

    name = "openai-preference"
    about = "pairs as OpenAI's preference tuning takes them"

    def matches(self, row: Row) -> bool:
        """Whether it has both outputs."""
        return {"preferred_output", "non_preferred_output"} <= row.keys()

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample."""
        given = row.get("input")
        if not isinstance(given, Mapping):
            raise ValueError("input: must have `messages`")
        lost = leftover(row, ("input", "preferred_output", "non_preferred_output"))
        yield Sample(
            asked(turns(given.get("messages"), "input.messages"), "input.messages"),
            (completion(row["preferred_output"], "preferred_output"),),
            rejected=completion(row["non_preferred_output"], "non_preferred_output"),
            lost=(*lost, *(f"input.{key}" for key in leftover(given, ("messages",)))),
        )

    def write(self, sample: Sample) -> dict[str, Any]:
        """The row."""
        pair = sample.pair("-")
        return {
            "input": {"messages": messages_of(sample.messages)},
            "preferred_output": [message("assistant", pair.messages[-1].content)],
            "non_preferred_output": [message("assistant", pair.rejected.content)],
        }
