"""The model list of an OpenAI-compatible server, in the forms in which servers send one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from harness.client.dialect import ModelEntry
from harness.client.transport.exchange import Fetch, WholeBody

_MOST_PAGES = 20
# What a page's own name for a model is; ids first, where there are several.
_NAMES = ("id", "name", "model")
# The keys of vLLM, Mistral, OpenRouter, Groq, and of llama.cpp within `meta`.
_CONTEXT = ("max_model_len", "max_context_length", "context_length", "context_window", "n_ctx")


async def read_models(
    fetch: Fetch, first: WholeBody, page_at: Callable[[str], str]
) -> tuple[ModelEntry, ...] | None:
    """The models on the page and on those that follow it; None where it is no list of models.

    `page_at` gives the path of the list with one more thing in its query. A page that cannot be
    read ends the list: what is not on it may be there all the same.
    """
    page: WholeBody | None = first
    found: dict[str, ModelEntry] = {}
    for _ in range(_MOST_PAGES):
        data = None if page is None or page.status != 200 else _json(page.content)
        entries = _entries(data)
        if entries is None:
            return tuple(found.values()) if found else None
        before = len(found)
        found |= {entry.id: entry for entry in entries}
        last = data.get("last_id") if isinstance(data, dict) and data.get("has_more") else None
        if not isinstance(last, str) or len(found) == before:
            break
        # OpenAI's name of the cursor and Anthropic's: each passes over the other's.
        cursor = quote(last, safe="")
        page = await fetch(page_at(f"after={cursor}&after_id={cursor}"))
    return tuple(found.values())


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _entries(data: Any) -> list[ModelEntry] | None:
    """The entries of a bare list, or of one under `data` or `models`; None for anything else."""
    if isinstance(data, dict):
        data = next((data[key] for key in ("data", "models") if isinstance(data.get(key), list)), 0)
    if not isinstance(data, list):
        return None
    entries = [entry for entry in map(_entry, data) if entry is not None]
    return entries if entries or not data else None


def _entry(item: Any) -> ModelEntry | None:
    if isinstance(item, str) and item:
        return ModelEntry(item)
    if not isinstance(item, dict):
        return None
    name = next((item[key] for key in _NAMES if isinstance(item.get(key), str)), None)
    if name is None:
        return None
    length = item.get("max_model_len")
    meta = item.get("meta")
    told = {**meta, **item} if isinstance(meta, dict) else item
    return ModelEntry(
        id=name,
        parent=_text(item.get("parent")),
        root=_text(item.get("root")),
        max_model_len=length if isinstance(length, int) else None,
        context_length=next(
            (told[key] for key in _CONTEXT if isinstance(told.get(key), int)), None
        ),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
