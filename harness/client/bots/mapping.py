"""From a request's data with placeholders to what is sent: values go in as JSON, never as text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from harness.client.protocol import ChatRequest
from harness.records.http_server import HttpServer
from harness.records.placeholder import IN_A_URL, placeholder
from harness.records.suite import Message

LANGUAGE = "en"
_NOTHING = object()


def values(server: HttpServer, request: ChatRequest, session: str) -> dict[str, Any]:
    """What each placeholder stands for in one request; without a system prompt it is not there."""
    messages = request.messages
    dialogue = [message for message in messages if message.role != "system"]
    users = [message.content for message in dialogue if message.role == "user"]
    system = [message.content for message in messages if message.role == "system"]
    found: dict[str, Any] = {
        "session": session,
        "last_message": users[-1],
        "messages": _plain(messages),
        "dialogue": _plain(dialogue),
        "user_turns": users,
        "model": request.model,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stream": server.stream != "none",
        "language_code": server.language_code or LANGUAGE,
    }
    if system:
        found["system_prompt"] = "\n\n".join(system)
    return found


def fill(data: Any, values: Mapping[str, Any]) -> Any:
    """The data with its placeholders replaced; one without a value takes its key along.

    What is filled in is not looked at again, so no text of a case can be a placeholder.
    """
    filled = _fill(data, values)
    return None if filled is _NOTHING else filled


def _fill(data: Any, values: Mapping[str, Any]) -> Any:
    name = placeholder(data)
    if name is not None:
        return values.get(name, _NOTHING)
    if isinstance(data, dict):
        pairs = ((key, _fill(value, values)) for key, value in data.items())
        return {key: value for key, value in pairs if value is not _NOTHING}
    if isinstance(data, list | tuple):
        return [item for item in (_fill(one, values) for one in data) if item is not _NOTHING]
    return data


def body(server: HttpServer, values: Mapping[str, Any]) -> bytes:
    """The request's body.

    Raises:
        UnicodeEncodeError: a text holds a lone surrogate, which is no character.
    """
    return json.dumps(fill(server.request, values), ensure_ascii=False).encode()


def fill_url(url: str, values: Mapping[str, Any]) -> str:
    """The address with its placeholders replaced and percent-encoded, so that none adds a step."""
    for name in IN_A_URL:
        url = url.replace(f"{{{name}}}", quote(str(values[name]), safe=""))
    return url


def _plain(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]
