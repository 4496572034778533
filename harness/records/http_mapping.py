"""How an `engine: http` server is spoken to, as data: placeholders, expressions, presets."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.records.request_fields import OPTIONAL

MARK = "$"
# What holds the case itself: a request with none of them would ask every case the same.
OF_THE_CASE = frozenset({"last_message", "messages", "dialogue", "user_turns"})
# What holds all turns of a conversation at once.
OF_ALL_TURNS = frozenset({"messages", "dialogue", "user_turns"})
SETTINGS = frozenset(
    {
        "session", "system_prompt", "model", "max_tokens", "temperature", "top_p", "seed",
        "stream", "language_code", *OPTIONAL,
    }
)  # fmt: skip
KNOWN = OF_THE_CASE | SETTINGS
IN_A_URL = frozenset({"session", "model"})

LONGEST_EXPRESSION = 2_000
MOST_PLACEHOLDERS = 100  # each may stand for a whole conversation

_IN_BRACES = re.compile(r"\{([^{}]*)\}")


def placeholder(value: Any) -> str | None:
    """The name in `{$: name}`, or nothing where the value is data to be sent as it stands."""
    if isinstance(value, dict) and MARK in value:
        name = value[MARK]
        return name if isinstance(name, str) else ""
    return None


def placeholders(data: Any, place: str = "") -> Iterator[str]:
    """The names of all placeholders in a request's data.

    Raises:
        ValueError: a placeholder that is unknown or does not stand alone, or something that JSON
            cannot hold; the message begins with its `place`.
    """
    if (name := placeholder(data)) is not None:
        if len(data) > 1:
            raise ValueError(f"{place}`{MARK}` must be the only key of a placeholder")
        if name not in KNOWN:
            listed = f"{_listing(KNOWN - set(OPTIONAL))}, and what `generation` may hold besides"
            raise ValueError(f"{place}no placeholder `{data[MARK]}`; there is {listed}")
        yield name
    elif isinstance(data, dict):
        for key, value in data.items():
            if not isinstance(key, str):
                raise ValueError(f"{place}the key {key!r} must be a string")
            inner = f"{place.removesuffix(': ')}{'.' if place else ''}{key}: "
            yield from placeholders(value, inner)
    elif isinstance(data, list | tuple):
        for at, value in enumerate(data):
            yield from placeholders(value, f"{place.removesuffix(': ')}[{at}]: ")
    elif not (data is None or isinstance(data, str | int) or _is_finite(data)):
        raise ValueError(f"{place}JSON cannot hold {data!r}; write it in quotes")


def _is_finite(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def url_placeholders(url: str) -> tuple[str, ...]:
    """The names in braces in an address.

    Raises:
        ValueError: one is unknown there, stands before the path, or a brace is left over.
    """
    names = tuple(_IN_BRACES.findall(url))
    for name in names:
        if name not in IN_A_URL:
            raise ValueError(f"no placeholder `{{{name}}}` here; there is {_listing(IN_A_URL)}")
    start = url.find("{")
    rest = _IN_BRACES.sub("", url)
    if "{" in rest or "}" in rest:
        raise ValueError("holds a brace that opens or closes nothing")
    if start >= 0 and "/" not in url[:start].partition("://")[2]:
        raise ValueError("placeholders belong into the path")
    return names


def _listing(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def check_expression(path: str) -> str:
    """The JMESPath as given.

    Raises:
        ValueError: it cannot be read, or calls a function that JMESPath does not have.
    """
    import jmespath
    from jmespath.exceptions import JMESPathError
    from jmespath.functions import Functions

    if len(path) > LONGEST_EXPRESSION:
        raise ValueError(f"longer than {LONGEST_EXPRESSION} characters")
    try:
        tree = jmespath.compile(path).parsed
    except RecursionError:
        raise ValueError(f"`{path[:20]}…` is no JMESPath: nested too deeply") from None
    except JMESPathError as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"`{path}` is no JMESPath: {reason}") from None
    for name in _functions(tree):
        if name not in Functions.FUNCTION_TABLE:
            raise ValueError(f"`{path}` is no JMESPath: it has no function `{name}`")
    return path


def _functions(tree: Any) -> list[str]:
    own = [str(tree["value"])] if tree["type"] == "function_expression" else []
    children = [child for child in tree["children"] if isinstance(child, dict)]
    return own + [name for child in children for name in _functions(child)]


@dataclass(frozen=True, slots=True)
class Preset:
    """What follows the bot's address, and the settings that a server's own stand on top of."""

    route: str
    settings: Mapping[str, Any]


PRESETS: Mapping[str, Preset] = {
    # https://rasa.com/docs/reference/channels/your-own-website (RestInput)
    "rasa": Preset(
        "/webhooks/rest/webhook",
        {
            "request": {"sender": {"$": "session"}, "message": {"$": "last_message"}},
            "answer": "[].text",
            "stream": "none",
            "turns": "replay",
        },
    ),
    # https://cloud.google.com/dialogflow/cx/docs/reference/rest/v3/projects.locations.agents.sessions/detectIntent
    "dialogflow-cx": Preset(
        "/sessions/{session}:detectIntent",
        {
            "request": {
                "queryInput": {
                    "text": {"text": {"$": "last_message"}},
                    "languageCode": {"$": "language_code"},
                }
            },
            # Protocol buffers leave an empty list out: a turn without any message is an answer.
            "answer": "queryResult.responseMessages[].text.text[] || queryResult && `[]`",
            "error": "error",
            "stream": "none",
            "turns": "replay",
        },
    ),
    # https://github.com/ollama/ollama/blob/main/docs/api.md
    "ollama": Preset(
        "/api/chat",
        {
            "request": {
                "model": {"$": "model"},
                "messages": {"$": "messages"},
                "stream": {"$": "stream"},
                "options": {
                    "num_predict": {"$": "max_tokens"},
                    "temperature": {"$": "temperature"},
                    "top_p": {"$": "top_p"},
                    "seed": {"$": "seed"},
                },
            },
            "answer": "message.content",
            "reasoning": "message.thinking",
            "finish_reason": "done_reason",
            "usage": {"prompt_tokens": "prompt_eval_count", "completion_tokens": "eval_count"},
            "answered_by": "model",
            "error": "error",
            "end": "done",
            "stream": "ndjson",
            "turns": "history",
        },
    ),
}


def with_preset(data: Mapping[str, Any], preset: Preset) -> dict[str, Any]:
    """A server's settings on top of its preset's; what of a request is not given stays."""
    own = {key: value for key, value in data.items() if value is not None}
    settings = {**preset.settings, **own}
    if isinstance(own.get("request"), dict):
        settings["request"] = _merged(preset.settings["request"], own["request"])
    url = own.get("url")
    if isinstance(url, str):
        settings["url"] = url.strip().rstrip("/").removesuffix(preset.route) + preset.route
    return settings


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        known = base.get(key)
        if isinstance(known, dict) and isinstance(value, dict) and "$" not in {*known, *value}:
            merged[key] = _merged(known, value)
        else:
            merged[key] = value
    return merged
