"""Placeholders: the places in a request's data that a case's own values fill."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

MARK = "$"
# What holds the case itself: a request with none of them would ask every case the same.
OF_THE_CASE = frozenset({"last_message", "messages", "dialogue", "user_turns"})
# What holds all turns of a conversation at once.
OF_ALL_TURNS = frozenset({"messages", "dialogue", "user_turns"})
SETTINGS = frozenset(
    {
        "session", "system_prompt", "model", "max_tokens", "temperature", "top_p", "seed",
        "stream", "language_code",
    }
)  # fmt: skip
KNOWN = OF_THE_CASE | SETTINGS
IN_A_URL = frozenset({"session", "model"})

_IN_BRACES = re.compile(r"\{([^{}]*)\}")


def placeholder(value: Any) -> str | None:
    """The name in `{$: name}`, or nothing where the value is data to be sent as it stands."""
    if isinstance(value, dict) and MARK in value:
        name = value[MARK]
        return name if isinstance(name, str) else ""
    return None


def placeholders(data: Any) -> Iterator[str]:
    """The names of all placeholders in a request's data.

    Raises:
        ValueError: a placeholder that is unknown or does not stand alone, or something that JSON
            cannot hold; the message begins with its place.
    """
    yield from _walk(data, "")


def _walk(data: Any, place: str) -> Iterator[str]:
    name = placeholder(data)
    if name is not None:
        if len(data) > 1:
            raise ValueError(f"{place}`{MARK}` must be the only key of a placeholder")
        if name not in KNOWN:
            raise ValueError(f"{place}no placeholder `{data[MARK]}`; there is {_listing(KNOWN)}")
        yield name
    elif isinstance(data, dict):
        for key, value in data.items():
            if not isinstance(key, str):
                raise ValueError(f"{place}the key {key!r} must be a string")
            yield from _walk(value, f"{place.removesuffix(': ')}{'.' if place else ''}{key}: ")
    elif isinstance(data, list | tuple):
        for at, value in enumerate(data):
            yield from _walk(value, f"{place.removesuffix(': ')}[{at}]: ")
    elif not _is_plain(data):
        raise ValueError(f"{place}JSON cannot hold {data!r}; write it in quotes")


def _is_plain(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | bool | int)


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
