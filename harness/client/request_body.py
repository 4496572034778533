"""The body of a chat request in OpenAI's form, or in the form that a server wants instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.client.protocol import ChatRequest
from harness.records.request_fields import RequestForm
from harness.records.suite import Message

_STREAM_OPTIONS = {"include_usage": True}


def chat_body(request: ChatRequest, form: RequestForm) -> dict[str, object]:
    """Every field of the request; what the form omits or renames is gone from it."""
    body: dict[str, object] = {
        "model": request.model,
        "messages": _messages(request.messages, form),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stream": True,
        "stream_options": _STREAM_OPTIONS,
    }
    if request.logprobs or request.top_logprobs:
        body["logprobs"] = True
    if request.top_logprobs:
        body["top_logprobs"] = request.top_logprobs
    for name, value in request.extra.items():
        if name == "stream_options" and isinstance(value, Mapping):
            value = {**_STREAM_OPTIONS, **value}
        body[name] = value
    for name in form.omit:
        body.pop(name, None)
    if form.max_tokens_as is not None:
        body[form.max_tokens_as] = body.pop("max_tokens")
    return body


def _messages(messages: Sequence[Message], form: RequestForm) -> list[dict[str, str]]:
    turns = [{"role": message.role, "content": message.content} for message in messages]
    if form.system_as == "developer":
        for turn in turns:
            if turn["role"] == "system":
                turn["role"] = "developer"
    return _without_system(turns) if form.system_as == "user" else turns


def _without_system(turns: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The turns with each system message put before the user's next one, a blank line between."""
    found: list[dict[str, str]] = []
    waiting: list[str] = []
    for turn in turns:
        if turn["role"] == "system":
            waiting.append(turn["content"])
            continue
        if turn["role"] == "user" and waiting:
            turn = {**turn, "content": "\n\n".join([*waiting, turn["content"]])}
            waiting = []
        found.append(turn)
    if waiting:
        found.append({"role": "user", "content": "\n\n".join(waiting)})
    return found
