"""A registry of plugins: what is declared, registered, taken twice, or cannot be loaded."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint

import pytest

from harness.errors import UsageError
from harness.plugins import PluginRegistry


@dataclass(frozen=True)
class Tool:
    name: str


def hammer() -> Tool:
    return Tool("hammer")


HERE = f"{__name__}:hammer"


def registry(**declared: str) -> PluginRegistry[Tool]:
    return PluginRegistry("tool", "g", [EntryPoint(*one, "g") for one in declared.items()])


def test_what_is_declared_is_loaded_when_first_wanted() -> None:
    found = registry(hammer=HERE, gone="nowhere:gone")
    assert found.names() == ("gone", "hammer")
    assert found.get("hammer") is found.get("hammer")
    with pytest.raises(ValueError, match="tool `gone` cannot be loaded from nowhere:gone: Modul"):
        found.get("gone")


def test_a_name_has_one_owner() -> None:
    found, saw = registry(hammer=HERE), Tool("saw")
    found.register(saw)
    found.register(saw)
    assert found.get("saw") is saw
    with pytest.raises(ValueError, match="tool `hammer` is already registered"):
        found.register(hammer())
    twice = [EntryPoint("a", value, "g") for value in ("x:a", "y:a")]
    with pytest.raises(UsageError, match="tool `a` is declared twice: x:a and y:a"):
        PluginRegistry[Tool]("tool", "g", twice)
    with pytest.raises(ValueError, match="tool `axe` calls itself `hammer`"):
        registry(axe=HERE).get("axe")


def test_an_entry_point_may_name_what_is_not_called() -> None:
    point = EntryPoint("hammer", f"{__name__}:HAMMER", "g")
    found = PluginRegistry[Tool]("tool", "g", [point], make=lambda loaded: Tool(loaded))
    assert found.get("hammer") == Tool("hammer")


HAMMER = "hammer"
