"""The names of items: readable, stable, and safe wherever pytest splits a node id."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence

from harness.records.rule import Rule
from harness.report.text import visible

LONGEST = 200
# What ends a part of a node id or begins its parameters, and the sign of an escape itself.
_SPECIAL = re.compile(r"[%\[\]\\]|:(?=:)|(?<=:):|^:|:$")


def safe(text: str) -> str:
    """The text with what would split a node id, or cannot be seen, as `%` and its bytes in hex.

    Different texts give different names; a long one is cut and ends in its digest.
    """
    name = "".join(map(_shown, _SPECIAL.sub(_escaped, text)))
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{name[:LONGEST]}~{digest}"


def parametrized(name: str, target: str) -> str:
    """The name of an item that is about one target, as pytest names a parametrised test."""
    return f"{name}[{target}]"


def rule_names(rules: Sequence[Rule]) -> list[str]:
    """A name for each rule of a policy: its metric, and more only where that does not tell it.

    Rules on one metric carry what they require too, and its amount where that is the same as well.
    """
    names = [_metric(rule) for rule in rules]
    for more in (_requirement, _amount):
        names = [
            name if names.count(name) == 1 else f"{name}{more(rule)}"
            for name, rule in zip(names, rules, strict=True)
        ]
    return [safe(name) for name in _numbered(names)]


def _metric(rule: Rule) -> str:
    return rule.metric_name or rule.require


def _requirement(rule: Rule) -> str:
    return "" if rule.metric_name is None else f"-{rule.require}"


def _amount(rule: Rule) -> str:
    amounts = rule.model_dump(exclude={"metric", "require"}, exclude_defaults=True)
    return "".join(f"-{value}" for value in amounts.values())


def _numbered(names: Iterable[str]) -> Iterator[str]:
    """The names, one that came before with a number."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name}~{seen[name]}"


def _escaped(found: re.Match[str]) -> str:
    return f"%{ord(found.group()):02X}"


def _shown(character: str) -> str:
    if visible(character) == character and character not in "\t\n":
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode())
