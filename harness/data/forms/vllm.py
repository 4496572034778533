"""Requests that a vLLM server has logged."""

from __future__ import annotations

from collections.abc import Iterator

from harness.data.form import Row
from harness.data.sample import Sample, asked, turns


class VllmLog:
    """`{"vllm_request_id", "request", "output"}`, as the reader of the server's log puts them."""

    name = "vllm"
    about = "chats with their answers in the log of a vLLM server"

    def matches(self, row: Row) -> bool:
        """Whether it is of such a log."""
        return "vllm_request_id" in row

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample of a chat that was answered whole."""
        request, output = row["request"], row.get("output")
        if not isinstance(request, dict) or "messages" not in request:
            raise ValueError("request: is no chat")
        if not isinstance(output, str) or not output:
            raise ValueError("output: is empty, or was cut in the log")
        if row.get("finish_reason") != "stop":
            raise ValueError(f"output: ended by `{row.get('finish_reason')}`, so it is not whole")
        question = asked(turns(request["messages"]))
        yield Sample(question, (output,), id=str(row["vllm_request_id"]))
