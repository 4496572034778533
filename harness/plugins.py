"""Plugins by name: the entry points of a group, and what is registered by a call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Protocol, TypeVar

from harness.errors import UsageError


class Named(Protocol):
    """Anything that says its own name."""

    @property
    def name(self) -> str:
        """The name it is asked for by."""
        ...


T = TypeVar("T", bound=Named)


class PluginRegistry(Generic[T]):
    """A registry of plugins of one kind by name; each is loaded at its first use.

    `noun` is what an error calls them. Without `declared`, they are the entry points of `group`
    in every installed distribution; an entry point names a class or function that gives a plugin
    when called without arguments, or what else `make` turns into one.

    Raises:
        UsageError: two distributions declare one name.
    """

    def __init__(
        self,
        noun: str,
        group: str,
        declared: Iterable[EntryPoint] | None = None,
        make: Callable[[Any], T] = lambda loaded: loaded(),
    ) -> None:
        self._noun, self._make = noun, make
        self._declared: dict[str, EntryPoint] = {}
        self._loaded: dict[str, T] = {}
        for point in entry_points(group=group) if declared is None else declared:
            rival = self._declared.get(point.name)
            if rival is not None and rival.value != point.value:
                raise UsageError(
                    f"{noun} `{point.name}` is declared twice: {rival.value} and {point.value}",
                    hint="uninstall one of the two packages",
                )
            self._declared[point.name] = point

    def register(self, plugin: T) -> None:
        """Make a plugin known under its own name.

        Raises:
            ValueError: the name is taken by another.
        """
        if self._loaded.get(plugin.name) is plugin:
            return
        if plugin.name in self.names():
            raise ValueError(f"{self._noun} `{plugin.name}` is already registered")
        self._loaded[plugin.name] = plugin

    def names(self) -> tuple[str, ...]:
        """Every known name, sorted; nothing is loaded for it."""
        return tuple(sorted(self._declared.keys() | self._loaded.keys()))

    def get(self, name: str) -> T:
        """The plugin of that name.

        Raises:
            ValueError: there is none, or its module cannot be loaded.
        """
        if name in self._loaded:
            return self._loaded[name]
        point = self._declared.get(name)
        if point is None:
            known = ", ".join(f"`{known}`" for known in self.names()) or "none"
            raise ValueError(f"no {self._noun} `{name}`; there is {known}")
        try:
            plugin = self._make(point.load())
            called = plugin.name
        except (Exception, SystemExit) as error:  # a plugin's module may raise anything
            raise ValueError(
                f"{self._noun} `{name}` cannot be loaded from {point.value}: "
                f"{type(error).__name__}: {error}"
            ) from error
        if called != name:
            raise ValueError(f"{self._noun} `{name}` calls itself `{called}` ({point.value})")
        self._loaded[name] = plugin
        return plugin
