"""Markers for `-m`: the section, the tags, `critical` and `rule`."""

from __future__ import annotations

import re

import pytest

CRITICAL, RULE = "critical", "rule"
_OWN = {
    CRITICAL: "a case whose failure fails the session",
    RULE: "a rule of the policy in harness.yaml",
}
# What a `-m` expression reads as one name.
_UNREADABLE = re.compile(r"[^\w+./-]")
_WORDS = frozenset({"and", "or", "not", "None", "True", "False"})


class Marks:
    """The markers of a session, each made known to pytest before it is used.

    A marker that pytest or a plugin acts on is never given for a tag of that name.
    """

    def __init__(self, config: pytest.Config, from_file: frozenset[str]) -> None:
        self._config = config
        # What the user's own configuration lists is a mere label; the rest has somebody behind it.
        self._taken = marker_names(config) - from_file
        self._known: dict[str, pytest.MarkDecorator] = {}
        for name, meaning in _OWN.items():
            self._declare(name, meaning)

    def own(self, name: str) -> pytest.MarkDecorator:
        """The marker `critical` or `rule`."""
        return self._known[name]

    def of(self, word: str, meaning: str) -> pytest.MarkDecorator:
        """The marker of a section or a tag."""
        name = marker(word, self._taken)
        if name not in self._known:
            self._declare(name, meaning)
        return self._known[name]

    def _declare(self, name: str, meaning: str) -> None:
        self._config.addinivalue_line("markers", f"{name}: {meaning}")
        self._known[name] = getattr(pytest.mark, name)


def marker(word: str, taken: frozenset[str] | set[str] = frozenset()) -> str:
    """The marker's name for a word, `tag_` before it where the bare word would mean other things.

    What a `-m` expression cannot spell becomes `_`.
    """
    name = _UNREADABLE.sub("_", word)
    reserved = name in taken or name in _OWN or name in _WORDS
    if reserved or name.startswith("_") or not re.search(r"\w", name):
        return f"tag_{name}"
    return name


def marker_names(config: pytest.Config) -> frozenset[str]:
    """The names of the markers that are registered so far."""
    lines = config.getini("markers")
    return frozenset(re.split(r"[:(]", line, maxsplit=1)[0].strip() for line in lines)
