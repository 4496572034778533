"""Logs of OpenAI's batches: requests, and the responses to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.data.form import Row
from harness.data.sample import Sample, asked, text_of, turns
from harness.records.suite import Message


class OpenAIBatch:
    """`{"custom_id", "body": {"messages"}}`, and `{"custom_id", "response": {"body"}}`.

    A response has no question in it: the file of requests is given before that of responses.
    """

    name = "openai-batch"
    about = "requests of OpenAI's batches, then the responses to them"

    def __init__(self) -> None:
        self._questions: dict[str, tuple[Message, ...]] = {}

    def matches(self, row: Row) -> bool:
        """Whether it has the id of a batch, with a request or a response."""
        return "custom_id" in row and bool(row.keys() & {"body", "response"})

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample of a response; a request is kept for it."""
        key = str(row["custom_id"])
        body = row.get("body")
        if isinstance(body, Mapping):
            self._questions[key] = asked(
                turns(body.get("messages"), "body.messages"), "body.messages"
            )
        response = row.get("response")
        if response is None:
            if row.get("error"):
                raise ValueError("error: the request failed")
            return
        if key not in self._questions:
            raise ValueError(
                "custom_id: no request of that id; give the file of requests before it"
            )
        yield Sample(self._questions[key], (answer_of(response, "response"),), id=key)


def answer_of(response: Any, key: str) -> str:
    """The text of the first choice of a chat completion, within the envelope of a batch or not.

    Raises:
        ValueError: there is none, or it was cut off.
    """
    body = response.get("body", response) if isinstance(response, Mapping) else None
    choices = body.get("choices") if isinstance(body, Mapping) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        raise ValueError(f"{key}: holds no choice")
    if choices[0].get("finish_reason") not in (None, "stop"):
        raise ValueError(f"{key}: the answer ended with {choices[0]['finish_reason']}")
    message = choices[0].get("message")
    return text_of(message.get("content") if isinstance(message, Mapping) else None, key)
