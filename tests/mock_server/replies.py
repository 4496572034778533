"""What the mock server says, and how it misbehaves on request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Fault = Literal[
    "reset",  # the connection is reset before anything is answered
    "reset_midstream",
    "hang",  # nothing is answered, ever
    "hang_midstream",
    "malformed",  # the second content event is not JSON
    "error_event",  # after the first content event, inside the 200
    "cut",  # the stream ends cleanly after the first content event
    "no_done",  # whole, but without [DONE]
    "linger",  # whole, but the connection is left open after [DONE]
    "html",  # a 200 that is a page
    "no_finish",  # [DONE], but no finish_reason
    "empty_choices",  # no event has a choice
    "drip",  # one byte at a time, `gap` seconds apart
    "not_streaming",  # one JSON document, though a stream was asked for
]


@dataclass(frozen=True, slots=True)
class MockReply:
    """One answer of the mock server; delays in seconds.

    `status` other than 200 sends `text` as the error's message, with `headers`. `model` is the
    name to give in place of the one asked for; `logprobs` those of the generated tokens;
    `beginnings` what is told of the likeliest in place of each, where that is asked for;
    `prompt_tokens` counts the prompt, whose words are counted without it.
    """

    text: str = ""
    reasoning: str = ""
    finish_reason: str = "stop"
    first_delay: float = 0.0
    gap: float = 0.0
    tokens_per_chunk: int = 1
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    role_chunk: bool = True
    usage: bool = True
    model: str | None = None
    logprobs: tuple[tuple[str, float], ...] | None = None
    prompt_tokens: int | None = None
    beginnings: tuple[tuple[str, float], ...] = ()


def tokens(text: str) -> list[str]:
    """The text cut into words with the spaces that follow them."""
    return re.findall(r"\S+\s*|\s+", text)


def spoken(text: str, logprob: float) -> MockReply:
    """The text as a reply whose tokens all have that log-probability."""
    return MockReply(text, logprobs=tuple((word, logprob) for word in tokens(text)))


def usage_of(
    body: Mapping[str, Any], reply: MockReply, generated: int | None = None
) -> dict[str, int]:
    """Token counts, a word being a token; of the whole answer, or once so many are generated."""
    prompt = reply.prompt_tokens
    if prompt is None:
        prompt = sum(len(tokens(message["content"])) for message in body["messages"])
    if generated is None:
        generated = len(tokens(reply.reasoning)) + len(tokens(reply.text))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": generated,
        "total_tokens": prompt + generated,
    }


def first_events(body: Mapping[str, Any], reply: MockReply) -> Iterator[bytes]:
    """The events before any content."""
    if reply.role_chunk and reply.fault != "empty_choices":
        yield _event(body, reply, {"role": "assistant", "content": ""}, generated=0)


def contents(body: Mapping[str, Any], reply: MockReply) -> Iterator[bytes]:
    """The events with content."""
    if reply.fault == "empty_choices":
        return
    before = 0
    for key, text in (("reasoning_content", reply.reasoning), ("content", reply.text)):
        words = tokens(text)
        logprobs = list(reply.logprobs or [(word, -0.1) for word in words])
        wanted = key == "content" and bool(body.get("logprobs"))
        for start in range(0, len(words), reply.tokens_per_chunk):
            end = start + reply.tokens_per_chunk
            last = end >= len(words)
            part = logprobs[start : None if last else end]
            yield _event(
                body,
                reply,
                {key: "".join(words[start:end])},
                logprobs=part if wanted else None,
                generated=before + min(end, len(words)),
            )
        before += len(words)


def last_events(body: Mapping[str, Any], reply: MockReply) -> Iterator[bytes]:
    """The events after the content."""
    if reply.fault not in ("no_finish", "empty_choices"):
        yield _event(body, reply, {}, finish=reply.finish_reason)
    if reply.usage and (body.get("stream_options") or {}).get("include_usage"):
        yield _data({**_head(body, reply), "choices": [], "usage": usage_of(body, reply)})
    if reply.fault != "no_done":
        yield b"data: [DONE]\n\n"


def whole(body: Mapping[str, Any], reply: MockReply) -> dict[str, Any]:
    """The answer as one document, for a request that asked for no stream."""
    message = {"role": "assistant", "content": reply.text}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
    if body.get("logprobs"):
        found = reply.logprobs or tuple((word, -0.1) for word in tokens(reply.text))
        choice["logprobs"] = _logprobs(list(found), body, reply)
    return {
        **_head(body, reply),
        "object": "chat.completion",
        "choices": [choice],
        "usage": usage_of(body, reply),
    }


def error_event(text: str) -> bytes:
    """An error inside a stream, as vLLM words it."""
    return _data({"error": {"message": text, "type": "InternalServerError", "code": 500}})


def _head(body: Mapping[str, Any], reply: MockReply) -> dict[str, Any]:
    return {
        "id": "chatcmpl-mock",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": reply.model or body["model"],
    }


def _event(
    body: Mapping[str, Any],
    reply: MockReply,
    delta: dict[str, str],
    *,
    finish: str | None = None,
    logprobs: list[tuple[str, float]] | None = None,
    generated: int | None = None,
) -> bytes:
    choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": finish}
    if logprobs is not None:
        choice["logprobs"] = _logprobs(logprobs, body, reply)
    event = {**_head(body, reply), "choices": [choice]}
    if reply.usage and (body.get("stream_options") or {}).get("continuous_usage_stats"):
        event["usage"] = usage_of(body, reply, generated)
    return _data(event)


def _logprobs(
    pairs: list[tuple[str, float]], body: Mapping[str, Any], reply: MockReply
) -> dict[str, Any]:
    most = int(body.get("top_logprobs") or 0)
    likeliest = [
        {"token": token, "logprob": value, "bytes": None}
        for token, value in reply.beginnings[:most]
    ]
    return {
        "content": [
            {"token": token, "logprob": value, "bytes": None, "top_logprobs": likeliest}
            for token, value in pairs
        ]
    }


def _data(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"
