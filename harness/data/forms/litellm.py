"""Requests that LiteLLM has logged."""

from __future__ import annotations

from collections.abc import Iterator

from harness.data.form import Row
from harness.data.forms.openai_batch import answer_of
from harness.data.sample import Sample, asked, parsed, turns

_REDACTED = "redacted-by-litellm"


class LiteLLM:
    """`{"request_id", "messages", "response"}`, of its spend logs or its standard payload."""

    name = "litellm"
    about = "requests with their responses, as LiteLLM logs them"

    def matches(self, row: Row) -> bool:
        """Whether it has both sides of a request."""
        return {"messages", "response"} <= row.keys()

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample; the log's objects may be text."""
        question = asked(turns(parsed(row["messages"])))
        if question[-1].content == _REDACTED:
            raise ValueError("messages: LiteLLM was told to log no text")
        key = row.get("request_id") or row.get("id")
        answer = answer_of(parsed(row["response"]), "response")
        yield Sample(question, (answer,), id=str(key) if key else None)
