"""Presets: how widespread chatbots are spoken to, as the settings of an `engine: http` server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
