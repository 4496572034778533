"""Names that pytest reads: those of items, safe in a node id, and markers for `-m`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence

import pytest

from harness.records.rule import Rule
from harness.visible_text import visible

LONGEST = 200
# What ends a part of a node id or begins its parameters, and the sign of an escape itself.
_SPECIAL = re.compile(r"[%\[\]\\]|:(?=:)|(?<=:):|^:|:$")


def safe(text: str) -> str:
    """The text with what would split a node id, or cannot be seen, as `%` and its bytes in hex.

    Different texts give different names; a long one is cut and ends in its digest.
    """
    plain = _SPECIAL.sub(lambda found: f"%{ord(found.group()):02X}", text)
    name = "".join(map(_visible, plain))
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{name[:LONGEST]}~{digest}"


def rule_names(rules: Sequence[Rule]) -> list[str]:
    """A name for each rule of a policy: its metric, and more only where that is not enough.

    Rules on one metric carry what they require too, and its amount where that is the same as well.
    """
    names = [rule.metric_name or rule.require for rule in rules]
    for more in (_requirement, _amount):
        names = [
            name if names.count(name) == 1 else f"{name}{more(rule)}"
            for name, rule in zip(names, rules, strict=True)
        ]
    return [safe(name) for name in _numbered(names)]


def _requirement(rule: Rule) -> str:
    return "" if rule.metric_name is None else f"-{rule.require}"


def _amount(rule: Rule) -> str:
    amounts = rule.model_dump(exclude={"metric", "require"}, exclude_defaults=True)
    # The kind of evidence is no amount and comes last.
    ordered = sorted(amounts, key=lambda key: key == "evidence")
    return "".join(f"-{amounts[key]}" for key in ordered)


def _numbered(names: Iterable[str]) -> Iterator[str]:
    """The names, one that came before with a number."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name}~{seen[name]}"


def _visible(character: str) -> str:
    if visible(character) == character and character not in "\t\n":
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode())


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
