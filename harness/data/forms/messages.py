"""Chats as OpenAI and TRL have them: `messages` with a role and a content each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.data.form import Row
from harness.data.sample import Sample, asked, leftover, messages_of, parsed, split, turns


class Messages:
    """`{"messages": [{"role", "content"}, …]}`; without a last answer it is a question alone."""

    name = "messages"
    about = "chats of `messages`, as OpenAI and TRL have them"

    def matches(self, row: Row) -> bool:
        """Whether it has `messages`, and nothing that marks another form with them."""
        other = (
            row.keys() & {"expect", "request_id", "response"} or {"input", "target"} <= row.keys()
        )
        return "messages" in row and not other

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample of the last answer, which is what is learnt or expected."""
        given = parsed(row["messages"])  # a cell of a table holds it as text
        if isinstance(given, str):
            raise ValueError("messages: must be a list of turns")
        found = turns(given)
        weights = [one.get("weight") for one in given]
        if weights and weights[-1] == 0:
            raise ValueError("messages: the last answer has weight 0, and so is not to be learnt")
        lost = leftover(row, ("messages", "group"))
        if any(weight is not None for weight in weights):
            lost = (*lost, "weight")
        answers: tuple[str, ...] = ()
        if found[-1].role == "assistant":
            question, answer = split(found)
            answers = (answer,)
        else:
            question = asked(found)
        group = row.get("group")
        yield Sample(question, answers, group=str(group) if group else None, lost=lost)

    def write(self, sample: Sample) -> dict[str, Any]:
        """The chat with its answer, as TRL, axolotl and unsloth read it."""
        conversation = sample.conversation("-")
        return {"messages": messages_of(conversation.messages)}
